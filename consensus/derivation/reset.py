"""Where to start deriving from, given the L2 blocks that we hold and the L1 that we see now.

Source: specs/protocol/derivation, "Resetting the Pipeline" and "Finding the sync starting point".
"""

from dataclasses import dataclass
from enum import Enum

from consensus.block_refs import L2BlockRef, check_genesis_hash
from consensus.config import CHANNEL_TIMEOUT, RollupConfig
from consensus.derivation.l1_traversal import PipelineStart
from consensus.l1.source import L1NotFound, L1Source
from consensus.l2_source import L2Source
from node.errors import CriticalError, ResetError, TemporaryError
from node.types.block import BlockRef


@dataclass(frozen=True, slots=True)
class SyncStart:
    """The heads that are plausible on the present L1, and where the pipeline begins."""

    unsafe: L2BlockRef
    safe: L2BlockRef
    finalized: L2BlockRef
    pipeline: PipelineStart


class _Standing(Enum):
    """How an L1 origin relates to the present L1 chain."""

    CANONICAL = "canonical"
    ORPHANED = "orphaned"
    AHEAD = "ahead"


async def sync_start(
    config: RollupConfig,
    l1: L1Source,
    l2: L2Source,
    unsafe: L2BlockRef,
    safe: L2BlockRef,
    finalized: L2BlockRef,
) -> SyncStart:
    """Walk back from `unsafe` to heads that L1 does not contradict.

    The safe head goes back by a sequencing window from the newest block with a canonical origin,
    or to `finalized`. CriticalError if L1 contradicts `finalized` or the genesis block, or if the
    L2 blocks do not form a chain; TemporaryError if L1 has not reached the finalized origin yet.
    """
    plausible, anchored = await plausible_heads(l1, l2, unsafe, finalized)
    safe = await _safe_head(config, l2, anchored, safe, finalized)
    start = await pipeline_start(config, l1, l2, safe)
    return SyncStart(plausible, safe, finalized, start)


async def pipeline_start(
    config: RollupConfig, l1: L1Source, l2: L2Source, safe: L2BlockRef
) -> PipelineStart:
    """Return where L1 must be read from to find every channel that may follow `safe`.

    That is the origin of an ancestor at least a channel timeout older than the safe head's origin.
    ResetError if L1 has another block there.
    """
    block = safe
    while (
        block.number > config.genesis.l2.number
        and block.l1_origin.number > config.genesis.l1.number
        and block.l1_origin.number + CHANNEL_TIMEOUT > safe.l1_origin.number
    ):
        block = await _parent(l2, block)
    origin = await l1.block_ref_by_number(block.l1_origin.number)
    if origin.hash != block.l1_origin.hash:
        raise ResetError(
            f"L1 block {origin.number}: expected 0x{block.l1_origin.hash.hex()}, the origin of L2 "
            f"block {block.number}, got 0x{origin.hash.hex()}"
        )
    if block.number == config.genesis.l2.number:
        return PipelineStart(origin, config.genesis.system_config)
    return PipelineStart(origin, await l2.system_config(block.hash))


async def plausible_heads(
    l1: L1Source,
    l2: L2Source,
    unsafe: L2BlockRef,
    finalized: L2BlockRef,
) -> tuple[L2BlockRef, L2BlockRef]:
    """Return the newest block that L1 does not contradict, and the newest that it confirms.

    Both are `unsafe` or ancestors of it; errors are those of `sync_start`.
    Origins of ancestors of a confirmed block are confirmed with it: each was checked to be the L1
    parent of the next when the block was built.
    """
    plausible: L2BlockRef | None = None
    block = unsafe
    standing = await _standing(l1, block.l1_origin)
    while standing is not _Standing.CANONICAL:
        if standing is _Standing.ORPHANED:
            plausible = None
        elif plausible is None:
            plausible = block
        _check_floor(block, finalized, standing)
        parent = await _parent(l2, block)
        if parent.l1_origin != block.l1_origin:
            standing = await _standing(l1, parent.l1_origin)
        block = parent
    return plausible or block, block


async def _safe_head(
    config: RollupConfig,
    l2: L2Source,
    anchored: L2BlockRef,
    safe: L2BlockRef,
    finalized: L2BlockRef,
) -> L2BlockRef:
    block = anchored
    while block.number > finalized.number:
        is_window_behind = (
            block.l1_origin.number + config.seq_window_size < anchored.l1_origin.number
        )
        parent = await _parent(l2, block)
        if block.number <= safe.number and is_window_behind and block.sequence_number == 0:
            return parent
        block = parent
    if block.hash != finalized.hash:
        raise CriticalError(
            f"L2 block {finalized.number} is final as 0x{finalized.hash.hex()}, but the chain of "
            f"the unsafe head holds 0x{block.hash.hex()} there"
        )
    if block.number == config.genesis.l2.number:
        check_genesis_hash(block.hash, config)
    return block


def _check_floor(block: L2BlockRef, finalized: L2BlockRef, standing: _Standing) -> None:
    """Refuse to walk below the finalized block."""
    if block.number > finalized.number:
        return
    origin = block.l1_origin
    if standing is _Standing.AHEAD:
        raise TemporaryError(
            f"L1 has not reached block {origin.number} yet, the origin of the finalized L2 block"
        )
    raise CriticalError(
        f"L1 block {origin.number}: expected 0x{origin.hash.hex()}, the origin of the finalized L2 "
        f"block {block.number}; L1 has another block there"
    )


async def _standing(l1: L1Source, origin: BlockRef) -> _Standing:
    try:
        canonical = await l1.block_ref_by_number(origin.number)
    except L1NotFound:
        return _Standing.AHEAD
    return _Standing.CANONICAL if canonical.hash == origin.hash else _Standing.ORPHANED


async def _parent(l2: L2Source, block: L2BlockRef) -> L2BlockRef:
    """Return the parent, checked to be one: places in epochs follow each other."""
    parent = await l2.ref_by_hash(block.parent_hash)
    if parent.l1_origin == block.l1_origin:
        follows = block.sequence_number == parent.sequence_number + 1
    else:
        steps = block.l1_origin.number - parent.l1_origin.number
        follows = steps == 1 and block.sequence_number == 0
    if not follows:
        raise CriticalError(
            f"L2 block {block.number} (epoch {block.l1_origin.number}, place "
            f"{block.sequence_number}) does not follow its parent (epoch "
            f"{parent.l1_origin.number}, place {parent.sequence_number})"
        )
    return parent
