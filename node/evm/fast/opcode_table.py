"""What is fixed about each opcode of Cancun and Prague: gas, effect on the stack, kind of step.

Gas here is what an opcode costs at least; the rest depends on its operands and is charged where it
runs. A number that is no opcode costs and needs nothing, and ends a segment like INVALID.
"""

from typing import Final

STACK_LIMIT: Final = 1024

STOP: Final = 0x00
ADD: Final = 0x01
ISZERO: Final = 0x15
JUMP: Final = 0x56
JUMPI: Final = 0x57
JUMPDEST: Final = 0x5B
PUSH0: Final = 0x5F
PUSH32: Final = 0x7F
INVALID: Final = 0xFE

_ROWS: tuple[tuple[str, int, int, int], ...] = (
    # opcodes, fixed gas, words taken, words given
    ("00", 0, 0, 0),
    ("01 03 10 11 12 13 14 16 17 18 1a 1b 1c 1d", 3, 2, 1),
    ("02 04 05 06 07 0b", 5, 2, 1),
    ("08 09", 8, 3, 1),
    ("0a", 10, 2, 1),
    ("15 19", 3, 1, 1),
    ("20", 30, 2, 1),
    ("30 32 33 34 36 38 3a 3d 41 42 43 44 45 46 48 4a 58 59 5a 5f", 2, 0, 1),
    ("31 3b 3f", 100, 1, 1),
    ("35 51", 3, 1, 1),
    ("37 39 3e 5e", 3, 3, 0),
    ("3c", 100, 4, 0),
    ("40", 20, 1, 1),
    ("47", 5, 0, 1),
    ("49", 3, 1, 1),
    ("50", 2, 1, 0),
    ("52 53", 3, 2, 0),
    ("54 5c", 100, 1, 1),
    ("55 5d", 100, 2, 0),
    ("56", 8, 1, 0),
    ("57", 10, 2, 0),
    ("5b", 1, 0, 0),
    ("a0", 375, 2, 0),
    ("a1", 2 * 375, 3, 0),
    ("a2", 3 * 375, 4, 0),
    ("a3", 4 * 375, 5, 0),
    ("a4", 5 * 375, 6, 0),
    ("f0", 32_000, 3, 1),
    ("f1 f2", 100, 7, 1),
    ("f3 fd", 0, 2, 0),
    ("f4 fa", 100, 6, 1),
    ("f5", 32_000, 4, 1),
    ("ff", 5_000, 1, 0),
)

FIXED_GAS = [0] * 256
STACK_EFFECTS = [(0, 0)] * 256
"""Words that an opcode takes and gives. A DUP takes what it looks at, and gives one more."""

_defined: set[int] = set()


def _define(opcode: int, gas: int, taken: int, given: int) -> None:
    FIXED_GAS[opcode] = gas
    STACK_EFFECTS[opcode] = (taken, given)
    _defined.add(opcode)


for _opcodes, _gas, _taken, _given in _ROWS:
    for _opcode in bytes.fromhex(_opcodes):
        _define(_opcode, _gas, _taken, _given)
for _size in range(1, 33):
    _define(PUSH0 + _size, 3, 0, 1)
for _depth in range(1, 17):
    _define(0x7F + _depth, 3, _depth, _depth + 1)
    _define(0x8F + _depth, 3, _depth + 1, _depth + 1)

DEFINED = frozenset(_defined)
"""All opcodes, INVALID not among them."""

ENDS = frozenset(range(256)) - DEFINED | frozenset(
    bytes.fromhex("00 56 57 f0 f1 f2 f3 f4 f5 fa fd ff")
)
"""What ends a segment: opcodes that go elsewhere, and those that must know exactly what gas is
left because they hand on a share of it.
"""
