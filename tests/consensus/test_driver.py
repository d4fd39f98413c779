import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from consensus.batcher.batcher import BatcherSettings
from consensus.batcher.channel_builder import ChannelLimits
from consensus.driver import Driver, DriverSettings
from node import worker
from node.clock import VirtualClock
from node.errors import CriticalError
from node.types.primitives import BlockNumber
from tests.consensus.passing_time import WatchedThreads, settle
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.pool_l1 import PoolL1


class Scene:
    """Running loops on a fake L1; time passes only in `until`, when nobody is at work."""

    def __init__(self, threads: WatchedThreads) -> None:
        self.threads = threads
        self.l1 = PoolL1()
        self.config, self.genesis = make_genesis(self.l1, seq_window_size=40)
        self.clock = VirtualClock(self.l1.genesis.timestamp)
        self.tasks: list[asyncio.Task[None]] = []
        self.nodes: list[RollupNode] = []
        self.critical: list[Exception] = []

    def start(
        self, *, sequencing: bool = False, batching: bool = False
    ) -> tuple[RollupNode, Driver]:
        node = RollupNode(self.l1, self.config, self.genesis, self.clock)
        driver = Driver(
            node.deriver,
            node.watcher,
            node.l2,
            node.reader,
            self.clock,
            self.critical.append,
            sequencer=node.sequencer if sequencing else None,
            settings=DriverSettings(origin_poll_s=1),
        )
        loops = [node.watcher.run(), driver.run()]
        if batching:
            limits = ChannelLimits(max_age_l1_blocks=1)
            loops.append(node.batcher(BatcherSettings(limits=limits)).run())
        self.nodes.append(node)
        self.tasks += [asyncio.ensure_future(loop) for loop in loops]
        return node, driver

    async def until(self, condition: Callable[[], bool], *, limit_s: int = 2000) -> None:
        """Let time pass, an L1 block every 12 seconds, until something is so."""
        for _ in range(limit_s):
            await self.threads.quiet()
            if condition():
                return
            self.clock.advance(1)
            if self.clock.now() >= self.l1.head.timestamp + 12:
                self.l1.mine_pool()
                self.l1.set_label("safe", max(100, self.l1.head.number - 2))
                self.l1.set_label("finalized", max(100, self.l1.head.number - 4))
        raise AssertionError(f"not so after {limit_s} virtual seconds")

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for node in self.nodes:
            node.close()


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    with WatchedThreads() as threads:
        monkeypatch.setattr(worker, "_threads", threads)
        scene = Scene(threads)
        yield scene
        await scene.stop()


async def test_a_sequencer_and_a_verifier_end_up_with_the_same_final_chain(scene: Scene) -> None:
    node, driver = scene.start(sequencing=True, batching=True)
    verifier, verifying = scene.start()
    node.send(0)
    await scene.until(lambda: verifier.reader.heads().finalized.number >= 20)
    await scene.until(lambda: node.reader.heads().finalized.number >= 20)
    for number in range(1, 21):
        block = BlockNumber(number)
        assert verifier.reader.canonical_hash(block) == node.reader.canonical_hash(block)
    assert scene.critical == []
    status, other = driver.sync_status(), verifying.sync_status()
    assert status.unsafe_l2.number > status.safe_l2.number > status.finalized_l2.number
    assert (status.head_l1, status.pending_safe_l2) == (scene.l1.head, status.safe_l2)
    assert other.unsafe_l2 == other.safe_l2
    assert status.safe_l1 == scene.l1.at(scene.l1.head.number - 2)
    assert status.current_l1_finalized == scene.l1.at(scene.l1.head.number - 4)


async def test_blocks_are_on_time(scene: Scene) -> None:
    node, _ = scene.start(sequencing=True)
    for _ in range(5):
        target = node.reader.heads().unsafe.number + 3
        await scene.until(lambda target=target: node.reader.heads().unsafe.number >= target)
        header = node.reader.head_header()
        assert header.timestamp <= scene.clock.now() <= header.timestamp + 2


async def test_the_status_before_anything_is_known(scene: Scene) -> None:
    scene.l1.fail(10**9)
    node, driver = scene.start(sequencing=True)
    await settle()
    status = driver.sync_status()
    assert (status.current_l1, status.head_l1, status.current_l1_finalized) == (None, None, None)
    assert status.unsafe_l2.hash == node.config.genesis.l2.hash
    assert driver.current_l1() is None


