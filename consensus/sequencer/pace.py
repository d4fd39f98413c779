"""When the next L2 block is due: by the clock, or as soon as there is something to put into it."""

import asyncio
from typing import Protocol

from consensus.block_refs import L2BlockRef
from consensus.l1.watcher import L1Watcher
from node.clock import Clock
from node.mempool import Mempool
from node.types.primitives import Hash32
from node.types.transaction import Transaction


class Pace(Protocol):
    """Decides how long the sequencer waits before it builds on a block."""

    async def wait(self, head: L2BlockRef) -> None:
        """Return when the child of `head` may be built."""
        ...


class BlockTimer:
    """A block each `block_time` seconds; one that is late comes at once."""

    def __init__(self, clock: Clock, block_time: int) -> None:
        self._clock = clock
        self._block_time = block_time

    async def wait(self, head: L2BlockRef) -> None:
        """Wait for the child's own timestamp."""
        await self._clock.sleep_until(head.timestamp + self._block_time)


class OnDemand:
    """A block for each pending transaction at once, and empty ones while L1's time is ahead.

    Blocks are still `block_time` seconds apart by their timestamps, so L2's time is not the
    clock's. L1 must follow it, as the embedded one does.
    """

    def __init__(self, mempool: Mempool, watcher: L1Watcher, block_time: int) -> None:
        self._mempool = mempool
        self._watcher = watcher
        self._block_time = block_time
        self._arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._ready_before = 0
        self._let_through: Hash32 | None = None
        mempool.subscribe(self._wake)

    async def wait(self, head: L2BlockRef) -> None:
        """Wait for a transaction, or for L1 to be a block time ahead.

        Asked again about the same head, it returns at once: the block that was due was not built.
        """
        while head.hash != self._let_through and not self._is_due(head):
            seen = self._watcher.heads
            waits = [
                asyncio.ensure_future(self._arrived.wait()),
                asyncio.ensure_future(self._watcher.change(seen)),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        self._let_through = head.hash
        self._arrived.clear()
        self._ready_before = self._mempool.ready_count()

    def _is_due(self, head: L2BlockRef) -> bool:
        # What the last block left behind waits for the next arrival if that block took nothing:
        # it may never fit, and empty blocks would race ahead of L1.
        was_useful = 0 < self._mempool.ready_count() < self._ready_before
        return self._arrived.is_set() or was_useful or self._is_l1_ahead(head)

    def _is_l1_ahead(self, head: L2BlockRef) -> bool:
        heads = self._watcher.heads
        return heads is not None and heads.latest.timestamp >= head.timestamp + self._block_time

    def _wake(self, _: Transaction) -> None:
        self._loop.call_soon_threadsafe(self._arrived.set)
