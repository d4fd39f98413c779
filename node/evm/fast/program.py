"""Bytecode, decoded once into segments: runs of opcodes that are entered only at their first.

A segment's fixed gas and its needs of the stack are sums, checked once when it is entered. That is
exact because a segment that cannot pay for all its opcodes fails before its end anyway, and a
failure takes all gas and undoes everything: what remains to find out is the kind of error, and
that is left to the reference (see `handover`).
"""

from typing import Final

from node.evm.code import jump_destinations
from node.evm.fast.opcode_table import (
    ENDS,
    FIXED_GAS,
    ISZERO,
    JUMP,
    JUMPDEST,
    JUMPI,
    PUSH0,
    PUSH32,
    STACK_EFFECTS,
    STACK_LIMIT,
    STOP,
)
from node.evm.fast.steps import Opcode, Place, Step, make_steps, push_value

GOTO: Final = 0x100
"""The end of a segment that goes on with `next`: by a jump, or with the opcode that follows."""
BRANCH: Final = 0x101
"""The end of a segment that pops a word and goes on with `target` unless it is 0."""

BRANCH_UNLESS: Final = 0x102
"""The same for a word that is 0: an ISZERO before it is part of it."""

_LABEL = bytes([JUMPDEST])
_MAX_OPCODES = 256
"""Opcodes of a segment: the loop can be interrupted between segments only."""


class Segment:
    """Steps to run in order, and how they end.

    `gas` is the fixed cost of all opcodes. A stack of `least` to `most` words can run them. `end`
    is the opcode that ends it, or one of the two above; `place` is where that opcode is.
    Program's `next` and `target` find the segments of the same names when they are first needed.
    """

    __slots__ = (
        "end",
        "gas",
        "least",
        "most",
        "next",
        "next_position",
        "place",
        "start",
        "steps",
        "target",
        "target_position",
    )

    def __init__(self, run: "_Run") -> None:
        self.start: Final = run.start
        self.gas: Final = run.gas
        self.least: Final = run.least
        self.most: Final = run.most
        self.steps: tuple[Step, ...] = ()
        self.end = run.end
        self.place: Final = Place(run.stop, FIXED_GAS[run.end] if run.end != GOTO else 0)
        self.next: Segment | None = None
        self.next_position = run.stop if run.end == GOTO else run.stop + 1
        self.target: Segment | None = None
        self.target_position = 0


class _Run:
    """The opcodes of a segment, as they are read."""

    def __init__(self, code: bytes, start: int) -> None:
        self.start = self.stop = start
        self.gas = self.least = 0
        self.most = STACK_LIMIT
        self.end = GOTO
        self.opcodes: list[Opcode] = []
        labels = _labels_in_a_row(code, start)
        if labels > 1:  # all but the last: that begins a segment anyway
            self.gas, self.stop = labels - 1, start + labels - 1
        else:
            self._read(code)

    def _read(self, code: bytes) -> None:
        opcodes, position, size, gas, end = self.opcodes, self.start, len(code), 0, GOTO
        height = least = highest = 0
        while len(opcodes) < _MAX_OPCODES:
            number = code[position] if position < size else STOP
            if number == JUMPDEST and position > self.start:
                break
            taken, given = STACK_EFFECTS[number]
            height -= taken
            if height < -least:
                least = -height
            height += given
            if height > highest:
                highest = height
            if number in ENDS:
                gas, end = gas + FIXED_GAS[number], number
                break
            opcodes.append((number, position, gas))
            gas += FIXED_GAS[number]
            position += number - PUSH0 + 1 if PUSH0 <= number <= PUSH32 else 1
        self.stop, self.gas, self.end = position, gas, end
        self.least, self.most = least, STACK_LIMIT - highest


def _labels_in_a_row(code: bytes, start: int) -> int:
    """Count the JUMPDESTs at `start`; up to the most opcodes of a segment."""
    row = code[start : start + _MAX_OPCODES]
    return len(row) - len(row.lstrip(_LABEL))


class Program:
    """One code, and what of it has been decoded so far: only what runs. Threads may share it."""

    def __init__(self, code: bytes) -> None:
        self.code: Final = code
        self._jump_destinations = jump_destinations(code)
        self._segments: dict[int, Segment] = {}
        self.destinations: Final[dict[int, Segment]] = {}
        """What has been jumped to so far, by position; `destination` adds the rest."""

    def begin(self) -> Segment:
        """Return the segment that the code begins with."""
        return self._at(0)

    def destination(self, position: int) -> Segment | None:
        """Return the segment that begins with the JUMPDEST at `position`, None if there is none."""
        if not self._is_destination(position):
            return None
        segment = self.destinations[position] = self._at(position)
        return segment

    def next(self, segment: Segment) -> Segment:
        """Return the segment that `segment` goes on with, where it does not jump."""
        found = segment.next
        if found is None:
            found = segment.next = self._at(segment.next_position)
        return found

    def target(self, segment: Segment) -> Segment:
        """Return the segment that a BRANCH leads to."""
        found = segment.target
        if found is None:
            found = segment.target = self._at(segment.target_position)
        return found

    def _at(self, position: int) -> Segment:
        segment = self._segments.get(position)
        if segment is None:
            segment = self._segments[position] = self._decode(position)
        return segment

    def _is_destination(self, position: int) -> bool:
        return position < len(self.code) and self._jump_destinations[position] == 1

    def _decode(self, start: int) -> Segment:
        run = _Run(self.code, start)
        segment, opcodes = Segment(run), run.opcodes
        if run.end in (JUMP, JUMPI) and opcodes and PUSH0 <= opcodes[-1][0] <= PUSH32:
            position = push_value(self.code, opcodes[-1])
            if self._is_destination(position):
                opcodes.pop()
                if run.end == JUMP:
                    segment.end, segment.next_position = GOTO, position
                else:
                    segment.end, segment.target_position = BRANCH, position
                    if opcodes and opcodes[-1][0] == ISZERO:
                        opcodes.pop()
                        segment.end = BRANCH_UNLESS
        segment.steps = make_steps(self.code, opcodes, run.gas)
        return segment
