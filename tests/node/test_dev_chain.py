import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest

from node.chain import Heads
from node.clock import VirtualClock
from node.dev_chain import DevChain, DevChainConfig
from node.errors import OperationRefused
from node.genesis import Genesis
from node.head_change import HeadChange
from node.types.blob_transaction import encode_pooled_transaction
from node.types.block import Block
from tests.node.blobs import blob_transaction, sidecar
from tests.node.pooled_chain import (
    GENESIS_TIME,
    USERS,
    PooledChain,
    ethereum_genesis,
    open_pool,
)


class TickingClock(VirtualClock):
    """A second passes whenever somebody looks."""

    def now(self) -> float:
        self.advance(1)
        return super().now()


class WatchedClock(VirtualClock):
    """Tells when somebody has gone to sleep."""

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self.asleep = asyncio.Event()

    async def sleep_until(self, deadline: float) -> None:
        self.asleep.set()
        await super().sleep_until(deadline)


@dataclass
class Dev:
    """A dev chain on a real store, and the changes that its store has seen."""

    pool: PooledChain
    clock: VirtualClock
    chain: DevChain
    changes: list[HeadChange]

    def blocks(self) -> list[Block]:
        return [executed.block for change in self.changes for executed in change.added]


@contextmanager
def open_dev(
    config: DevChainConfig | None = None,
    *,
    genesis: Genesis | None = None,
    clock: VirtualClock | None = None,
    not_before: int = 0,
) -> Iterator[Dev]:
    with open_pool(genesis) as pool:
        clock = clock or VirtualClock(GENESIS_TIME)
        chain = DevChain(
            pool.engine,
            pool.reader,
            pool.mempool,
            clock,
            config or DevChainConfig(),
            not_before=lambda: not_before,
        )
        changes: list[HeadChange] = []
        pool.engine.subscribe(changes.append)
        yield Dev(pool, clock, chain, changes)


