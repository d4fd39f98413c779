"""Bytecode as py-evm's loop reads it, with jump destinations found in linear time."""

from functools import lru_cache

from eth.vm.code_stream import CodeStream

from node.types.primitives import Address

DELEGATION_PREFIX = b"\xef\x01\x00"
_DELEGATION_SIZE = 23
_JUMPDEST = 0x5B
_PUSH1 = 0x60
_PUSH32 = 0x7F


class Code(CodeStream):  # type: ignore[misc]
    """The code of one frame. py-evm's own search for PUSH data recurses as deep as the code."""

    def __init__(self, code: bytes) -> None:
        self.program_counter = 0
        self._raw_code_bytes = code
        self._length_cache = len(code)

    def is_valid_opcode(self, position: int) -> bool:
        """Tell whether there is an opcode (a JUMPDEST, as this is asked only of jumps)."""
        return jump_destinations(self._raw_code_bytes)[position] == 1


@lru_cache(maxsize=256)
def jump_destinations(code: bytes) -> bytes:
    """Return, for each byte of `code`, 1 if it is a JUMPDEST that is not data of a PUSH."""
    valid = bytearray(len(code))
    position, size = 0, len(code)
    while position < size:
        opcode = code[position]
        if opcode == _JUMPDEST:
            valid[position] = 1
        elif _PUSH1 <= opcode <= _PUSH32:
            position += opcode - _PUSH1 + 1
        position += 1
    return bytes(valid)


def delegation_target(code: bytes) -> Address | None:
    """Return the account whose code runs instead, if `code` is a delegation (EIP-7702)."""
    if len(code) == _DELEGATION_SIZE and code.startswith(DELEGATION_PREFIX):
        return Address(code[len(DELEGATION_PREFIX) :])
    return None
