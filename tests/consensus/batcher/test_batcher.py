import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consensus.batcher.batcher import BatcherSettings
from consensus.batcher.channel_builder import BatchType, ChannelLimits
from consensus.batcher.data_availability import DataAvailability
from consensus.l1.tx_sender import InsufficientL1Funds
from node.clock import VirtualClock
from node.errors import ConfigError
from node.types.block import BlockRef
from node.types.primitives import checksum_address
from node.types.transaction import Transaction, address_of_key
from tests.consensus.passing_time import settle
from tests.consensus.rollup import (
    BATCHER,
    BATCHER_KEY,
    INBOX,
    OTHER_KEY,
    USER_KEY,
    config_log,
    with_logs,
    word,
)
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.l1_source import GWEI, Included
from tests.fakes.pool_l1 import ETHER, PoolL1

EAGER = BatcherSettings(limits=ChannelLimits(max_age_l1_blocks=1))


class Scene:
    """A sequencer node with a batcher, and a verifier that knows L1 alone."""

    def __init__(self, batcher_settings: BatcherSettings = EAGER, *, window: int = 30) -> None:
        self.l1 = PoolL1()
        config, genesis = make_genesis(self.l1, seq_window_size=window)
        self.clock = VirtualClock(self.l1.genesis.timestamp)
        self.node = RollupNode(self.l1, config, genesis, self.clock)
        self.verifier = RollupNode(self.l1, config, genesis, self.clock)
        self.settings = batcher_settings
        self.batcher = self.node.batcher(batcher_settings)
        self._nonce = 0

    async def tick(self, *, mine: bool = True, transactions: int = 1, batch: bool = True) -> None:
        """Let one L1 block's time pass, on all sides."""
        if mine:
            self.l1.mine_pool()
        self.clock.advance(12)
        await settle()
        await self.node.derive()
        for _ in range(transactions):
            self.node.send(self._nonce, data=self._nonce.to_bytes(4, "big") * 50)
            self._nonce += 1
        await self.node.build_until_l1_head()
        await self.node.watcher.poll()
        if batch:
            await self.batcher.step()
        await settle()

    async def ticks(self, count: int) -> None:
        for _ in range(count):
            await self.tick()

    async def finish(self) -> None:
        """Post what there is, then compare: derived must equal sequenced."""
        newest = self.node.reader.heads().unsafe
        for _ in range(40):
            if self.node.reader.heads().safe.number >= newest.number:
                break
            await self.tick(transactions=0)
        await self.verifier.derive()
        self.check_equal(newest)

    def check_equal(self, newest: BlockRef) -> None:
        heads = self.verifier.reader.heads()
        assert heads.safe.number >= newest.number
        assert heads.safe == heads.unsafe
        assert self.verifier.reader.canonical_hash(newest.number) == newest.hash
        for block in self.verifier.chain():
            if block.number <= newest.number:
                assert self.node.reader.canonical_hash(block.number) == block.hash

    def posted(self) -> list[bytes]:
        """Return the batcher's data in the order in which L1 holds it."""
        return [
            tx.data
            for block in self.l1._chain()
            for tx in block.transactions
            if tx.to == INBOX and tx.sender == BATCHER
        ]

    def restart_batcher(self) -> None:
        """Stop the batcher's process and start another."""
        self.batcher.close()
        self.batcher = self.node.batcher(self.settings)

    def close(self) -> None:
        self.batcher.close()
        self.node.close()
        self.verifier.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


async def test_what_is_derived_is_what_was_sequenced(scene: Scene) -> None:
    await scene.ticks(6)
    await scene.finish()
    assert len(scene.posted()) >= 3


WAYS = [
    (BatchType.SPAN, DataAvailability.CALLDATA),
    (BatchType.SINGULAR, DataAvailability.CALLDATA),
    (BatchType.SPAN, DataAvailability.BLOBS),
    (BatchType.SINGULAR, DataAvailability.BLOBS),
]


@pytest.mark.parametrize(("batch_type", "place"), WAYS)
async def test_every_way(scene: Scene, batch_type: BatchType, place: DataAvailability) -> None:
    settings = replace(EAGER, batch_type=batch_type, data_availability=place)
    scene.batcher = scene.node.batcher(settings)
    await scene.ticks(6)
    await scene.finish()
    assert len(scene.posted()) >= 3
    assert bool(scene.l1.published_blobs) == (place is DataAvailability.BLOBS)


