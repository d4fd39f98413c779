"""A sequencer with its batcher in exact virtual time: how far its safe head is behind L1."""

from consensus.l1_info import decode_l1_info_deposit
from node.types.transaction import Transaction
from tests.consensus.passing_time import WatchedThreads
from tests.consensus.sequencer.test_recovery import L1_BLOCK_TIME, Process, Scene
from tests.fakes.l1_source import Included


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
