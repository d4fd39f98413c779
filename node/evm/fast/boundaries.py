"""Where opcodes begin: which bytes of a code are not data of a PUSH.

Only code from its very beginning on tells. A regular expression walks it, ten nanoseconds a byte at
worst, no further than somebody asks, and what is found on the way is noted now and then.
"""

import re
from collections.abc import Callable
from typing import Any

_PUSH1, _PUSH32 = 0x60, 0x7F
_STRIDE_BITS = 6
_STRIDE = 1 << _STRIDE_BITS

_PUSHES = b"|".join(
    re.escape(bytes([number])) + b".{%d}" % (number - _PUSH1 + 1)
    for number in range(_PUSH1, _PUSH32 + 1)
)
_OPCODES = re.compile(
    b"(?:[^" + bytes([_PUSH1]) + b"-" + bytes([_PUSH32]) + b"]+|" + _PUSHES + b")*+", re.DOTALL
)
_walk: Callable[[bytes, int, int], Any] = _OPCODES.match
"""Goes over all opcodes from `start` on that end at or before `end`; it always matches."""


class Boundaries:
    """Where opcodes of one code begin, as far as somebody has asked. It does not hold the code.

    Threads may share it: all that it notes is true, whoever notes it.
    """

    __slots__ = ("_backs",)

    def __init__(self) -> None:
        # For each stride of 64 bytes, how far before its start an opcode begins: the last one.
        self._backs = bytearray(1)

    def __len__(self) -> int:
        return len(self._backs)

    def is_opcode(self, code: bytes, position: int) -> bool:
        """Tell whether an opcode begins at `position`, which is inside the code."""
        stride = position >> _STRIDE_BITS
        if stride >= len(self._backs):
            self._look_on(code, stride)
        start = (stride << _STRIDE_BITS) - self._backs[stride]
        return bool(_walk(code, start, position).end() == position)

    def _look_on(self, code: bytes, stride: int) -> None:
        backs = bytearray(self._backs)
        start = (len(backs) - 1 << _STRIDE_BITS) - backs[-1]
        for end in range(len(backs) << _STRIDE_BITS, (stride + 1) << _STRIDE_BITS, _STRIDE):
            start = _walk(code, start, end).end()
            backs.append(end - start)
        self._backs = backs
