"""The embedded L1's block producer: a block on a timer, or one for each transaction at once."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from node.builder import FillLimits, fill
from node.clock import Clock
from node.engine import Engine
from node.errors import OperationRefused
from node.execution.fees import next_base_fee
from node.execution.transition import ExecutedBlock
from node.mempool import Mempool
from node.reader import Reader
from node.types.block import Block, BlockRef, Header
from node.types.payload import PayloadAttributes
from node.types.primitives import ZERO_ADDRESS, Address, BlockNumber, Hash32, keccak256
from node.types.transaction import Transaction
from node.worker import run_in_thread


@dataclass(frozen=True, slots=True)
class DevChainConfig:
    """How the dev chain behaves. Distances are in blocks behind the newest, times in seconds."""

    block_time_s: int = 3
    fee_recipient: Address = ZERO_ADDRESS
    safe_distance: int = 2
    finalized_distance: int = 4


class DevChain:
    """Produces blocks under Ethereum rules, with no consensus behind them.

    `not_before` returns the earliest timestamp (seconds) of the next block: for a chain whose time
    has to follow another's.
    """

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        mempool: Mempool,
        clock: Clock,
        config: DevChainConfig = DevChainConfig(),
        not_before: Callable[[], int] = lambda: 0,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._mempool = mempool
        self._clock = clock
        self._config = config
        self._not_before = not_before
        self._turn = threading.Lock()

    async def run(self) -> None:
        """Produce a block each `block_time_s` seconds, forever.

        Timestamps are the clock's, or later where `not_before` says so.
        """
        while True:
            head = self._reader.head_header()
            # A chain that is ahead of the clock goes on at its own pace, a second a block.
            start = min(head.timestamp, self._clock.now())
            await self._clock.sleep_until(start + self._config.block_time_s)
            now = max(int(self._clock.now()), self._not_before())
            await run_in_thread(partial(self.produce, now))

    async def run_at_once(self) -> None:
        """Produce a block whenever a transaction can be included, forever.

        Each block is one second older than its parent, whatever the clock says: a chain whose
        genesis lies in the past can be set up faster than its blocks would come.
        """
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Transaction) -> None:
            loop.call_soon_threadsafe(arrived.set)

        unsubscribe = self._mempool.subscribe(wake)
        try:
            while True:
                while await run_in_thread(self._produce_if_pending):
                    pass
                await arrived.wait()
                arrived.clear()
        finally:
            unsubscribe()

    def produce(self, not_before: int) -> ExecutedBlock:
        """Build one block from the pool and commit it.

        Its timestamp is `not_before`, or the second after its parent's if that is later.
        """
        with self._turn:
            return self._produce(not_before)

    def reorg(self, depth: int) -> tuple[Block, ...]:
        """Replace the newest `depth` blocks by as many others, at the same times; return those.

        The first is empty: with it, what the old blocks held goes back to the pool, and from there
        into the blocks that follow. OperationRefused if a finalized block would go.
        """
        with self._turn:
            head, finalized = self._reader.head_header(), self._engine.heads.finalized
            highest = head.number - finalized.number
            if not 1 <= depth <= highest:
                raise OperationRefused(
                    f"depth: expected 1 to {highest}, as many blocks as are not final, got {depth}"
                )
            old = [self._header(head.number - above) for above in reversed(range(depth))]
            parent = self._header(old[0].number - 1)
            # With the values of the block that it replaces, it might be the same block.
            attributes = replace(
                self._attributes(parent, old[0].timestamp),
                prev_randao=keccak256(b"reorg" + old[0].hash),
            )
            first = self._produce_empty(parent, attributes)
            others = [self._produce(header.timestamp) for header in old[1:]]
            return tuple(executed.block for executed in (first, *others))

    def finalize(self) -> None:
        """Make the newest block final, for what is built on it and must not lose its ground."""
        with self._turn:
            head = self._reader.head_header().ref
            self._engine.set_heads(safe=head, finalized=head)

    def _produce_if_pending(self) -> bool:
        """Return whether there was a transaction and it went into a block."""
        with self._turn:
            base_fee = next_base_fee(self._reader.config, self._reader.head_header())
            if next(iter(self._mempool.best(base_fee)), None) is None:
                return False
            return bool(self._produce(0).block.transactions)

    def _produce(self, not_before: int) -> ExecutedBlock:
        head = self._reader.head_header()
        timestamp = max(not_before, head.timestamp + 1)
        attributes = self._attributes(head, timestamp)
        deadline = self._clock.now() + self._config.block_time_s / 2
        limits = FillLimits(out_of_time=lambda: self._clock.now() > deadline, max_da_bytes=2**31)
        with self._engine.begin(head, attributes) as execution:
            fill(execution, self._mempool, limits)
            executed = execution.seal()
        self._insert(executed)
        return executed

    def _produce_empty(self, parent: Header, attributes: PayloadAttributes) -> ExecutedBlock:
        with self._engine.begin(parent, attributes) as execution:
            executed = execution.seal()
        self._insert(executed)
        return executed

    def _insert(self, executed: ExecutedBlock) -> None:
        # Where the newest blocks were taken back, what was final stays so.
        finalized, safe = (
            max(self._trailing(executed, distance), self._engine.heads.finalized, key=_number)
            for distance in (self._config.finalized_distance, self._config.safe_distance)
        )
        self._engine.insert(executed, safe=safe, finalized=finalized)

    def _attributes(self, head: Header, timestamp: int) -> PayloadAttributes:
        # There is no beacon chain: the values it would give are derived from the parent, so that
        # they differ from block to block and are the same whenever the chain is built again.
        return PayloadAttributes(
            timestamp=timestamp,
            prev_randao=keccak256(b"randao" + head.hash),
            fee_recipient=self._config.fee_recipient,
            parent_beacon_block_root=keccak256(b"beacon" + head.hash),
            gas_limit=head.gas_limit,
            extra_data=b"",
            no_tx_pool=False,
        )

    def _trailing(self, executed: ExecutedBlock, distance: int) -> BlockRef:
        number = max(executed.block.number - distance, 0)
        if number == executed.block.number:
            return executed.block.header.ref
        block_hash = self._reader.canonical_hash(BlockNumber(number))
        assert block_hash is not None, "every block up to the parent is canonical"
        return BlockRef(Hash32(block_hash), BlockNumber(number))

    def _header(self, number: int) -> Header:
        header = self._reader.header_by_number(BlockNumber(number))
        assert header is not None, "every block up to the head is canonical"
        return header


def _number(ref: BlockRef) -> int:
    return ref.number
