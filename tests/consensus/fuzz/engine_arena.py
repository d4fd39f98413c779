"""The same with a real engine: blocks are executed, and bad ones replaced by their deposits."""

import random
from collections import Counter
from collections.abc import Sequence

from consensus.batcher.channel_builder import batch_of
from consensus.codec.batch import SingularBatch
from consensus.codec.span_batch import RawSpanBatch, span_of
from consensus.l1_info import decode_l1_info_deposit
from node.clock import VirtualClock
from node.types.block import Block
from node.types.transaction import Transaction, address_of_key
from tests.consensus.fuzz.batcher_data import BatcherData
from tests.consensus.fuzz.l1_events import deposit_event
from tests.consensus.fuzz.odd_transaction import odd_transaction
from tests.consensus.rollup import USER_KEY, with_logs
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.l1_source import FakeL1, Included

INPUTS_PER_BLOCK = 16
BLOCKS = 12


class EngineArena:
    """A sequencer and a verifier; what L1 says replaces what the sequencer built."""

    def __init__(self, seed: int) -> None:
        self._choice = random.Random(seed)
        self._l1 = FakeL1()
        window = self._choice.choice((4, 100))
        self._config, self._genesis = make_genesis(self._l1, seq_window_size=window)
        self._clock = VirtualClock(self._l1.genesis.timestamp)
        self.inputs = 0
        self.outcomes: Counter[str] = Counter()

    async def run(self) -> None:
        """Have some L1 blocks, then derive all of it again from an empty store."""
        sequencer, verifier = self._node(), self._node()
        try:
            for _ in range(BLOCKS):
                self._l1.mine(*self._deposits())
                await sequencer.derive()
                blocks = [await self._build(sequencer) for _ in range(3)]
                self._l1.mine(*self._batcher_data(sequencer, blocks))
                await verifier.derive()
                await sequencer.derive()
                ours, theirs = sequencer.reader.heads(), verifier.reader.heads()
                assert ours.safe == theirs.safe == theirs.unsafe
            await self._check_again(verifier)
        finally:
            sequencer.close()
            verifier.close()

    async def _check_again(self, verifier: RollupNode) -> None:
        chain = verifier.chain()
        self.outcomes["executed blocks"] += len(chain)
        self.outcomes["with transactions"] += sum(
            any(tx.type != 0x7E for tx in block.transactions) for block in chain
        )
        late = self._node()
        try:
            await late.derive()
            assert late.reader.heads().safe == verifier.reader.heads().safe
        finally:
            late.close()

    def _node(self) -> RollupNode:
        return RollupNode(self._l1, self._config, self._genesis, self._clock)

    async def _build(self, node: RollupNode) -> Block:
        nonce = node.mempool.pending_nonce(address_of_key(USER_KEY))
        node.send(nonce, data=self._choice.randbytes(30))
        return await node.build()

    def _deposits(self) -> list[Included]:
        count = self._choice.randrange(3)
        self.inputs += count
        logs = [deposit_event(self._choice, is_spoilt=False, max_gas=200_000) for _ in range(count)]
        return [with_logs(*logs)] if logs else []

    def _batcher_data(self, node: RollupNode, blocks: Sequence[Block]) -> list[Included]:
        choice, first = self._choice, blocks[0]
        nonce = max(
            (tx.nonce for tx in first.transactions if isinstance(tx, Transaction)), default=0
        )
        odd = [odd_transaction(choice, USER_KEY, nonce + 1, 901) for _ in range(8)]
        opens = decode_l1_info_deposit(first).sequence_number == 0

        def span(batches: Sequence[SingularBatch]) -> RawSpanBatch:
            is_first = batches[0].timestamp == first.header.timestamp
            return span_of(batches, self._config, first_opens_epoch=opens and is_first)

        batches = [batch_of(block) for block in blocks]
        source = BatcherData(choice, self._l1, batches, span, odd)
        included = source.transactions()
        for _ in range(INPUTS_PER_BLOCK - 1):
            included += source.spoilt()
        self.inputs += INPUTS_PER_BLOCK
        return included
