"""The steps of a segment: opcodes as the loop runs them, each with one operand found beforehand.

Opcodes that differ only in a constant are one kind of step: all PUSHes (and CODESIZE and PC), all
DUPs, all SWAPs, all reads of what is fixed for a frame, and rare ones that are a function each. A
kind has the number of one of its opcodes. Frequent pairs are kinds with numbers that no other has:
most are an opcode whose top operand was pushed just before it.

The operand of a step that can fail says where to go on in order to find out how: it is that
position, or a pair of which it is the second.
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

from node.evm.fast.opcode_table import ENDS, FIXED_GAS, JUMPDEST, PUSH0, PUSH32, STACK_EFFECTS
from node.evm.fast.rare import RARE
from node.evm.fast.word_functions import IN_LOOP, OF_ONE, OF_THREE, OF_TWO

Step = tuple[int, Any]
"""A step's number and operand. An operand has one of several types, by the number."""

PUSH: Final = 0x60
DUP: Final = 0x80
SWAP: Final = 0x90
PUSH_SEVERAL: Final = 0xA0
SWAP_POP: Final = 0x91
CONTEXT: Final = 0x30
FUNCTION_OF_TWO: Final = 0x05
FUNCTION_OF_THREE: Final = 0x08
RARE_STEP: Final = 0x31
GAS: Final = 0x5A
SSTORE: Final = 0x55
POP: Final = 0x50

WITH_CONSTANT: Final = {
    0x01: 0x1E,  # ADD
    0x16: 0x1F,  # AND
    0x03: 0x1D,  # SUB
    0x14: 0x1A,  # EQ
    0x1B: 0x18,  # SHL
    0x1C: 0x13,  # SHR
    0x51: 0x5C,  # MLOAD
    0x52: 0x5D,  # MSTORE
}
"""The number of an opcode together with a PUSH of its top operand. Those are numbers of opcodes
that are a function each, so that no step has them otherwise.
"""

CODESIZE: Final = 0x38

_PC = 0x58
_DUP1, _SWAP1, _SWAP16 = 0x80, 0x90, 0x9F
_CONTEXT = bytes.fromhex("30 33 34 36 32 3a 41 42 43 44 45 46 48 4a")
"""Opcodes in the order of a frame's context."""
_INFALLIBLE = bytes.fromhex("01 02 03 04 10 11 14 15 16 17 19 1b 1c 35 3d 50 59")
"""Opcodes that cannot fail once their segment has begun, and have no operand in the code."""


class Sort(IntEnum):
    """How an opcode becomes a step."""

    PUSH = 0
    SAME = 1
    """Its step is the same wherever it is."""
    LABEL = 2
    END = 3
    WORDS = 4
    """As SAME, but it is a function of words: what was pushed just before can be part of it."""
    PLACED = 5
    """Its operand is its place."""
    PLACED_CONSTANT = 6
    """As PLACED, or its constant top operand and its place."""
    FUNCTION = 7
    READS_GAS = 8
    """It must know what gas is left: its operand has the fixed gas of what comes before it."""
    READS_PLACE = 9
    POP = 10


class Sorted(NamedTuple):
    """An opcode as decoding sees it. A PUSH takes no words; `taken` is then the size of its data.

    `step` is the opcode's number where it is not the same everywhere.
    """

    sort: int
    gas: int
    taken: int
    given: int
    step: Any


def _same_everywhere(number: int) -> Step | None:
    """Return the step of an opcode that is the same in any code, None if there is none."""
    if _DUP1 <= number < _SWAP1:
        return DUP, _DUP1 - number - 1
    if _SWAP1 <= number <= _SWAP16:
        return SWAP, _SWAP1 - number - 2
    if number in OF_TWO:
        return FUNCTION_OF_TWO, OF_TWO[number]
    if number in OF_THREE:
        return FUNCTION_OF_THREE, OF_THREE[number]
    if number in _CONTEXT:
        return CONTEXT, _CONTEXT.index(number)
    return (number, None) if number in _INFALLIBLE else None


def _sort(number: int) -> Sort:
    if PUSH0 <= number <= PUSH32:
        return Sort.PUSH
    if number == JUMPDEST:
        return Sort.LABEL
    if number in ENDS:
        return Sort.END
    if number in (_PC, CODESIZE):
        return Sort.READS_PLACE
    if number in (GAS, SSTORE):
        return Sort.READS_GAS
    if number in RARE:
        return Sort.FUNCTION
    if number in IN_LOOP or number in OF_TWO or number in OF_ONE:
        return Sort.WORDS
    if number == POP:
        return Sort.POP
    if _same_everywhere(number) is not None:
        return Sort.SAME
    return Sort.PLACED_CONSTANT if number in WITH_CONSTANT else Sort.PLACED


def _sorted(number: int) -> Sorted:
    sort, (taken, given) = _sort(number), STACK_EFFECTS[number]
    step: Any = _same_everywhere(number)
    if sort == Sort.PUSH:
        taken = number - PUSH0
    if step is None:
        step = number
    return Sorted(int(sort), FIXED_GAS[number], taken, given, step)


SORTED: Final = tuple(tuple(_sorted(number)) for number in range(256))
"""By opcode; plain tuples, which are faster."""
