"""Segments: runs of opcodes that are entered only at their first.

A segment's fixed gas and its needs of the stack are sums, checked once when it is entered. That is
exact because a segment that cannot pay for all its opcodes fails before its end anyway, and a
failure takes all gas and undoes everything: what remains to find out is the kind of error, and
that is left to the reference (see `handover`).

JUMPDESTs do not end a segment, so segments may overlap. Decoding one is never for nothing: it
runs, and is paid, or takes all the gas of its frame.
"""

from collections.abc import Callable
from typing import Any, Final

from node.evm.fast.opcode_table import ISZERO, JUMP, JUMPI, PUSH0, STACK_LIMIT
from node.evm.fast.rare import RARE
from node.evm.fast.steps import (
    CODESIZE,
    FUNCTION_OF_TWO,
    PUSH,
    PUSH_SEVERAL,
    RARE_STEP,
    SORTED,
    SWAP,
    SWAP_POP,
    WITH_CONSTANT,
    Sort,
    Step,
)
from node.evm.fast.word_functions import IN_LOOP, OF_ONE

GOTO: Final = 0x100
"""The end of a segment that goes on with `next`: by a jump, or with the opcode that follows."""
BRANCH: Final = 0x101
"""The end of a segment that pops a word and goes on with `target` unless it is 0."""
BRANCH_UNLESS: Final = 0x102
"""The same for a word that is 0: an ISZERO before it is part of it."""

MAX_OPCODES: Final = 64
"""Opcodes of a segment. Who calls code with too little gas has it decoded for the price of a call,
and the loop can be interrupted between segments only.
"""
PADDING: Final = bytes(34)
"""Zeros, behind the code that is decoded: beyond its end it reads as STOPs and empty PUSH data."""

_MOST = range(MAX_OPCODES)


class Segment:
    """Steps to run in order, and how they end.

    `gas` is the fixed cost of all opcodes. A stack of `least` to `most` words can run them. `end`
    is the opcode that ends it, or one of the three above; `stop` is where that opcode is.
    Program's `next` and `target` find the segments of the same names when they are first needed.
    """

    __slots__ = (
        "end",
        "gas",
        "least",
        "most",
        "next",
        "next_position",
        "start",
        "steps",
        "stop",
        "target",
        "target_position",
    )

    def __init__(self, start: int, stop: int, end: int, gas: int, least: int, most: int) -> None:
        self.start = start
        self.stop = stop
        self.end = end
        self.gas = gas
        self.least = least
        self.most = most
        self.steps: tuple[Step, ...] = ()
        self.next: Segment | None = None
        self.next_position = stop if end == GOTO else stop + 1
        self.target: Segment | None = None
        self.target_position = 0


def decode(
    code: bytes, start: int, is_destination: Callable[[int], bool], most: range = _MOST
) -> Segment:
    """Decode the segment that begins at `start`, of at most as many opcodes as `most`.

    `code` is followed by the padding. Constants that are pushed wait for what takes them: it may
    be one step with them, or become a constant itself.
    """
    steps: list[Step] = []
    constants: list[int] = []
    position, push, gas, end = start, start, 0, GOTO
    height = lowest = highest = 0
    for _ in most:
        sort, cost, taken, given, step = SORTED[code[position]]
        if sort == 0:  # PUSH
            push = position
            position += 1 + taken
            constants.append(int.from_bytes(code[push + 1 : position], "big"))
            gas += cost
            height += 1
            if height > highest:
                highest = height
            continue
        height -= taken
        if height < lowest:
            lowest = height
        height += given
        if height > highest:
            highest = height
        if sort == 1:  # the same everywhere
            if constants:
                _push(steps, constants)
            steps.append(step)
        elif sort == 3:  # an end
            gas += cost
            end = step
            break
        elif sort != 2:  # not a JUMPDEST
            _APPEND[sort](steps, constants, step, (gas, position, push, code))
        position += 1
        gas += cost
    segment = Segment(start, position, end, gas, -lowest, STACK_LIMIT - highest)
    if constants:
        if end in (JUMP, JUMPI) and is_destination(constants[-1]):
            _resolve(segment, steps, constants)
        _push(steps, constants)
    segment.steps = tuple(steps)
    return segment


