"""How far the safe head is behind L1, in L1 blocks, second by second in virtual time."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from consensus.l1_info import decode_l1_info_deposit
from node.types.transaction import Transaction
from tests.consensus.passing_time import WatchedThreads
from tests.consensus.sequencer.test_recovery import L1_BLOCK_TIME, Process, Scene
from tests.fakes.l1_source import Included

USUAL = 2
"""A block is posted when L1 has the next one after its origin, and comes into the one after."""
MOST = 10
CATCH_UP_S = 4
"""Each block that is derived again takes a turn, some dozens a virtual second."""
_WARM_UP_S = 14 * L1_BLOCK_TIME


class LagScene(Scene):
    """A scene that notes the lag of each second. No second passes before all is done that takes
    none.
    """

    def __init__(self, threads: WatchedThreads) -> None:
        super().__init__()
        self.lags: list[int] = []
        self._threads = threads

    def lag(self) -> int:
        """Return L1's head minus the safe head's L1 origin."""
        reader = self.process.node.reader
        safe = reader.block_by_hash(reader.heads().safe.hash)
        assert safe is not None
        first = self.l1.genesis.number
        origin = decode_l1_info_deposit(safe).l1_block.number if safe.number else first
        return self.l1.head.number - origin

    async def seconds(self, count: int, *, l1: bool = True) -> None:
        for _ in range(count):
            self.clock.advance(1)
            if l1 and self.clock.now() >= self.l1.head.timestamp + L1_BLOCK_TIME:
                self.l1.mine_pool()
            await self._threads.quiet()
            self.lags.append(self.lag())

    async def down(self, seconds: int) -> None:
        """Kill the process; L1 goes on until there is another one."""
        await self.process.kill()
        for _ in range(seconds):
            self.clock.advance(1)
            if self.clock.now() >= self.l1.head.timestamp + L1_BLOCK_TIME:
                self.l1.mine_pool()
        self.process = Process(self)

    def reorg(self, depth: int, *, returns: bool) -> None:
        """Replace L1's newest blocks by as many, the first of them empty. `returns`: what they held
        comes into the second one, or back into the pool.
        """
        first = self.l1.head.number - depth + 1
        orphans = [self.l1._blocks[self.l1.at(n).hash] for n in range(first, first + depth)]
        lost = [tx for block in orphans for tx in block.transactions] if returns else []
        self.l1.fork(first - 1)
        for number, block in enumerate(orphans):
            again = lost if number == 1 else []
            self.l1.mine(*(Included(tx) for tx in again), timestamp=block.header.timestamp)
        for tx in lost if depth == 1 else []:
            assert isinstance(tx, Transaction)
            self.l1.pool[tx.sender, tx.nonce] = tx


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
    """The batches that are valid still count: the safe head is its depth behind, and one block."""
    await scene.seconds(_WARM_UP_S)
    assert scene.lag() <= USUAL
    scene.lags.clear()
    scene.reorg(depth, returns=True)
    await scene.seconds(3 * L1_BLOCK_TIME)
    assert max(scene.lags) <= max(2 * USUAL, depth + 1) <= MOST
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
