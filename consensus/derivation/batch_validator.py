"""Sixth stage: accepts the batch that continues the safe chain, or makes up an empty one.

Source: specs/protocol/holocene/derivation, "Batch Queue"; the forced empty batches of an expired
sequencing window are in specs/protocol/derivation.
"""

import asyncio
import logging
from collections.abc import Iterator

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.codec.batch import SingularBatch
from consensus.codec.span_batch import SpanBatch, SpanBlock
from consensus.config import RollupConfig
from consensus.derivation.batch_rules import Judgement, Verdict, judge_batch
from consensus.derivation.channel_reader import ChannelReader
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained
from consensus.derivation.span_rules import judge_span, judge_span_place, span_overlap
from consensus.l2_source import L2Source
from node.errors import CriticalError, ResetError
from node.types.block import BlockRef
from node.types.primitives import ZERO_HASH, BlockNumber

_log = logging.getLogger(__name__)


class BatchValidator:
    """Yields the next batch on top of a given parent.

    Keeps the L1 blocks from the parent's epoch to the current one: they are the epochs that the
    next blocks may belong to, and of a span batch that has been begun, the blocks still to come.
    """

    def __init__(
        self, config: RollupConfig, l2: L2Source, previous: ChannelReader, *, judged_to: int = 0
    ) -> None:
        self._config = config
        self._l2 = l2
        self._previous = previous
        self._span: Iterator[SpanBlock] = iter(())
        self._upcoming: SpanBlock | None = None
        self._judged_to = judged_to
        self._epochs: list[L1BlockRef] = []
        self._seen_l1: L1BlockRef | None = None

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_batch(self, parent: L2BlockRef) -> SingularBatch | Drained:
        """Return the batch after `parent`: from L1, or empty where the window has run out."""
        self._update_epochs(parent)
        if self.current_l1.number <= parent.l1_origin.number:
            # A batch counts only in an L1 block after its parent's origin.
            return await self._discard_all()
        self._check_epochs(parent)
        if self.current_l1.number <= self._judged_to:
            drained = await self._discard_all()
            self._forced_batch(parent)  # there was none, but maybe an epoch came to its end
            return drained
        while True:
            batch = self._next_of_span(parent) or await self._previous.next_batch()
            if isinstance(batch, Drained):
                forced = self._forced_batch(parent)
                return batch if forced is None else forced
            if isinstance(batch, SpanBatch):
                await self._begin_span(parent, batch)
            elif self._accepts(parent, batch):
                return batch
            # A channel may hold a million past batches; other tasks must get their turn.
            await asyncio.sleep(0)

    def flush(self) -> None:
        """Drop what is left of the span and the channel that the last batch came from."""
        self._forget_span()
        self._previous.flush()

    def reset(self, start: PipelineStart) -> None:
        """Forget all L1 blocks, and the span that has been begun."""
        self._forget_span()
        self._judged_to = start.judged_to
        self._epochs = []
        self._seen_l1 = None
        self._previous.reset(start)

    def _accepts(self, parent: L2BlockRef, batch: SingularBatch) -> bool:
        judgement = judge_batch(self._config, self._epochs, parent, batch, self.current_l1)
        if judgement.verdict is Verdict.ACCEPT:
            return True
        if judgement.verdict is Verdict.UNDECIDED:
            raise CriticalError(
                f"batch for L2 block {parent.number + 1}: expected to know the L1 block after "
                f"epoch {self._epochs[0].number} here; {judgement.reason}"
            )
        self._pass_over(parent, "batch", judgement)
        return False

    def _pass_over(self, parent: L2BlockRef, kind: str, judgement: Judgement) -> None:
        """Log why a batch is not taken; an invalid one takes the rest of its channel with it."""
        # After a restart all batches since the safe head's channel timeout are past: no news.
        level = logging.DEBUG if judgement.verdict is Verdict.PAST else logging.WARNING
        number, verdict = parent.number + 1, judgement.verdict.value
        _log.log(level, "%s for L2 block %d: %s: %s", kind, number, verdict, judgement.reason)
        if judgement.verdict is Verdict.DROP:
            self.flush()

    async def _begin_span(self, safe: L2BlockRef, span: SpanBatch) -> None:
        """Queue the blocks of a span batch that are new, if its prefix is valid."""
        judgement = judge_span_place(self._config, safe, span)
        overlap = 0
        if judgement.verdict is Verdict.ACCEPT:
            overlap = span_overlap(self._config, safe, span)
            judgement = await self._judge_overlapping(safe, span, overlap)
        if judgement.verdict is not Verdict.ACCEPT:
            self._pass_over(safe, "span batch", judgement)
            return
        self._span = span.blocks(overlap)
        self._upcoming = next(self._span)

    async def _judge_overlapping(
        self, safe: L2BlockRef, span: SpanBatch, overlap: int
    ) -> Judgement:
        number = safe.number - overlap
        if number < self._config.genesis.l2.number:
            return Judgement(Verdict.UNDECIDED, f"expected a parent at 0 or above, got {number}")
        parent = await self._l2.ref_by_number(BlockNumber(number)) if overlap else safe
        return judge_span(self._config, self._epochs, safe, parent, span, self.current_l1)

    def _next_of_span(self, parent: L2BlockRef) -> SingularBatch | None:
        """Return the next block of the span, None without one that follows `parent`."""
        block = self._upcoming
        if block is None:
            return None
        if block.timestamp != parent.timestamp + self._config.block_time:
            # The block before it came out invalid and was replaced, or L1 forced one.
            self._forget_span()
            return None
        self._upcoming = next(self._span, None)
        number = BlockNumber(block.epoch_number)
        place = number - self._epochs[0].number
        is_known = 0 <= place < len(self._epochs)
        epoch_hash = self._epochs[place].hash if is_known else ZERO_HASH
        return SingularBatch(
            parent.hash, BlockRef(epoch_hash, number), block.timestamp, block.transactions
        )

    def _forget_span(self) -> None:
        self._span = iter(())
        self._upcoming = None

    async def _discard_all(self) -> Drained:
        while True:
            batch = await self._previous.next_batch()
            if isinstance(batch, Drained):
                return batch
            await asyncio.sleep(0)

    def _update_epochs(self, parent: L2BlockRef) -> None:
        current = self.current_l1
        if current != self._seen_l1:
            self._seen_l1 = current
            if current.number < parent.l1_origin.number:
                self._epochs = []
            else:
                self._epochs.append(current)
        while self._epochs and self._epochs[0].number < parent.l1_origin.number:
            del self._epochs[0]

    def _check_epochs(self, parent: L2BlockRef) -> None:
        if len(self._epochs) < 2:
            raise CriticalError(
                f"derivation at L1 block {self.current_l1.number}: expected to have passed the "
                f"origin {parent.l1_origin.number} of L2 block {parent.number}"
            )
        current, origin = self._epochs[0], parent.l1_origin
        # Forced empty batches move the epoch one ahead of the parent's origin.
        if current.ref != origin and current.number != origin.number + 1:
            raise ResetError(
                f"L2 block {parent.number}: expected an L1 origin at block {current.number} "
                f"0x{current.hash.hex()}, got {origin.number} 0x{origin.hash.hex()}"
            )

    def _forced_batch(self, parent: L2BlockRef) -> SingularBatch | None:
        """Return an empty batch if the current epoch's window has run out."""
        epoch = self._epochs[0]
        if epoch.number + self._config.seq_window_size > self.current_l1.number:
            return None
        timestamp = parent.timestamp + self._config.block_time
        following = self._epochs[1]
        is_first_of_epoch = epoch.number == parent.l1_origin.number + 1
        if timestamp < following.timestamp or is_first_of_epoch:
            return SingularBatch(parent.hash, epoch.ref, timestamp, ())
        # The epoch has all the blocks that its time allows.
        del self._epochs[0]
        return None
