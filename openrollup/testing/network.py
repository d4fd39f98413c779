"""A network that a test uses: its nodes, one step at a time, and how it is saved and restored.

Everything here runs in one event loop.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

from node.mempool import Mempool
from node.reader import Reader
from node.types.block import Block
from node.types.deposit import DepositTransaction
from node.types.primitives import Hash32
from node.types.transaction import Transaction
from openrollup.testing.errors import DevnetError, NotIncluded
from openrollup.testing.image import Image, found
from openrollup.testing.nodes import Nodes, Ports, open_nodes
from openrollup.testing.options import DevnetOptions
from openrollup.testing.stepper import Stepper

T = TypeVar("T")


class Network:
    """Runs from `start` to `close`. `directory` is for its images; nothing else is put there."""

    def __init__(self, options: DevnetOptions, directory: Path) -> None:
        self._options = options
        self._directory = directory
        self._turn = asyncio.Lock()
        self._images = 0
        self._open: AsyncExitStack | None = None
        self._nodes: Nodes | None = None
        self._stepper: Stepper | None = None
        self._automining: asyncio.Task[None] | None = None

    @property
    def nodes(self) -> Nodes:
        """The nodes as they are now; others after a `restore`."""
        if self._nodes is None:
            raise DevnetError("the network does not run")
        return self._nodes

    async def start(self) -> None:
        """Found a rollup and start its nodes."""
        await self._begin(await found(self._options, self._next_directory()), Ports())

    async def save(self) -> Image:
        """Write down the network as it is."""
        async with self._turn:
            nodes = self.nodes
            l1_pool, l2_pool = nodes.pools()
            image = Image(
                self._next_directory(),
                nodes.l1.node.genesis,
                nodes.rollup,
                nodes.clock.now(),
                l1_pool,
                l2_pool,
            )
            await asyncio.to_thread(nodes.save, image)
            return image

    async def restore(self, image: Image) -> None:
        """Go on from an image; the nodes listen where they did."""
        async with self._turn:
            ports = self.nodes.ports
            await self._end()
            await self._begin(image, ports.still_free())

    def forget_after(self, image: Image) -> None:
        """Remove the images that were made after this one."""
        for number in range(int(image.directory.name) + 1, self._images + 1):
            shutil.rmtree(self._directory / str(number), ignore_errors=True)

    async def close(self) -> None:
        """Stop the nodes."""
        async with self._turn:
            await self._end()

    async def step(self, work: Callable[[Stepper], Awaitable[T]]) -> T:
        """Let `work` make steps while nobody else makes any."""
        async with self._turn:
            self._check_automining()
            if self._stepper is None:
                raise DevnetError("the network does not run")
            return await work(self._stepper)

    async def include(self, tx_hash: Hash32) -> None:
        """Build L2 blocks until a pending transaction is in one; NotIncluded says why it is not."""
        node = self.nodes.sequencer.node
        await self.step(lambda stepper: _include(tx_hash, node.reader, node.mempool, stepper.mine))

    async def include_on_l1(self, tx_hash: Hash32) -> None:
        """Do on L1 what `include` does on L2."""
        node = self.nodes.l1.node

        async def block_of(stepper: Stepper) -> Block:
            return (await stepper.advance_l1())[0]

        await self.step(
            lambda stepper: _include(tx_hash, node.reader, node.mempool, lambda: block_of(stepper))
        )

    async def _begin(self, image: Image, ports: Ports) -> None:
        async with AsyncExitStack() as stack:
            nodes = await stack.enter_async_context(open_nodes(image, ports, self._options))
            stepper = Stepper(nodes)
            await stepper.settle()
            self._open = stack.pop_all()
        self._nodes, self._stepper = nodes, stepper
        if self._options.automine:
            self._automining = asyncio.create_task(self._automine(nodes.sequencer.node.mempool))

    async def _end(self) -> None:
        if self._automining is not None:
            self._automining.cancel()
            await asyncio.wait([self._automining])
            self._automining = None
        stack, self._open, self._nodes, self._stepper = self._open, None, None, None
        if stack is not None:
            await stack.aclose()

    def _next_directory(self) -> Path:
        self._images += 1
        return self._directory / str(self._images)

    async def _automine(self, mempool: Mempool) -> None:
        """Build a block whenever a transaction arrives, until what is left fits into none."""
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Transaction) -> None:
            loop.call_soon_threadsafe(arrived.set)

        mempool.subscribe(wake)
        arrived.set()  # what an image had pending
        while True:
            await arrived.wait()
            arrived.clear()
            async with self._turn:
                assert self._stepper is not None, "it ends before the nodes do"
                while ready := mempool.ready_count():
                    await self._stepper.mine()
                    if mempool.ready_count() >= ready:
                        break

    def _check_automining(self) -> None:
        if self._automining is not None and self._automining.done():
            self._automining.result()


async def _include(
    tx_hash: Hash32, reader: Reader, mempool: Mempool, build: Callable[[], Awaitable[Block]]
) -> None:
    name = f"transaction 0x{tx_hash.hex()}"
    while reader.transaction(tx_hash) is None:
        tx = mempool.get(tx_hash)
        if tx is None:
            raise NotIncluded(f"{name} is neither in a block nor pending: was it sent here?")
        if tx not in mempool.content().pending.get(tx.sender, ()):
            missing = mempool.pending_nonce(tx.sender)
            raise NotIncluded(
                f"{name} has nonce {tx.nonce} and waits for the one with nonce {missing}"
            )
        block = await build()
        if all(isinstance(item, DepositTransaction) for item in block.transactions):
            raise NotIncluded(f"{name} is left out of block {block.number}: {_reason(tx, block)}")


def _reason(tx: Transaction, block: Block) -> str:
    base_fee = block.header.base_fee
    if tx.max_fee_per_gas < base_fee:
        return f"its maxFeePerGas is {tx.max_fee_per_gas}, the block's base fee {base_fee}"
    if tx.gas > block.header.gas_limit - block.header.gas_used:
        return f"its gas limit is {tx.gas}, the block had less left beside its deposits"
    return "it cannot run in it; the log may say why"
