"""A sequencer in virtual time: after pauses, crashes, L1 reorgs, and at the drift's end."""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import pytest

from consensus.batcher.batcher import BatcherSettings
from consensus.batcher.channel_builder import ChannelLimits
from consensus.config import SEQUENCER_DRIFT_S
from consensus.driver import Driver
from consensus.l1_info import decode_l1_info_deposit
from consensus.sequencer.origin_selector import NoOrigin
from consensus.sequencer.switch import SequencerSwitch
from node.clock import VirtualClock
from node.errors import TemporaryError
from node.head_change import HeadChange
from node.storage.database import Database
from node.types.block import Block, Header
from node.types.primitives import BlockNumber, Hash32
from node.types.receipt import Receipt
from tests.consensus.passing_time import settle
from tests.consensus.rollup import BLOCK_TIME
from tests.consensus.rollup_node import RollupNode, make_genesis, user_transactions
from tests.fakes.pool_l1 import PoolL1

L1_BLOCK_TIME = 12


class Process:
    """A sequencer with its batcher, as one process runs them on a store."""

    def __init__(self, scene: "Scene") -> None:
        self.node = RollupNode(scene.l1, scene.config, scene.genesis, scene.clock, scene.database)
        self.switch = SequencerSwitch(self.node.reader)
        self.driver = Driver(
            self.node.deriver,
            self.node.watcher,
            self.node.l2,
            self.node.reader,
            scene.clock,
            scene.critical.append,
            sequencer=self.node.sequencer,
            switch=self.switch,
        )
        self.node.engine.subscribe(scene.note)
        batcher = self.node.batcher(BatcherSettings(limits=ChannelLimits(max_age_l1_blocks=1)))
        loops = [self.node.watcher.run(), self.driver.run(), batcher.run()]
        self._tasks = [asyncio.ensure_future(loop) for loop in loops]

    async def kill(self) -> None:
        """End it wherever it is; only its store remains."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Scene:
    """An L1, a store, and all blocks that were ever put into it."""

    def __init__(self) -> None:
        self.l1 = PoolL1(block_time=L1_BLOCK_TIME)
        self.config, self.genesis = make_genesis(self.l1, seq_window_size=400)
        self.clock = VirtualClock(self.l1.genesis.timestamp)
        self.database = Database.open(None)
        self.critical: list[Exception] = []
        self.built: dict[int, set[Hash32]] = defaultdict(set)
        self.process = Process(self)

    def note(self, change: HeadChange) -> None:
        for executed in change.added:
            self.built[executed.block.number].add(executed.block.hash)

    def head(self) -> Block:
        heads = self.process.node.reader.heads()
        block = self.process.node.reader.block_by_hash(heads.unsafe.hash)
        assert block is not None
        return block

    def time_of_head(self) -> int:
        return self.head().header.timestamp

    def equivocations(self) -> dict[int, set[Hash32]]:
        return {number: hashes for number, hashes in self.built.items() if len(hashes) > 1}

    async def restart(self) -> None:
        await self.process.kill()
        self.process = Process(self)

    async def standing_still(self, condition: Callable[[], bool]) -> None:
        """Let everything work until something is so; no time of the nodes passes."""
        async with asyncio.timeout(60):
            while not condition():
                await settle()
                await asyncio.to_thread(lambda: None)

    async def seconds(self, count: int, *, l1: bool = True) -> None:
        """Let time pass, second by second, with an L1 block when its time has come."""
        for _ in range(count):
            self.clock.advance(1)
            if l1 and self.clock.now() >= self.l1.head.timestamp + L1_BLOCK_TIME:
                self.l1.mine_pool()
            for _ in range(4):
                await settle()
                await asyncio.to_thread(lambda: None)

    async def on_time(self) -> None:
        await self.standing_still(lambda: self.time_of_head() + BLOCK_TIME > self.clock.now())

    async def close(self) -> None:
        await self.process.kill()
        self.database.close()
        assert self.critical == []


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    await scene.close()


@pytest.mark.parametrize("turns_of_a_read", [0, 300])
async def test_after_a_pause_blocks_come_without_any_wait_between_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, turns_of_a_read: int
) -> None:
    """A laptop was asleep for twenty minutes: a hundred L1 blocks, six hundred of ours."""
    read = scene.l1.header

    async def slow_read(block_hash: Hash32) -> Header:
        for _ in range(turns_of_a_read):
            await asyncio.sleep(0)
        return await read(block_hash)

    monkeypatch.setattr(scene.l1, "header", slow_read)
    await scene.seconds(30)
    await scene.on_time()
    for _ in range(100):
        scene.l1.mine_pool()
    scene.clock.advance(100 * L1_BLOCK_TIME)
    await scene.on_time()
    origin = decode_l1_info_deposit(scene.head()).l1_block.number
    # The origins were caught up with, too: none was passed by while it was being fetched.
    assert scene.l1.head.number - origin <= 1
    assert scene.equivocations() == {}


async def test_after_a_pause_it_goes_on_with_the_origin_that_it_has_if_l1_gives_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1 tells of newer blocks, and does not give them."""
    await scene.seconds(30)
    for _ in range(50):
        scene.l1.mine_pool()

    async def refuse(block_hash: Hash32) -> tuple[Receipt, ...]:
        raise TemporaryError("L1 is overloaded")

    monkeypatch.setattr(scene.l1, "receipts", refuse)
    scene.clock.advance(50 * L1_BLOCK_TIME)
    await scene.on_time()
    origin = decode_l1_info_deposit(scene.head()).l1_block.number
    assert origin < scene.l1.head.number - 40
    monkeypatch.undo()
    await scene.seconds(20)
    await scene.standing_still(
        lambda: decode_l1_info_deposit(scene.head()).l1_block.number > origin
    )
    assert scene.equivocations() == {}