@asynccontextmanager
async def running(dev: Dev, *, at_once: bool = False) -> AsyncIterator["asyncio.Queue[Block]"]:
    """Run the producer; the queue gets each block."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Block] = asyncio.Queue()

    def put(change: HeadChange) -> None:
        for executed in change.added:
            loop.call_soon_threadsafe(queue.put_nowait, executed.block)

    dev.pool.engine.subscribe(put)
    task = asyncio.create_task(dev.chain.run_at_once() if at_once else dev.chain.run())
    try:
        yield queue
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_safe_and_finalized_trail() -> None:
    with open_dev() as dev:
        refs = [dev.pool.head().ref]
        for number in range(1, 8):
            executed = dev.chain.produce(0)
            refs.append(executed.block.header.ref)
            heads = dev.pool.reader.heads()
            assert heads == dev.pool.engine.heads
            assert heads.unsafe == refs[number]
            assert heads.safe == refs[max(number - 2, 0)]
            assert heads.finalized == refs[max(number - 4, 0)]


def test_other_distances() -> None:
    with open_dev(DevChainConfig(safe_distance=0, finalized_distance=1)) as dev:
        first, second = (dev.chain.produce(0).block.header.ref for _ in range(2))
        heads = dev.pool.reader.heads()
        assert (heads.unsafe, heads.safe, heads.finalized) == (second, second, first)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_reorg_replaces_the_newest_blocks_by_others_at_the_same_times(depth: int) -> None:
    with open_dev() as dev:
        old = [dev.chain.produce(GENESIS_TIME + 10 * n).block for n in range(1, 10)]
        new = dev.chain.reorg(depth)
        kept = old[: len(old) - depth]
        assert [block.number for block in new] == [block.number for block in old[len(kept) :]]
        times = [block.header.timestamp for block in new]
        assert times == [block.header.timestamp for block in old[len(kept) :]]
        assert not {block.hash for block in new} & {block.hash for block in old}
        assert new[0].header.parent_hash == kept[-1].hash
        chain = [dev.pool.reader.block_by_number(n) for n in range(1, 10)]  # type: ignore[arg-type]
        assert chain == [*kept, *new]
        heads = dev.pool.engine.heads
        assert (heads.unsafe.number, heads.safe.number, heads.finalized.number) == (9, 7, 5)
        assert dev.pool.reader.canonical_hash(heads.safe.number) == heads.safe.hash


def test_each_reorg_gives_other_blocks() -> None:
    with open_dev() as dev:
        for _ in range(6):
            dev.chain.produce(0)
        seen = {block.hash for _ in range(5) for block in dev.chain.reorg(2)}
        assert len(seen) == 10


def test_transactions_of_replaced_blocks_go_back_to_the_pool() -> None:
    with open_dev() as dev:
        dev.chain.produce(0)
        sent = []
        for user, nonce in ((0, 0), (0, 1), (1, 0)):
            tx = dev.pool.transfer(user, nonce)
            dev.pool.mempool.add(tx.raw)
            dev.chain.produce(0)
            sent.append(tx)
        waiting = dev.pool.transfer(2)
        dev.pool.mempool.add(waiting.raw)
        first, second = dev.chain.reorg(2)
        assert first.transactions == ()
        assert set(second.transactions) == {sent[1], sent[2], waiting}
        # The newest block alone: nothing is there yet to take its transactions.
        (last,) = dev.chain.reorg(1)
        assert last.transactions == ()
        assert len(dev.pool.mempool) == 3
        assert set(dev.chain.produce(0).block.transactions) == {sent[1], sent[2], waiting}


def test_blobs_of_replaced_blocks_are_included_again() -> None:
    with open_dev() as dev:
        dev.chain.produce(0)
        tx = blob_transaction(sidecar(1))
        dev.pool.mempool.add(encode_pooled_transaction(tx))
        dev.chain.produce(0)
        dev.chain.reorg(1)
        assert dev.pool.reader.blob(tx.blob_versioned_hashes[0]) is not None
        assert dev.chain.produce(0).block.transactions == (tx,)


@pytest.mark.parametrize("depth", [0, -1, 5, 10**30])
def test_what_is_final_is_not_replaced(depth: int) -> None:
    with open_dev() as dev:
        for _ in range(8):
            dev.chain.produce(0)
        before = dev.pool.engine.heads
        with pytest.raises(OperationRefused, match=rf"^depth: expected 1 to 4, .* got {depth}$"):
            dev.chain.reorg(depth)
        assert dev.pool.engine.heads == before


def test_a_block_that_was_made_final_stays_so() -> None:
    with open_dev() as dev:
        blocks = [dev.chain.produce(0).block for _ in range(6)]
        dev.chain.finalize()
        final = blocks[-1].header.ref
        assert dev.pool.engine.heads == Heads(final, final, final)
        for number in range(7, 10):
            dev.chain.produce(0)
            heads = dev.pool.engine.heads
            assert heads.finalized == final
            assert heads.safe.number == max(number - 2, 6)
        with pytest.raises(OperationRefused):
            dev.chain.reorg(4)
        dev.chain.reorg(3)
        assert dev.pool.engine.heads.finalized == final


def test_timestamps_strictly_increase() -> None:
    with open_dev() as dev:
        wanted = [GENESIS_TIME + 5, GENESIS_TIME + 5, 0, GENESIS_TIME + 6, GENESIS_TIME + 100]
        timestamps = [dev.chain.produce(time).block.header.timestamp for time in wanted]
        assert timestamps == [GENESIS_TIME + offset for offset in (5, 6, 7, 8, 100)]


def test_the_pools_transactions_are_included() -> None:
    with open_dev(DevChainConfig(fee_recipient=USERS[5])) as dev:
        tx = dev.pool.transfer()
        dev.pool.mempool.add(tx.raw)
        block = dev.chain.produce(0).block
        assert block.transactions == (tx,)
        assert block.header.coinbase == USERS[5]
        assert len(dev.pool.mempool) == 0


def test_the_same_blocks_come_out_again() -> None:
    hashes = []
    for _ in range(2):
        with open_dev() as dev:
            hashes.append([dev.chain.produce(0).block.hash for _ in range(3)])
            headers = [block.header for block in dev.blocks()]
            assert len({header.prev_randao for header in headers}) == 3
            assert len({header.parent_beacon_block_root for header in headers}) == 3
    assert hashes[0] == hashes[1]


def test_filling_stops_after_half_the_block_time() -> None:
    with open_dev(DevChainConfig(block_time_s=10), clock=TickingClock(GENESIS_TIME)) as dev:
        for nonce in range(9):
            dev.pool.mempool.add(dev.pool.transfer(0, nonce).raw)
        assert len(dev.chain.produce(0).block.transactions) == 5


def test_two_threads_do_not_build_on_the_same_parent() -> None:
    with open_dev() as dev:
        for user in range(8):
            dev.pool.mempool.add(dev.pool.transfer(user).raw)
        threads = [threading.Thread(target=dev.chain.produce, args=(0,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [block.number for block in dev.blocks()] == [1, 2, 3, 4]
        assert not any(change.removed for change in dev.changes)


async def test_a_block_each_time_the_clock_says_so() -> None:
    with open_dev() as dev:
        async with running(dev) as blocks:
            for number in range(1, 4):
                dev.clock.advance(2.5)
                await asyncio.sleep(0)
                assert blocks.empty()
                dev.clock.advance(0.5)
                block = await blocks.get()
                assert block.number == number
                assert block.header.timestamp == GENESIS_TIME + 3 * number


async def test_time_that_was_lost_is_not_made_up_with_blocks() -> None:
    with open_dev() as dev:
        async with running(dev) as blocks:
            dev.clock.advance(1_000.7)
            assert (await blocks.get()).header.timestamp == GENESIS_TIME + 1_000
            dev.clock.advance(2.3)
            assert (await blocks.get()).header.timestamp == GENESIS_TIME + 1_003
            assert blocks.empty()


async def test_a_chain_ahead_of_the_clock_goes_on() -> None:
    clock = WatchedClock(GENESIS_TIME)
    with open_dev(clock=clock) as dev:
        dev.chain.produce(GENESIS_TIME + 50)
        async with running(dev) as blocks:
            for second in (51, 52, 53):
                await clock.asleep.wait()
                clock.asleep.clear()
                clock.advance(3)
                assert (await blocks.get()).header.timestamp == GENESIS_TIME + second


async def test_time_follows_another_chains() -> None:
    with open_dev(not_before=GENESIS_TIME + 500) as dev:
        async with running(dev) as blocks:
            dev.clock.advance(3)
            assert (await blocks.get()).header.timestamp == GENESIS_TIME + 500


async def test_at_once() -> None:
    with open_dev() as dev:
        waiting = dev.pool.transfer(0, 0)
        dev.pool.mempool.add(waiting.raw)
        async with running(dev, at_once=True) as blocks:
            # It was there before, and counts; the clock stands still all the time.
            assert (await blocks.get()).transactions == (waiting,)
            for nonce in range(1, 4):
                tx = dev.pool.transfer(0, nonce)
                await asyncio.to_thread(dev.pool.mempool.add, tx.raw)
                block = await blocks.get()
                assert block.transactions == (tx,)
                assert block.header.timestamp == GENESIS_TIME + nonce + 1
            assert blocks.empty()


async def test_at_once_goes_on_until_nothing_is_left() -> None:
    with open_dev(genesis=ethereum_genesis(gas_limit=50_000)) as dev:
        for nonce in range(7):
            dev.pool.mempool.add(dev.pool.transfer(0, nonce).raw)
        async with running(dev, at_once=True) as blocks:
            sizes = [len((await blocks.get()).transactions) for _ in range(4)]
            assert sizes == [2, 2, 2, 1]
            assert blocks.empty()


async def test_at_once_makes_no_block_of_what_cannot_run() -> None:
    with open_dev() as dev:
        async with running(dev, at_once=True) as blocks:
            await asyncio.to_thread(dev.pool.mempool.add, dev.pool.transfer(0, 1).raw)
            await asyncio.to_thread(dev.pool.mempool.add, dev.pool.transfer(0, 0).raw)
            block = await blocks.get()
            assert block.number == 1
            assert [tx.nonce for tx in dev.pool.mempool.content().queued.get(USERS[0], ())] == []
            assert len(block.transactions) == 2


async def test_at_once_ends_with_its_subscription() -> None:
    with open_dev() as dev:
        async with running(dev, at_once=True) as blocks:
            dev.pool.mempool.add(dev.pool.transfer(0, 0).raw)
            await blocks.get()
        dev.pool.mempool.add(dev.pool.transfer(0, 1).raw)
        for _ in range(5):
            await asyncio.sleep(0)
        assert blocks.empty()
        assert len(dev.pool.mempool) == 1
        # And a second run takes over what waits.
        async with running(dev, at_once=True) as blocks:
            assert len((await blocks.get()).transactions) == 1


async def test_a_stop_waits_for_the_block_under_way() -> None:
    with open_dev() as dev:
        entered, go_on = threading.Event(), threading.Event()
        loop = asyncio.get_running_loop()
        reached = asyncio.Event()

        def hold(_: HeadChange) -> None:
            entered.set()
            loop.call_soon_threadsafe(reached.set)
            go_on.wait()

        dev.pool.engine.subscribe(hold)
        task = asyncio.create_task(dev.chain.run())
        await asyncio.sleep(0)
        dev.clock.advance(3)
        await reached.wait()
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert dev.pool.head().number == 1
