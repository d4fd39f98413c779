"""How far the safe head is behind L1, in L1 blocks, second by second in virtual time."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from tests.consensus.lag_scene import LagScene
from tests.consensus.passing_time import WatchedThreads
from tests.consensus.rollup_node import user_transactions, user_transfer
from tests.consensus.sequencer.test_recovery import L1_BLOCK_TIME

USUAL = 2
"""A block is posted when L1 has the next one after its origin, and comes into the one after."""
MOST = 10
CATCH_UP_S = 4
"""Each block that is derived again takes a turn, some dozens a virtual second."""
_WARM_UP_S = 14 * L1_BLOCK_TIME


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LagScene]:
    with WatchedThreads() as threads:
        monkeypatch.setattr("node.worker._threads", threads)
        asyncio.get_running_loop().set_default_executor(threads)
        scene = LagScene(threads)
        yield scene
        await scene.close()


@pytest.mark.parametrize("depth", range(1, 9))
async def test_a_reorg_of_which_l1_keeps_the_transactions(scene: LagScene, depth: int) -> None:
    """The batches that are valid still count: its depth comes to what the safe head was behind."""
    await scene.seconds(_WARM_UP_S)
    assert scene.lag() <= USUAL
    scene.lags.clear()
    scene.reorg(depth, returns=True)
    await scene.seconds(3 * L1_BLOCK_TIME)
    assert max(scene.lags) <= max(2 * USUAL, USUAL + depth) <= MOST
    assert max(scene.lags[2 * L1_BLOCK_TIME :]) <= USUAL


@pytest.mark.parametrize("depth", range(1, 9))
async def test_a_reorg_that_takes_the_transactions(scene: LagScene, depth: int) -> None:
    """What the safe head was behind before comes to it, and one block more if it is so late that
    nothing can come into the next one: L1 leaves nothing to be safe.
    """
    await scene.seconds(_WARM_UP_S + L1_BLOCK_TIME - 1)
    scene.lags.clear()
    scene.reorg(depth, returns=False)
    await scene.seconds(3 * L1_BLOCK_TIME)
    assert max(scene.lags) <= max(2 * USUAL, USUAL + depth + 1)
    assert max(scene.lags[L1_BLOCK_TIME + CATCH_UP_S :]) <= USUAL


@pytest.mark.parametrize("seed", range(6))
async def test_a_restart_costs_nothing_but_its_time(scene: LagScene, seed: int) -> None:
    chance = random.Random(seed)
    await scene.seconds(_WARM_UP_S // 2 + chance.randrange(L1_BLOCK_TIME))
    scene.lags.clear()
    down = chance.choice((0, 1, 5))
    await scene.down(down * L1_BLOCK_TIME)
    await scene.seconds(4 * L1_BLOCK_TIME)
    assert max(scene.lags) <= USUAL + down + 2
    assert max(scene.lags[2 * L1_BLOCK_TIME + CATCH_UP_S :]) <= USUAL


@pytest.mark.parametrize("seed", range(4))
async def test_a_restart_in_the_middle_of_a_reorg(scene: LagScene, seed: int) -> None:
    chance, depth = random.Random(seed), 2 + 2 * seed
    await scene.seconds(_WARM_UP_S)
    scene.lags.clear()
    scene.reorg(depth, returns=False)
    await scene.seconds(chance.randrange(5))
    await scene.down(0)
    await scene.seconds(3 * L1_BLOCK_TIME)
    assert max(scene.lags) <= USUAL + depth + 2
    assert max(scene.lags[2 * L1_BLOCK_TIME :]) <= USUAL


@pytest.mark.parametrize("seed", range(3))
async def test_what_a_reorg_takes_back_comes_into_other_blocks(scene: LagScene, seed: int) -> None:
    """Each transaction once, in the order of its sender, whatever becomes of the blocks."""
    chance, sent = random.Random(seed), 0
    for _ in range(8):
        await scene.seconds(2 * L1_BLOCK_TIME)
        for _ in range(chance.randrange(20)):
            scene.process.node.send(sent)
            sent += 1
            await scene.seconds(chance.randrange(2))
        depth = min(chance.randint(1, 8), scene.l1.head.number - scene.l1.genesis.number - 1)
        scene.reorg(depth, returns=chance.random() < 0.5)
        await scene.seconds(chance.randrange(6))
    await scene.seconds(3 * L1_BLOCK_TIME)
    assert sent > 30
    assert scene.equivocations(), "no block was replaced"
    there = [raw for block in scene.process.node.chain() for raw in user_transactions(block)]
    assert there == [user_transfer(nonce) for nonce in range(sent)]
    assert len(scene.process.node.mempool) == 0
