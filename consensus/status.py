"""What a rollup node knows, in the terms of optimism_syncStatus."""

from dataclasses import dataclass

from consensus.block_refs import L1BlockRef, L2BlockRef


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """Heads of both layers, under the names of op-node's RPC; None while L1 has not told.

    `current_l1` is how far derivation has read, `current_l1_finalized` an older name for
    `finalized_l1`. Without interop `cross_unsafe_l2` and `local_safe_l2` are `unsafe_l2` and
    `safe_l2`. So is `pending_safe_l2`: since Holocene each block of a span batch becomes safe by
    itself (spec "Span Batch Validity").
    """

    current_l1: L1BlockRef | None
    current_l1_finalized: L1BlockRef | None
    head_l1: L1BlockRef | None
    safe_l1: L1BlockRef | None
    finalized_l1: L1BlockRef | None
    unsafe_l2: L2BlockRef
    safe_l2: L2BlockRef
    finalized_l2: L2BlockRef
    pending_safe_l2: L2BlockRef
    cross_unsafe_l2: L2BlockRef
    local_safe_l2: L2BlockRef
