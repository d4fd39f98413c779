"""Which L1 block the next L2 block belongs to (spec "Sequencer"; op-node's origin selector)."""

from dataclasses import dataclass

from consensus.block_refs import L1BlockRef, L2BlockRef


@dataclass(frozen=True, slots=True)
class OriginChoice:
    """The origin of the next L2 block; `deposits_only` if no batch could carry transactions."""

    origin: L1BlockRef
    deposits_only: bool


@dataclass(frozen=True, slots=True)
class NoOrigin:
    """There cannot be a next block yet; `reason` says what L1 still has to show."""

    reason: str


def choose_origin(
    parent: L2BlockRef,
    current: L1BlockRef,
    next_origin: L1BlockRef | None,
    *,
    block_time: int,
    max_drift: int,
) -> OriginChoice | NoOrigin:
    """Choose between the parent's origin and the L1 block after it, None while it is unknown.

    Times are in seconds. The next origin is taken as soon as its time has come. Until then the
    current one serves, but transactions only for `max_drift` after its own time: past that, a
    block without them is valid only if the next origin is known and later than the block.
    """
    timestamp = parent.timestamp + block_time
    if next_origin is not None and timestamp >= next_origin.timestamp:
        return OriginChoice(next_origin, timestamp > next_origin.timestamp + max_drift)
    if timestamp <= current.timestamp + max_drift:
        return OriginChoice(current, deposits_only=False)
    if next_origin is not None:
        return OriginChoice(current, deposits_only=True)
    return NoOrigin(
        f"time {timestamp} is more than {max_drift} s after L1 block {current.number} "
        f"({current.timestamp}), and L1 block {current.number + 1} is not known yet"
    )


def confirmed(candidate: L1BlockRef | None, head: L1BlockRef, depth: int) -> L1BlockRef | None:
    """Return the L1 block if at least `depth` blocks lie on it, None otherwise."""
    if candidate is None or candidate.number + depth > head.number:
        return None
    return candidate
