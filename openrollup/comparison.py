"""Is what the verifier derived from L1 what the sequencer built?"""

import logging

from node.errors import CriticalError
from node.reader import Reader
from node.types.primitives import BlockNumber

_log = logging.getLogger(__name__)


class Divergence(CriticalError):
    """Two nodes hold different finalized blocks at one height."""


class Comparison:
    """Compares the safe chains of two nodes. Blocks name their parents: equal tops, equal chains.

    While L1 reorganizes, one node may have followed before the other: different safe blocks are
    told once, and only finalized ones, which nothing replaces, are a divergence.
    """

    def __init__(self, sequencer: Reader, verifier: Reader) -> None:
        self._sequencer = sequencer
        self._verifier = verifier
        self._equal_to = 0
        self._final_to = 0
        self._is_difference_told = False

    @property
    def equal_to(self) -> int:
        """The highest block that both hold as safe and that is the same."""
        return self._equal_to

    def advance(self) -> None:
        """Compare what both hold by now; Divergence names the first block that differs."""
        ours, theirs = self._sequencer.heads(), self._verifier.heads()
        final = min(ours.finalized.number, theirs.finalized.number)
        if not self._is_same(final):
            raise Divergence(self._difference(self._last_equal(self._final_to, final) + 1))
        self._final_to = final
        safe = min(ours.safe.number, theirs.safe.number)
        is_same = self._is_same(safe)
        self._equal_to = safe if is_same else self._last_equal(final, safe)
        if not is_same and not self._is_difference_told:
            _log.warning(
                "%s; they agree again if this is an L1 reorg", self._difference(self._equal_to + 1)
            )
        self._is_difference_told = not is_same

    def _is_same(self, number: int) -> bool:
        built = self._sequencer.canonical_hash(BlockNumber(number))
        return built is not None and built == self._verifier.canonical_hash(BlockNumber(number))

    def _last_equal(self, equal: int, different: int) -> int:
        while different - equal > 1:
            middle = (equal + different) // 2
            equal, different = (middle, different) if self._is_same(middle) else (equal, middle)
        return equal

    def _difference(self, number: int) -> str:
        built = self._sequencer.canonical_hash(BlockNumber(number)) or b""
        derived = self._verifier.canonical_hash(BlockNumber(number)) or b""
        return f"block {number}: the sequencer has 0x{built.hex()}, L1 gives 0x{derived.hex()}"
