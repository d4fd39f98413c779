"""The steps of a segment: opcodes as the loop runs them, each with one operand found beforehand.

Opcodes that differ only in a constant are one kind of step: all PUSHes (and CODESIZE and PC), all
DUPs, all SWAPs, all reads of what is fixed for a frame, and rare ones that are a function each. A
kind has the number of one of its opcodes. Frequent pairs are kinds with numbers that no other has.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from node.evm.fast.opcode_table import ADD, FIXED_GAS, JUMPDEST, PUSH0, PUSH32
from node.evm.fast.rare import RARE
from node.evm.fast.word_functions import OF_THREE, OF_TWO

Step = tuple[int, Any]
"""A step's number and operand. An operand has one of several types, by the number."""

PUSH: Final = 0x60
DUP: Final = 0x80
SWAP: Final = 0x90
PUSH_SEVERAL: Final = 0xA0
PUSH_ADD: Final = 0x1E
CONTEXT: Final = 0x30
FUNCTION_OF_TWO: Final = 0x05
FUNCTION_OF_THREE: Final = 0x08
RARE_STEP: Final = 0x31
GAS: Final = 0x5A

_PC, _CODESIZE = 0x58, 0x38
_DUP1, _SWAP1, _SWAP16 = 0x80, 0x90, 0x9F
_CONTEXT = bytes.fromhex("30 33 34 36 32 3a 41 42 43 44 45 46 48 4a")
"""Opcodes in the order of a frame's context."""
_INFALLIBLE = bytes.fromhex("01 02 03 04 10 11 14 15 16 17 19 1b 1c 35 3d 50 59 5b")
"""Opcodes that cannot fail once their segment has begun, and have no operand in the code."""


Opcode = tuple[int, int, int]
"""An opcode, where it is, and the fixed gas of what comes before it in its segment."""


class Place(NamedTuple):
    """Where an opcode is, and what was charged too early when it runs: its own fixed gas and that
    of all that follows in its segment. `function` does the work of a rare opcode.
    """

    position: int
    gas_ahead: int
    function: Callable[[Any, int], int] | None = None


def make_steps(code: bytes, opcodes: Sequence[Opcode], gas: int) -> tuple[Step, ...]:
    """Return the steps of a segment that costs `gas`."""
    steps: list[Step] = []
    for opcode in opcodes:
        number = opcode[0]
        step = _SAME_EVERYWHERE[number] or _step(code, opcode, gas)
        if steps and (number == ADD or step[0] == PUSH):
            _join(steps, step)
        elif number != JUMPDEST:
            steps.append(step)
    return tuple(steps)


def _join(steps: list[Step], step: Step) -> None:
    """Append a step, or let it and the one before be one."""
    number, operand = step
    before, operand_before = steps[-1]
    if number == PUSH and before == PUSH:
        steps[-1] = PUSH_SEVERAL, [operand_before, operand]
    elif number == PUSH and before == PUSH_SEVERAL:
        operand_before.append(operand)
    elif number == ADD and before == PUSH:
        steps[-1] = PUSH_ADD, operand_before
    else:
        steps.append(step)


def push_value(code: bytes, opcode: Opcode) -> int:
    """Return what a PUSH pushes; beyond its end the code is zeros."""
    number, position, _ = opcode
    size = number - PUSH0
    data = code[position + 1 : position + 1 + size]
    return int.from_bytes(data, "big") << (8 * (size - len(data)))


def _step(code: bytes, opcode: Opcode, gas: int) -> Step:
    number, position, gas_before = opcode
    if PUSH0 <= number <= PUSH32:
        return PUSH, push_value(code, opcode)
    if number == _CODESIZE:
        return PUSH, len(code)
    if number == _PC:
        return PUSH, position
    if number == GAS:
        return GAS, gas - gas_before - FIXED_GAS[GAS]
    if number in RARE:
        return RARE_STEP, Place(position, gas - gas_before, RARE[number])
    return number, Place(position, gas - gas_before)


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


_SAME_EVERYWHERE = [_same_everywhere(number) for number in range(256)]
