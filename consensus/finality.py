"""Which safe L2 block is final, given which L1 block is (spec "Finalization")."""

from collections import deque
from dataclasses import dataclass

from node.types.block import BlockRef

L1_BLOCKS_KEPT = 1024
"""Derived-from blocks remembered: eight times what finality lags behind on Ethereum."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """A safe L2 block and the L1 block that its data was complete with."""

    l2_block: BlockRef
    derived_from: BlockRef


class FinalityTracker:
    """The newest safe block of each L1 block that data came from, oldest first."""

    def __init__(self) -> None:
        self._derivations: deque[Derivation] = deque(maxlen=L1_BLOCKS_KEPT)

    def record(self, l2_block: BlockRef, derived_from: BlockRef) -> None:
        """Remember a new safe head. Numbers never go down between two resets."""
        newest = self._derivations[-1] if self._derivations else None
        if newest is not None and newest.derived_from == derived_from:
            self._derivations.pop()
        self._derivations.append(Derivation(l2_block, derived_from))

    def reset(self, safe: BlockRef, derived_from: BlockRef | None) -> None:
        """Forget what lies above `safe`, which came from `derived_from` (None: not known)."""
        while self._derivations and self._derivations[-1].l2_block.number > safe.number:
            self._derivations.pop()
        if derived_from is not None and not self._derivations:
            self._derivations.append(Derivation(safe, derived_from))

    def final(self, l1_finalized: BlockRef) -> Derivation | None:
        """Return the newest safe block derived from L1 blocks up to the finalized one.

        Whether its `derived_from` is the canonical block of that number is left to the caller.
        """
        for derivation in reversed(self._derivations):
            if derivation.derived_from.number <= l1_finalized.number:
                return derivation
        return None
