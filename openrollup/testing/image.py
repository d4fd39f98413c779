"""A network between two steps, laid down on disk: what it can be started from again."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from consensus.deploy import Rollup
from node.clock import SystemClock
from node.genesis import Genesis
from node.mempool import Mempool
from node.storage.database import CopyOf
from node.types.primitives import Address
from openrollup.dev_l1 import open_l1
from openrollup.dev_options import DevOptions
from openrollup.dev_rollup import open_rollup
from openrollup.testing.options import DevnetOptions

L1, SEQUENCER, VERIFIER = "l1", "sequencer", "verifier"


@dataclass(frozen=True, slots=True)
class Image:
    """Stores in `directory`, one folder for each node, and what nodes hold in memory.

    `time` is the clock's, in seconds since the epoch; the pools are signed transactions.
    """

    directory: Path
    l1_genesis: Genesis
    rollup: Rollup
    time: float
    l1_pool: tuple[bytes, ...] = ()
    l2_pool: tuple[bytes, ...] = ()

    def store(self, node: str) -> CopyOf | None:
        """Return the store of a node, None if it begins with its genesis."""
        directory = self.directory / node
        return CopyOf(directory) if directory.exists() else None


async def found(options: DevnetOptions, directory: Path) -> Image:
    """Start an L1, deploy the contracts of a rollup on it, and return what is there then.

    The only thing here that takes real time: the rollup's genesis is the present.
    """
    clock = SystemClock()
    dev = DevOptions(
        l1_port=0,
        port=0,
        verifier_port=0,
        block_time_s=options.block_time,
        gas_limit=options.gas_limit,
    )
    async with AsyncExitStack() as stack:
        l1 = await open_l1(dev, clock, stack)
        assert l1.embedded is not None, "without a URL the L1 is the embedded one"
        rollup = await open_rollup(dev, l1, clock)
        l1.embedded.node.database.copy_to(directory / L1)
        return Image(directory, l1.embedded.node.genesis, rollup, rollup.config.genesis.l2_time)


def pooled(mempool: Mempool, leave_out: Address | None = None) -> tuple[bytes, ...]:
    """Return the transactions of a pool but for one sender's, each sender's in nonce order."""
    content = mempool.content()
    return tuple(
        tx.raw
        for part in (content.pending, content.queued)
        for sender, transactions in part.items()
        if sender != leave_out
        for tx in transactions
    )
