"""Bytecode, decoded as it runs. Threads may share a program."""

from typing import Final

from node.evm.fast.boundaries import Boundaries
from node.evm.fast.opcode_table import JUMPDEST
from node.evm.fast.segment import PADDING, Segment, decode

_SEGMENT_BYTES = 400
_STEP_BYTES = 90
_POSITION_BYTES = 100
VISITS_TO_KEEP = 4


class Ledger:
    """Counts what programs that are kept together take, in bytes of memory, roughly."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


class Program:
    """One code, and what of it has been decoded: only what runs, and has run before."""

    def __init__(
        self, code: bytes, boundaries: Boundaries | None = None, ledger: Ledger | None = None
    ) -> None:
        self.size: Final = len(code)
        self.boundaries: Final = boundaries or Boundaries()
        self.bytes = 2 * len(code) + _SEGMENT_BYTES
        self._code: Final = code + PADDING
        self._segments: Final[dict[int, Segment]] = {}
        # How often each position has been decoded: all are where an opcode begins.
        self._visits: Final[dict[int, int]] = {}
        self.destinations: Final[dict[int, Segment]] = {}
        """What has been jumped to so far, by position; `destination` adds the rest."""
        self.count_in(ledger or Ledger())

    def count_in(self, ledger: Ledger) -> None:
        """Add what this takes, and from now on what it takes more, to a ledger."""
        ledger.bytes += self.bytes
        self._ledger = ledger

    def begin(self) -> Segment:
        """Return the segment that the code begins with."""
        return self._segments.get(0) or self._new(0)

    def destination(self, position: int) -> Segment | None:
        """Return the segment that begins with the JUMPDEST at `position`, None if there is none."""
        found = self._segments.get(position)
        if not self._is_destination(position):
            return None
        if found is None:
            return self._new(position)
        self.destinations[position] = found
        return found

    def next(self, segment: Segment) -> Segment:
        """Return the segment that `segment` goes on with, where it does not jump."""
        found = self._segments.get(segment.next_position)
        if found is None:
            return self._new(segment.next_position)
        segment.next = found
        return found

    def target(self, segment: Segment) -> Segment:
        """Return the segment that a BRANCH leads to."""
        found = self._segments.get(segment.target_position)
        if found is None:
            return self._new(segment.target_position)
        segment.target = found
        return found

    def _new(self, position: int) -> Segment:
        """Decode a segment, and keep it if it runs more often than a few times.

        Much code does not. What is not kept costs neither memory nor time to look after it, which
        is as much as to decode it again.
        """
        segment = self._decode(position)
        visits = self._visits.get(position, 0) + 1
        self._visits[position] = visits
        size = _POSITION_BYTES if visits == 1 else 0
        if visits >= VISITS_TO_KEEP:
            self._segments[position] = segment
            size = _SEGMENT_BYTES + _STEP_BYTES * len(segment.steps)
        self.bytes += size
        self._ledger.bytes += size
        return segment

    def _is_destination(self, position: int) -> bool:
        return (
            position < self.size
            and self._code[position] == JUMPDEST
            and (position in self._visits or self.boundaries.is_opcode(self._code, position))
        )

    def _decode(self, start: int) -> Segment:
        # PUSH data may reach beyond the end, where all is STOP.
        return decode(self._code, min(start, self.size), self._is_destination)