async def test_the_way_can_change_between_runs(scene: Scene) -> None:
    for batch_type, place in WAYS:
        scene.settings = replace(EAGER, batch_type=batch_type, data_availability=place)
        scene.restart_batcher()
        await scene.ticks(3)
    await scene.finish()


async def test_a_channel_over_several_blobs(scene: Scene) -> None:
    limits = ChannelLimits(max_age_l1_blocks=3, max_frame_bytes=300)
    blobs = DataAvailability.BLOBS
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits, data_availability=blobs))
    await scene.ticks(5)
    await scene.finish()
    carriers = [tx for block in scene.l1._chain() for tx in block.transactions if tx.to == INBOX]
    counts = [len(tx.blob_versioned_hashes) for tx in carriers if isinstance(tx, Transaction)]
    assert max(counts) > 1


async def test_a_stuck_blob_transaction_is_replaced(scene: Scene) -> None:
    blobs = DataAvailability.BLOBS
    scene.batcher = scene.node.batcher(replace(EAGER, data_availability=blobs))
    scene.l1.minimum_price = 500 * GWEI
    await scene.ticks(12)
    scene.l1.minimum_price = 0
    prices = [tx.max_fee_per_blob_gas for tx in scene.l1.accepted if tx.nonce == 0]
    assert len(prices) > 1
    assert all(later >= 2 * earlier for earlier, later in pairwise(prices))
    await scene.finish()


async def test_low_funds_are_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.l1.balances[BATCHER] = ETHER // 100
    await scene.ticks(5)
    told = [record.message for record in caplog.records if "more batcher trans" in record.message]
    assert len(told) == 1
    await scene.finish()


async def test_a_window_about_to_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(window=25)
    try:
        for _ in range(10):
            await scene.tick(batch=False)
        await scene.batcher.step()
        await scene.batcher.step()
        told = [record.message for record in caplog.records if "its sequencing" in record.message]
        assert len(told) == 1
        assert (
            "block 1 is not on L1 yet, and its sequencing window ends with L1 block 125" in told[0]
        )
    finally:
        scene.close()


async def test_a_channel_over_several_transactions(scene: Scene) -> None:
    limits = ChannelLimits(max_age_l1_blocks=3, max_frame_bytes=300)
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits))
    await scene.ticks(9)
    await scene.finish()
    assert len(scene.posted()) > 4


async def test_closes_by_size(scene: Scene) -> None:
    limits = ChannelLimits(max_age_l1_blocks=1000, idle_s=10**9, max_bytes=2000)
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits))
    await scene.ticks(6)
    assert scene.posted() == []
    for _ in range(12):
        await scene.tick(transactions=3)
    assert len(scene.posted()) >= 1


async def test_closes_when_nothing_comes_any_more(scene: Scene) -> None:
    limits = ChannelLimits(max_age_l1_blocks=1000, idle_s=20.0)
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits))
    await scene.tick()
    await scene.tick()
    assert not scene.l1.pool
    scene.clock.advance(21)
    await scene.batcher.step()
    await settle()
    assert len(scene.l1.pool) == 1


async def test_a_flush_closes_at_once(scene: Scene) -> None:
    limits = ChannelLimits(max_age_l1_blocks=1000, idle_s=10**9)
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits))
    await scene.ticks(3)
    assert not scene.l1.pool
    scene.batcher.flush()
    await scene.batcher.step()
    await settle()
    assert len(scene.l1.pool) == 1


async def test_a_backlog_is_posted_in_many_channels_at_once() -> None:
    limits = ChannelLimits(max_bytes=150, max_age_l1_blocks=1)
    scene = Scene(BatcherSettings(limits=limits, max_unsafe_channels=4))
    for _ in range(8):
        await scene.tick(batch=False)
    await scene.ticks(2)
    assert 1 < len(scene.l1.pool) <= 4
    await scene.finish()
    scene.close()


async def test_a_backlog_is_read_to_its_end_before_a_pause(scene: Scene) -> None:
    settings = BatcherSettings(limits=ChannelLimits(idle_s=10**9), max_blocks_per_step=5)
    scene.batcher = scene.node.batcher(settings)
    for _ in range(6):
        await scene.tick(batch=False)
    await scene.batcher.step()
    await settle()
    newest = scene.node.reader.heads().unsafe
    assert scene.batcher._last_taken == newest
    await scene.tick(batch=False)
    assert scene.node.reader.heads().safe == newest


