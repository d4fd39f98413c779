"""A sequencer with its batcher, and a verifier, on the fakes of L1 and L2."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from consensus.attributes import AttributesBuilder
from consensus.block_refs import L2BlockRef
from consensus.codec.batch import SingularBatch
from consensus.codec.channel import Batch
from consensus.codec.compression import Compression
from consensus.codec.frame import Frame
from consensus.codec.span_batch import RawSpanBatch, span_of
from consensus.config import RollupConfig
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import NeedsL1
from consensus.derivation.pipeline import Pipeline
from consensus.l1.chain_config import L1ChainConfig
from node.types.block import BlockRef
from node.types.deposit import DepositTransaction
from node.types.transaction import decode_signed_transaction
from tests.consensus.rollup import L1_CHAIN, chain_config, make_channel, user_transaction
from tests.fakes.l1_source import FakeL1
from tests.fakes.l2_chain import FakeL2


class Sequencer:
    """Builds the L2 chain that batches describe; keeps the batch of each block."""

    def __init__(
        self, config: RollupConfig, l1: FakeL1, l1_chain: L1ChainConfig = L1_CHAIN
    ) -> None:
        self.config = config
        self.l1 = l1
        self._l1_chain = l1_chain
        self.l2 = FakeL2(config)
        self.head = self.l2.genesis
        self.batches: list[SingularBatch] = []
        self._channel_numbers = count(1)
        self._nonces = count()

    async def build(self, *, epoch: BlockRef | None = None, transactions: int = 1) -> SingularBatch:
        """Append a block; the next L1 block becomes its epoch as soon as its time has come."""
        parent = self.head
        timestamp = parent.timestamp + self.config.block_time
        if epoch is None:
            epoch = self._choose_epoch(parent, timestamp)
        raws = tuple(user_transaction(next(self._nonces)) for _ in range(transactions))
        batch = SingularBatch(parent.hash, epoch, timestamp, raws)
        self.head = await seal_batch(self.config, self._l1_chain, self.l1, self.l2, parent, batch)
        self.batches.append(batch)
        return batch

    async def build_many(self, number: int) -> list[SingularBatch]:
        """Append several blocks."""
        return [await self.build() for _ in range(number)]

    async def build_to(self, l1_number: int) -> list[SingularBatch]:
        """Append blocks until one is the first with this L1 origin."""
        batches = []
        while self.head.l1_origin.number < l1_number:
            batches.append(await self.build())
        return batches

    def span(self, batches: Sequence[SingularBatch]) -> RawSpanBatch:
        """Join the batches of consecutive blocks."""
        parent = self.l2.refs[batches[0].parent_hash]
        opens_epoch = batches[0].epoch != parent.l1_origin
        return span_of(batches, self.config, first_opens_epoch=opens_epoch)

    def channel(
        self,
        batches: Sequence[Batch],
        *,
        compression: Compression = Compression.BROTLI,
        max_frame_size: int = 100_000,
    ) -> tuple[Frame, ...]:
        """Cut batches into the frames of a new channel."""
        return make_channel(
            batches,
            next(self._channel_numbers),
            compression=compression,
            max_frame_size=max_frame_size,
        )

    def _choose_epoch(self, parent: L2BlockRef, timestamp: int) -> BlockRef:
        number = parent.l1_origin.number + 1
        if number <= self.l1.head.number and self.l1.at(number).timestamp <= timestamp:
            return self.l1.at(number).ref
        return parent.l1_origin


async def seal_batch(
    config: RollupConfig,
    l1_chain: L1ChainConfig,
    l1: FakeL1,
    l2: FakeL2,
    parent: L2BlockRef,
    batch: SingularBatch,
) -> L2BlockRef:
    """Seal the block that a batch describes."""
    builder = AttributesBuilder(config, chain_config(config), l1_chain, l1)
    attributes = await builder.build(
        parent, await l2.system_config(parent.hash), batch.epoch, batch.timestamp
    )
    decoded = tuple(decode_signed_transaction(raw) for raw in batch.transactions)
    attributes = replace(attributes, transactions=(*attributes.transactions, *decoded))
    return l2.seal(parent, attributes)


class Verifier:
    """Follows L1 with a pipeline; `refuses` names the blocks that its engine finds invalid."""

    def __init__(
        self, config: RollupConfig, l1: FakeL1, l1_chain: L1ChainConfig = L1_CHAIN
    ) -> None:
        self.config = config
        self.l1 = l1
        self.l2 = FakeL2(config)
        self.safe_head = self.l2.genesis
        self.derived: list[DerivedAttributes] = []
        self.refused_transactions: set[bytes] = set()
        start = PipelineStart(l1.genesis, config.genesis.system_config)
        self.pipeline = Pipeline(config, chain_config(config), l1_chain, l1, l1, self.l2, start)

    async def derive(self) -> NeedsL1:
        """Derive all that L1 holds."""
        while True:
            derived = await self.pipeline.next_attributes(self.safe_head)
            if isinstance(derived, NeedsL1):
                return derived
            if self._is_refused(derived):
                derived = self.pipeline.invalidate_current()
            self.derived.append(derived)
            self.safe_head = self.l2.seal(self.safe_head, derived.attributes)

    def user_transactions(self) -> list[list[bytes]]:
        """Return each derived block's transactions other than deposits."""
        return [
            [tx.raw for tx in d.attributes.transactions if not isinstance(tx, DepositTransaction)]
            for d in self.derived
        ]

    def _is_refused(self, derived: DerivedAttributes) -> bool:
        raws = {tx.raw for tx in derived.attributes.transactions}
        return not raws.isdisjoint(self.refused_transactions)
