"""One step of a trace: what code sees just before an opcode, in the manner of EIP-3155."""

from dataclasses import dataclass
from zlib import crc32

import orjson
from eth.vm import opcode_values

from node.types.receipt import Log

_COMPARED_WORDS = 20
"""Of the stack, from the top: no opcode reaches deeper than 17."""
_COMPARED_MEMORY = 64 * 1024
"""Memory up to this size is compared byte for byte at each step, larger one by its size."""
_SHOWN_WORDS = 4
_NAMES: dict[int, str] = {
    number: name for name, number in vars(opcode_values).items() if isinstance(number, int)
}


def opcode_name(number: int) -> str:
    """Return an opcode's name."""
    return _NAMES.get(number, "INVALID")


@dataclass(frozen=True, slots=True)
class Step:
    """What holds before the opcode at `position`; `depth` is 0 in the first frame.

    `stack` has the top at its end. `writes` are those to the world since the step before, with the
    values that they left. `log` is the newest event of `logs`.
    """

    position: int
    opcode: int
    gas: int
    depth: int
    address: bytes
    height: int
    stack: tuple[int, ...]
    memory_size: int
    memory_sum: int
    return_data: bytes
    refund: int
    logs: int
    log: Log | None
    destroyed: int
    writes: frozenset[tuple[tuple[object, ...], object]]

    @property
    def name(self) -> str:
        """The opcode's name."""
        return opcode_name(self.opcode)

    def __str__(self) -> str:
        shown = {
            "pc": self.position,
            "op": self.opcode,
            "opName": self.name,
            "gas": hex(self.gas),
            "depth": self.depth + 1,  # counted from 1 there
            "memSize": self.memory_size,
            "stackSize": self.height,
            "stack": [hex(word) for word in self.stack[-_SHOWN_WORDS:]],
            "refund": self.refund,
        }
        if self.writes:
            shown["writes"] = sorted(f"{_text(key)}={_text(value)}" for key, value in self.writes)
        return orjson.dumps(shown).decode()


def compared_stack(stack: list[int]) -> tuple[int, ...]:
    """Return the part of a stack that is compared."""
    return tuple(stack[-_COMPARED_WORDS:])


def memory_sum(memory: bytearray) -> int:
    """Return a checksum of memory, 0 if it is too large to be looked at for each step."""
    return crc32(memory) if len(memory) <= _COMPARED_MEMORY else 0


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return ",".join(_text(item) for item in value)
    return str(value)