def _push(steps: list[Step], constants: list[int]) -> None:
    """Append a step that pushes what is still to be pushed."""
    if len(constants) == 1:
        steps.append((PUSH, constants.pop()))
    elif constants:
        steps.append((PUSH_SEVERAL, tuple(constants)))
        constants.clear()


def _resolve(segment: Segment, steps: list[Step], constants: list[int]) -> None:
    """Make a jump to a known place part of a segment's end."""
    position = constants.pop()
    if segment.end == JUMP:
        segment.end, segment.next_position = GOTO, position
        return
    segment.end, segment.target_position = BRANCH, position
    if not constants and steps and steps[-1][0] == ISZERO:
        steps.pop()
        segment.end = BRANCH_UNLESS


_Place = tuple[int, int, int, bytes]
"""The fixed gas of what comes before an opcode, where that is, where the last PUSH is; the code."""


def _append_words(steps: list[Step], constants: list[int], step: Step, place: _Place) -> None:
    """Append a function of words, or what it is of constants."""
    number, function = step
    if constants:
        if number in OF_ONE:
            constants.append(OF_ONE[number](constants.pop()))
            return
        if len(constants) > 1:
            function = function if number == FUNCTION_OF_TWO else IN_LOOP[number]
            constants.append(function(constants.pop(), constants.pop()))
            return
        if number in WITH_CONSTANT:
            step = WITH_CONSTANT[number], constants.pop()
        else:
            _push(steps, constants)
    steps.append(step)


def _append_placed(steps: list[Step], constants: list[int], number: int, place: _Place) -> None:
    """Append an opcode with its place, so that it is known where it fails."""
    _push(steps, constants)
    steps.append((number, place[1]))


def _append_at_constant(
    steps: list[Step], constants: list[int], number: int, place: _Place
) -> None:
    """Append an opcode with its constant operand, if a PUSH is just before it.

    Where to go on, should it fail, is then before the PUSH.
    """
    _, position, push, code = place
    if not constants or push + code[push] - PUSH0 + 1 != position:
        _append_placed(steps, constants, number, place)
        return
    offset = constants.pop()
    _push(steps, constants)
    steps.append((WITH_CONSTANT[number], (offset, push)))


def _append_rare(steps: list[Step], constants: list[int], number: int, place: _Place) -> None:
    _push(steps, constants)
    steps.append((RARE_STEP, (RARE[number], place[1])))


def _append_gas(steps: list[Step], constants: list[int], number: int, place: _Place) -> None:
    """Append what must know the gas that is left."""
    _push(steps, constants)
    steps.append((number, (place[0], place[1])))


def _append_position(steps: list[Step], constants: list[int], number: int, place: _Place) -> None:
    """Let PC or CODESIZE be a constant."""
    _, position, _, code = place
    constants.append(len(code) - len(PADDING) if number == CODESIZE else position)


def _append_pop(steps: list[Step], constants: list[int], step: Step, place: _Place) -> None:
    """Append a POP, or have it in what comes before it."""
    if constants:
        constants.pop()
    elif steps and steps[-1][0] == SWAP:
        steps[-1] = SWAP_POP, steps[-1][1] + 1
    else:
        steps.append(step)


_APPEND: dict[int, Callable[[list[Step], list[int], Any, _Place], None]] = {
    int(Sort.WORDS): _append_words,
    int(Sort.PLACED): _append_placed,
    int(Sort.PLACED_CONSTANT): _append_at_constant,
    int(Sort.FUNCTION): _append_rare,
    int(Sort.READS_GAS): _append_gas,
    int(Sort.READS_PLACE): _append_position,
    int(Sort.POP): _append_pop,
}
