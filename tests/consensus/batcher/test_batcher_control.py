"""Stopping, starting and flushing a batcher that runs."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from consensus.batcher.batcher import BatcherSettings
from consensus.batcher.channel_builder import ChannelLimits
from node.errors import OperationRefused
from tests.consensus.batcher.test_batcher import Scene
from tests.consensus.passing_time import settle

PATIENT = BatcherSettings(limits=ChannelLimits(max_age_l1_blocks=100, idle_s=10_000))


class RunningScene(Scene):
    """A scene whose batcher runs by itself; time passes in `tick` and `until`."""

    def __init__(self) -> None:
        super().__init__(PATIENT)
        self.task = asyncio.ensure_future(self.batcher.run())

    async def step(self) -> None:
        """Build the blocks of one L1 block's time; the batcher does what it likes."""
        await self.tick(batch=False)

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the batcher and its threads work; the clock stands still."""
        async with asyncio.timeout(60):
            while not condition():
                await settle()
                await asyncio.to_thread(lambda: None)

    async def rest(self) -> None:
        """Let the batcher and its threads do all that takes no time."""
        for _ in range(20):
            await settle()
            await asyncio.to_thread(lambda: None)

    async def stop_running(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        self.close()


@pytest.fixture
async def scene() -> AsyncIterator[RunningScene]:
    scene = RunningScene()
    yield scene
    await scene.stop_running()


async def test_a_flush_closes_the_open_channel_at_once(scene: RunningScene) -> None:
    for _ in range(3):
        await scene.step()
    assert scene.posted() == []
    scene.batcher.flush()
    await scene.until(lambda: scene.batcher.transactions_made == 1)
    await scene.until(lambda: scene.l1.pool)
    await scene.step()
    assert len(scene.posted()) == 1


async def test_nothing_is_posted_after_a_stop(scene: RunningScene) -> None:
    for _ in range(2):
        await scene.step()
    await scene.batcher.stop()
    assert not scene.batcher.is_running
    for _ in range(3):
        await scene.step()
    assert scene.batcher.transactions_made == 0
    assert scene.l1.pool == {}


async def test_a_stop_waits_for_what_is_on_its_way(scene: RunningScene) -> None:
    await scene.step()
    await scene.step()
    scene.batcher.flush()
    await scene.until(lambda: scene.l1.pool)
    stopping = asyncio.ensure_future(scene.batcher.stop())
    await settle()
    assert not stopping.done()
    for _ in range(3):
        await scene.step()
        scene.clock.advance(1)
        await settle(stopping)
    assert stopping.done()
    assert len(scene.posted()) == scene.batcher.transactions_made == 1


async def test_a_stop_ends_while_l1_is_away(scene: RunningScene) -> None:
    """It says what may still come; a start posts it again from the safe head."""
    await scene.step()
    await scene.step()
    newest = scene.node.reader.heads().unsafe
    scene.batcher.flush()
    await scene.until(lambda: scene.l1.pool)
    scene.l1.fail(10**6)
    stopping = asyncio.ensure_future(scene.batcher.stop())
    await scene.rest()
    scene.clock.advance(19)
    await settle(stopping)
    assert not stopping.done()
    scene.clock.advance(1)
    await settle(stopping)
    named = f"within 20 s: blocks 1 to {newest.number}, in 1 transaction, may still be included"
    with pytest.raises(OperationRefused, match=f"^batcher is stopped, but .* {named}$"):
        await stopping
    assert not scene.batcher.is_running
    assert not scene.task.done()
    scene.l1.fail(0)
    scene.batcher.start()
    await scene.step()
    await scene.step()
    assert scene.node.reader.heads().safe == newest


async def test_a_stop_ends_while_l1_does_not_even_take_a_transaction(scene: RunningScene) -> None:
    await scene.step()
    await scene.step()
    scene.l1.fail(10**6)
    scene.batcher.flush()
    await scene.until(lambda: scene.batcher.transactions_made == 1)
    stopping = asyncio.ensure_future(scene.batcher.stop())
    await scene.rest()
    scene.clock.advance(20)
    await settle(stopping)
    with pytest.raises(OperationRefused, match=r"^batcher is stopped, but .* in 1 transaction"):
        await stopping
    assert scene.l1.pool == {}


async def test_a_start_goes_on_from_the_safe_head(scene: RunningScene) -> None:
    """What the open channel held when it was stopped is not lost."""
    for _ in range(3):
        await scene.step()
    await scene.batcher.stop()
    for _ in range(3):
        await scene.step()
    scene.batcher.start()
    newest = scene.node.reader.heads().unsafe
    await scene.step()
    await scene.node.derive()
    scene.clock.advance(1)
    await settle()
    scene.batcher.flush()
    await scene.until(lambda: scene.l1.pool)
    await scene.step()
    await scene.step()
    assert scene.node.reader.heads().safe.number >= newest.number
    await scene.verifier.derive()
    scene.check_equal(newest)


async def test_what_was_done_before_is_refused(scene: RunningScene) -> None:
    with pytest.raises(OperationRefused, match=r"^batcher is already running$"):
        scene.batcher.start()
    await scene.batcher.stop()
    for refused in (scene.batcher.stop(), flush(scene)):
        with pytest.raises(OperationRefused, match=r"^batcher is not running$"):
            await refused
    scene.batcher.start()
    assert scene.batcher.is_running


async def flush(scene: RunningScene) -> None:
    scene.batcher.flush()