async def test_an_outage_is_ridden_out_and_told_once(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    node, driver = scene.start(sequencing=True, batching=True)
    await driver.caught_up()
    await scene.until(lambda: node.reader.heads().safe.number >= 5)
    with caplog.at_level(logging.WARNING):
        scene.l1.fail(10**9)
        end = scene.clock.now() + 100
        await scene.until(lambda: scene.clock.now() >= end)
        # The sequencer went on without L1.
        assert node.reader.head_header().timestamp >= end - 4
        scene.l1.fail(0)
    safe = node.reader.heads().unsafe.number
    await scene.until(lambda: node.reader.heads().safe.number >= safe)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert sum(text.startswith("derivation:") for text in warnings) <= 1
    assert sum(text.startswith("L1 is not available") for text in warnings) == 1
    assert scene.critical == []


async def test_an_l1_reorg_resets_and_everything_goes_on(scene: Scene) -> None:
    node, _ = scene.start(sequencing=True, batching=True)
    verifier, _ = scene.start()
    await scene.until(lambda: verifier.reader.heads().safe.number >= 20)
    depth = 3
    scene.l1.fork(scene.l1.head.number - depth)
    for _ in range(depth + 1):
        scene.l1.mine()
    newest = node.reader.heads().unsafe.number
    await scene.until(lambda: verifier.reader.heads().safe.number >= newest + 10)
    await scene.until(lambda: node.reader.heads().safe.number >= newest + 10)
    number = BlockNumber(newest + 10)
    assert verifier.reader.canonical_hash(number) == node.reader.canonical_hash(number)
    assert scene.critical == []


async def test_an_l1_reorg_at_the_same_height_is_noticed(scene: Scene) -> None:
    verifier, driver = scene.start()
    await scene.until(lambda: scene.l1.head.number >= 103)
    await scene.until(lambda: driver.current_l1() == scene.l1.head)
    scene.l1.fork(102)
    scene.l1.mine()
    replaced = scene.l1.head
    await scene.until(lambda: driver.current_l1() == replaced)
    assert verifier.reader.heads().unsafe.number == 0


async def test_a_sequencer_with_an_empty_store_takes_its_blocks_from_l1_first(
    scene: Scene,
) -> None:
    first, _ = scene.start(sequencing=True, batching=True)
    await scene.until(lambda: first.reader.heads().safe.number >= 15)
    for task in scene.tasks:
        task.cancel()
    await asyncio.gather(*scene.tasks, return_exceptions=True)
    scene.tasks.clear()
    again, _ = scene.start(sequencing=True)
    await scene.until(lambda: again.reader.heads().unsafe.number >= 20)
    for number in range(1, 16):
        block = BlockNumber(number)
        assert again.reader.canonical_hash(block) == first.reader.canonical_hash(block)


async def test_a_critical_error_stops_the_node_and_is_handed_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, _ = scene.start(sequencing=True)

    async def fail() -> None:
        raise CriticalError("the disk is on fire")

    monkeypatch.setattr(node.deriver, "step", fail)
    await scene.until(lambda: bool(scene.critical))
    assert str(scene.critical[0]) == "the disk is on fire"
    await settle()
    assert scene.tasks[1].done()


async def test_an_error_that_nobody_expected_stops_the_node_too(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, _ = scene.start()

    async def fail() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(node.deriver, "step", fail)
    await scene.until(lambda: bool(scene.critical))
    assert isinstance(scene.critical[0], KeyError)


async def test_a_pause_is_caught_up_with(scene: Scene) -> None:
    """The process was stopped for a while (a suspended laptop): late blocks come at once."""
    node, _ = scene.start(sequencing=True, batching=True)
    await scene.until(lambda: node.reader.heads().unsafe.number >= 5)
    for _ in range(20):
        scene.l1.mine_pool()
    scene.clock.advance(20 * 12)
    now = scene.clock.now()
    await scene.until(lambda: node.reader.head_header().timestamp >= now - 2)
    assert scene.clock.now() <= now + 60
    newest = node.reader.heads().unsafe.number
    await scene.until(lambda: node.reader.heads().safe.number >= newest)
    assert scene.critical == []