async def test_a_restart_leaves_no_gap_and_repeats_nothing_that_l1_has(scene: Scene) -> None:
    await scene.ticks(4)
    await scene.finish()
    before = len(scene.posted())
    scene.restart_batcher()
    await scene.tick(transactions=0)
    await scene.tick(transactions=0)
    safe = scene.node.reader.heads().safe.number
    assert scene.batcher._last_taken is not None
    assert scene.batcher._last_taken.number >= safe
    await scene.ticks(3)
    await scene.finish()
    assert len(set(scene.posted())) == len(scene.posted()) > before


async def test_a_restart_with_transactions_pending_on_l1(scene: Scene) -> None:
    await scene.ticks(3)
    for _ in range(3):
        await scene.tick(mine=False)
        scene.restart_batcher()
    await scene.finish()


async def test_a_channel_that_l1_lost_is_posted_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.ticks(3)
    await scene.finish()
    await scene.tick()
    await scene.tick(mine=False)
    height = scene.l1.head.number
    scene.l1.mine_pool()
    await scene.tick(transactions=0)
    safe = scene.node.reader.heads().safe.number
    scene.l1.fork(height)
    scene.l1.mine_empty(3)
    await scene.node.deriver.reset()
    scene.node.watcher.keep_from((await scene.node.l2.unsafe()).l1_origin)
    await scene.node.derive()
    assert scene.node.reader.heads().safe.number < safe
    await scene.ticks(8)
    await scene.finish()
    assert "the safe head" in caplog.text


async def test_a_channel_that_derivation_refuses_is_posted_again(scene: Scene) -> None:
    """Frames in another order than they were made in: their channel never completes."""
    limits = ChannelLimits(max_age_l1_blocks=2, max_frame_bytes=300)
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits))
    await scene.ticks(4)
    while len(scene.l1.pool) < 3:
        scene.l1.mine()
        await scene.tick(mine=False)
    # L1 includes them as this batcher's, but turned round: as if its nonces had been.
    payloads = sorted(scene.l1.pool)
    first, last = payloads[0], payloads[-1]
    pool = scene.l1.pool
    scene.l1.mine(*[Included(pool[key]) for key in (last, *payloads[1:-1], first)])
    scene.l1.drop_pool()
    await scene.ticks(8)
    await scene.finish()


async def test_an_l2_reorg_starts_over_from_the_safe_head(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    limits = ChannelLimits(max_age_l1_blocks=2)
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits))
    await scene.ticks(3)
    heads = scene.node.reader.heads()
    target = scene.node.reader.header_by_number(heads.unsafe.number - 3)
    assert target is not None
    await scene.node.gate.run(lambda engine: engine.set_heads(unsafe=target.ref))
    await scene.batcher.step()
    assert "was replaced" in caplog.text
    scene._nonce = _next_nonce(scene.node)
    await scene.ticks(4)
    await scene.finish()