async def test_a_reset_waits_for_the_block_in_the_making(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.seconds(30)
    await scene.on_time()
    node, begun, go_on = scene.process.node, asyncio.Event(), asyncio.Event()
    build, reset, resets = node.sequencer.step, node.deriver.reset, []

    async def slow_step() -> Block | NoOrigin:
        begun.set()
        await go_on.wait()
        return await build()

    async def counted_reset() -> None:
        resets.append(node.reader.heads().unsafe.number)
        await reset()

    monkeypatch.setattr(node.sequencer, "step", slow_step)
    monkeypatch.setattr(node.deriver, "reset", counted_reset)
    number = scene.head().number
    scene.clock.advance(BLOCK_TIME)
    await begun.wait()
    scene.process.driver.request_reset()
    await settle()
    assert resets == []
    go_on.set()
    await scene.standing_still(lambda: bool(resets))
    assert resets == [number + 1]


async def test_it_waits_for_its_time_on_a_head_that_somebody_else_moved(scene: Scene) -> None:
    await scene.seconds(30)
    await scene.on_time()
    await settle()
    ahead = await scene.process.node.build()
    scene.clock.advance(BLOCK_TIME)
    for _ in range(10):
        await settle()
        await asyncio.to_thread(lambda: None)
    assert scene.head().hash == ahead.hash
    scene.clock.advance(BLOCK_TIME)
    await scene.standing_still(lambda: scene.head().number == ahead.number + 1)


async def test_no_restart_gives_a_second_block_at_a_height(scene: Scene) -> None:
    """Killed again and again, at any moment, with blocks that L1 has and blocks that it has not."""
    chance = random.Random(5)
    await scene.seconds(20)
    for _ in range(15):
        await scene.seconds(chance.randrange(1, 25))
        for _ in range(chance.randrange(20)):
            await asyncio.sleep(0)
        before = scene.head()
        await scene.restart()
        assert scene.head().number >= before.number
    await scene.seconds(40)
    await scene.on_time()
    assert scene.equivocations() == {}
    # The head is read from the store, where it is a moment before anybody is told.
    await scene.standing_still(lambda: len(scene.built) == scene.head().number)


async def test_a_reset_without_a_reorg_takes_no_block_back(scene: Scene) -> None:
    await scene.seconds(60)
    for _ in range(10):
        scene.process.driver.request_reset()
        await scene.seconds(3)
    await scene.on_time()
    assert scene.equivocations() == {}


async def test_another_block_at_a_height_comes_with_a_word(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.seconds(100)
    await scene.on_time()
    with caplog.at_level(logging.WARNING):
        scene.l1.fork(scene.l1.head.number - 2)
        await scene.seconds(120)
    await scene.on_time()
    replaced = scene.equivocations()
    assert replaced
    assert {len(hashes) for hashes in replaced.values()} == {2}
    assert "starting again from the safe head" in caplog.text
    assert f"heads go back: unsafe {max(replaced)} to {min(replaced) - 1}" in caplog.text


async def test_at_the_drifts_end_it_waits_and_then_goes_on_with_deposits_alone(
    scene: Scene,
) -> None:
    """L1 stands still, and comes back with a block later than the next one of ours."""
    await scene.seconds(SEQUENCER_DRIFT_S, l1=False)
    await scene.on_time()
    last = scene.l1.genesis.timestamp + SEQUENCER_DRIFT_S
    assert scene.time_of_head() == last
    scene.process.node.send(0)
    await scene.seconds(60, l1=False)
    assert scene.time_of_head() == last
    # Known, and not yet adoptable: blocks come at full speed, and hold nothing but deposits.
    scene.l1.mine(timestamp=last + 50)
    await scene.seconds(2, l1=False)
    await scene.on_time()
    blocks = scene.process.node.chain()[last_number(last, scene) :]
    waited = [block for block in blocks if block.header.timestamp < last + 50]
    assert len(waited) == 50 // BLOCK_TIME - 1
    for block in waited:
        assert decode_l1_info_deposit(block).l1_block == scene.l1.genesis.ref
        assert user_transactions(block) == []
    assert decode_l1_info_deposit(blocks[len(waited)]).l1_block == scene.l1.head.ref
    assert len(user_transactions(blocks[len(waited)])) == 1
    assert scene.equivocations() == {}


async def test_no_block_is_built_while_it_is_stopped(scene: Scene) -> None:
    await scene.seconds(30)
    stopped_at = await scene.process.switch.stop()
    head = scene.head()
    assert head.hash == stopped_at
    await scene.seconds(100)
    assert scene.head().hash == stopped_at
    assert scene.process.node.reader.heads().safe.hash == stopped_at  # derivation goes on
    await scene.process.switch.start(stopped_at)
    await scene.on_time()
    assert scene.process.node.reader.canonical_hash(head.number) == stopped_at
    assert scene.equivocations() == {}


async def test_a_stop_at_any_moment_names_the_last_block(scene: Scene) -> None:
    chance = random.Random(3)
    await scene.seconds(10)
    for _ in range(20):
        scene.clock.advance(chance.randrange(1, 8))
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
        stopped_at = await scene.process.switch.stop()
        await scene.seconds(chance.randrange(4))
        assert scene.head().hash == stopped_at
        await scene.process.switch.start(stopped_at)
    await scene.seconds(10)
    await scene.on_time()
    assert scene.equivocations() == {}


def last_number(timestamp: int, scene: Scene) -> BlockNumber:
    """Return the number of the block at a time."""
    return BlockNumber((timestamp - scene.l1.genesis.timestamp) // BLOCK_TIME)
