"""Where derivation goes on after a restart or an L1 reorg, so that it comes to the same again.

What a batch is worth depends on the safe head at the time when its L1 block was read: one that came
too early was dropped, and would be taken if it were read again with a later safe head. So with each
safe head the store keeps the L1 block that it came from. Derivation goes on behind the last L1
block but one of those: all of that had been read when the next safe head came. Earlier blocks are
read for the frames of channels that were still open, and their batches are passed over.
"""

from dataclasses import dataclass, replace

from consensus.block_refs import L2BlockRef
from consensus.config import RollupConfig
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.reset import pipeline_start, plausible_heads, sync_start
from consensus.l1.source import L1NotFound, L1Source
from consensus.l2_chain import L2Chain
from node.reader import Reader
from node.safe_heads import SafeHead, safe_head_at
from node.types.block import BlockRef

_NEWEST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Resumption:
    """The heads that L1 supports, and where the pipeline begins.

    `derived_from` is the L1 block of the safe head, if it is known. The pipeline derives the
    children of `parent`, the safe head or an ancestor of it: what lies between comes out again.
    """

    unsafe: L2BlockRef
    safe: L2BlockRef
    derived_from: BlockRef | None
    parent: L2BlockRef
    pipeline: PipelineStart


class Resumer:
    """Compares what is stored with L1 as it is now."""

    def __init__(self, config: RollupConfig, l1: L1Source, l2: L2Chain, reader: Reader) -> None:
        self._config = config
        self._l1 = l1
        self._l2 = l2
        self._reader = reader

    async def resume(self) -> Resumption:
        """Return where to go on: at the newest safe head that came from a canonical L1 block.

        Without one that is not older than the finalized head, the safe head goes back as the spec
        says. Errors are those of `sync_start`.
        """
        heads = self._reader.heads()
        unsafe, safe, finalized = [
            await self._l2.ref_by_hash(ref.hash)
            for ref in (heads.unsafe, heads.safe, heads.finalized)
        ]
        standing = await self._newest_canonical(finalized.number)
        if standing is None:
            start = await sync_start(self._config, self._l1, self._l2, unsafe, safe, finalized)
            return Resumption(start.unsafe, start.safe, None, start.safe, start.pipeline)
        unsafe, _ = await plausible_heads(self._l1, self._l2, unsafe, finalized)
        safe = await self._l2.ref_by_hash(standing.l2_block.hash)
        before = self._safe_head_at(standing.derived_from.number - 1)
        if before is None:
            return await self._from_the_first(unsafe, safe, standing)
        parent = await self._l2.ref_by_hash(before.l2_block.hash)
        pipeline = await self._pipeline(parent, before.derived_from.number)
        return Resumption(unsafe, safe, standing.derived_from, parent, pipeline)

    async def is_canonical(self, block: BlockRef) -> bool:
        """Whether L1 has this block now."""
        try:
            found = await self._l1.block_ref_by_number(block.number)
        except L1NotFound:
            return False
        return found.hash == block.hash

    async def _from_the_first(
        self, unsafe: L2BlockRef, safe: L2BlockRef, first: SafeHead
    ) -> Resumption:
        """Go on where nothing is stored before `first`: at the genesis block, if that is why."""
        genesis, origin = self._config.genesis, first.derived_from
        if origin.number <= genesis.l1.number + self._config.seq_window_size + 1:
            parent = await self._l2.ref_by_hash(genesis.l2.hash)
            return Resumption(unsafe, safe, origin, parent, await self._pipeline(parent, 0))
        pipeline = await self._pipeline(safe, origin.number - 1)
        return Resumption(unsafe, safe, origin, safe, pipeline)

    async def _pipeline(self, parent: L2BlockRef, judged_to: int) -> PipelineStart:
        start = await pipeline_start(self._config, self._l1, self._l2, parent)
        return replace(start, judged_to=judged_to)

    async def _newest_canonical(self, lowest: int) -> SafeHead | None:
        entry = self._safe_head_at(_NEWEST)
        while entry is not None and entry.l2_block.number >= lowest:
            if await self.is_canonical(entry.derived_from):
                return entry
            entry = self._safe_head_at(entry.derived_from.number - 1)
        return None

    def _safe_head_at(self, l1_number: int) -> SafeHead | None:
        with self._reader.snapshot() as snapshot:
            return safe_head_at(snapshot, l1_number)