async def test_a_safe_head_that_goes_back_behind_the_start_is_gone_after(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """The batcher begins between an L1 reorg and what derivation makes of it."""
    await scene.ticks(4)
    height = scene.l1.head.number
    # No block of ours has this one as its origin yet.
    scene.l1.mine_pool()
    await scene.node.derive()
    for _ in range(3):
        await scene.node.build()
    scene.restart_batcher()
    await scene.batcher.step()
    begun_after = scene.node.reader.heads().safe.number
    scene.l1.fork(height)
    scene.l1.mine_empty(1)
    scene.l1.drop_pool()
    await scene.node.deriver.reset()
    await scene.node.derive()
    heads = scene.node.reader.heads()
    assert heads.safe.number < begun_after < heads.unsafe.number
    assert "the safe head went back" not in caplog.text
    await scene.batcher.step()
    assert f"the safe head went back to block {heads.safe.number}" in caplog.text
    await scene.ticks(4)
    await scene.finish()


async def test_what_piled_up_is_posted_at_once(scene: Scene) -> None:
    """It does not wait for the channel's age after a pause."""
    limits = ChannelLimits(max_age_l1_blocks=3, idle_s=20.0)
    scene.batcher = scene.node.batcher(BatcherSettings(limits=limits))
    for _ in range(7):
        await scene.tick(batch=False)
    await scene.batcher.step()
    await settle()
    newest = scene.node.reader.heads().unsafe
    await scene.tick()
    assert scene.node.reader.heads().safe == newest


async def test_an_outage_of_l1_only_delays(scene: Scene) -> None:
    await scene.ticks(2)
    await scene.node.build_until_l1_head()
    await scene.batcher.step()
    for _ in range(5):
        scene.l1.fail(5)
        scene.clock.advance(12)
        await settle()
    scene.l1.fail(0)
    await scene.ticks(3)
    await scene.finish()


async def test_missing_funds_are_told_and_waited_for(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.l1.balances[BATCHER] = 10**12
    await scene.tick()
    with pytest.raises(InsufficientL1Funds):
        await scene.ticks(3)
    scene.batcher._start_over("no funds")
    scene.l1.balances[BATCHER] = 10**18
    await scene.ticks(4)
    await scene.finish()


async def test_run_goes_on_after_a_failure(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.l1.balances[BATCHER] = 0
    await scene.tick(batch=False)
    await scene.tick(batch=False)
    running = asyncio.ensure_future(scene.batcher.run())
    with caplog.at_level(logging.WARNING):
        while "needs" not in caplog.text:
            scene.clock.advance(1)
            await asyncio.to_thread(lambda: None)
            await settle()
    scene.l1.balances[BATCHER] = 10**18
    while not scene.l1.pool:
        scene.clock.advance(1)
        await asyncio.to_thread(lambda: None)
        await settle()
    running.cancel()
    # Work that has begun in a thread is never abandoned: the end may take a moment.
    await asyncio.wait([running])
    assert running.cancelled()


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.sampled_from(["tick", "quiet", "stall", "drop", "fork", "restart", "tiny"]),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_happens_derived_equals_sequenced(events: list[str]) -> None:
    asyncio.run(_live_through(events))


async def _live_through(events: list[str]) -> None:
    limits = ChannelLimits(max_age_l1_blocks=1, max_frame_bytes=400)
    scene = Scene(BatcherSettings(limits=limits), window=40)
    await scene.ticks(2)
    for event in events:
        if event == "tick":
            await scene.tick()
        elif event == "quiet":
            await scene.tick(transactions=0)
        elif event == "stall":
            await scene.tick(mine=False)
        elif event == "drop":
            scene.l1.drop_pool()
        elif event == "restart":
            scene.restart_batcher()
        elif event == "tiny":
            scene.l1.mine_pool(limit=1)
        elif event == "fork" and scene.l1.head.number > 101:
            await _reorg_l1(scene)
    await scene.finish()
    scene.close()


async def _reorg_l1(scene: Scene) -> None:
    """Replace L1's newest block by two others; its transactions are lost."""
    scene.l1.fork(scene.l1.head.number - 1)
    scene.l1.mine_empty(2)
    await scene.node.watcher.poll()
    await scene.node.deriver.reset()
    scene._nonce = _next_nonce(scene.node)


def _next_nonce(node: RollupNode) -> int:
    return node.mempool.pending_nonce(address_of_key(USER_KEY))


def test_idleness_shorter_than_a_block_is_refused(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="idle_s: expected more than the block time of 2 s"):
        scene.node.batcher(BatcherSettings(limits=ChannelLimits(idle_s=2.0)))


async def test_a_key_that_is_not_the_batchers_is_told(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = scene.node.batcher(EAGER, key=OTHER_KEY)
    await scene.tick(batch=False)
    await stranger.step()
    (told,) = [record.message for record in caplog.records if "posting as" in record.message]
    assert f"posting as {checksum_address(address_of_key(OTHER_KEY))}, but" in told
    assert f"names {checksum_address(BATCHER)} as the batcher: nothing counts" in told
    stranger.close()


async def test_a_batcher_that_is_replaced_on_l1_is_told(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever owns SystemConfig gives the work to another account, and takes it back."""
    for key in (OTHER_KEY, BATCHER_KEY):
        new = address_of_key(key)
        scene.l1.mine(with_logs(config_log(0, word(int.from_bytes(new)))))
        await scene.ticks(3)
    told = [record.message for record in caplog.records if "as the batcher" in record.message]
    assert len(told) == 1
    assert f"names {checksum_address(address_of_key(OTHER_KEY))} as the batcher" in told[0]
    await scene.finish()
