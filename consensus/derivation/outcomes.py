"""What a stage answers when it has nothing to give."""

from dataclasses import dataclass

from consensus.block_refs import L1BlockRef


@dataclass(frozen=True, slots=True)
class Drained:
    """All of L1 up to and including `current_l1` is used up: the pipeline may advance."""

    current_l1: L1BlockRef


@dataclass(frozen=True, slots=True)
class NeedsL1:
    """L1 has no block after `current_l1` yet: wait for it."""

    current_l1: L1BlockRef
