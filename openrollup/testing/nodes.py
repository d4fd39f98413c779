"""The three nodes of a test's network, put together as the program does, on a clock of our own."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from consensus.batcher.channel_builder import BatchType
from consensus.batcher.data_availability import DataAvailability
from consensus.deploy import Rollup
from consensus.l1.chain_config import parse_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from node.clock import VirtualClock
from node.dev_chain import DevChainConfig
from node.genesis.dev_accounts import BATCHER_ACCOUNT
from node.storage.database import CopyOf
from openrollup.embedded_l1 import EmbeddedL1
from openrollup.rollup_node import RollupNode, RollupNodeConfig, Sequencing
from openrollup.rollup_ports import ForwardingSink
from openrollup.testing.image import L1, SEQUENCER, VERIFIER, Image, pooled
from openrollup.testing.options import DevnetOptions

_HOST = "127.0.0.1"
# The L1 takes whatever it has into its next block, and that comes when the test says so.
_NEVER_S = 1e9


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the three nodes listen; 0 lets the system choose."""

    l1: int = 0
    sequencer: int = 0
    verifier: int = 0

    def still_free(self) -> "Ports":
        """Return the same ports but for those that somebody else has taken meanwhile."""
        return Ports(*(_free_or_any(port) for port in (self.l1, self.sequencer, self.verifier)))


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes that listen and do nothing by themselves."""

    rollup: Rollup
    clock: VirtualClock
    l1: EmbeddedL1
    sequencer: RollupNode
    verifier: RollupNode

    @property
    def ports(self) -> Ports:
        """Where they listen."""
        urls = (self.l1.url, self.sequencer.url, self.verifier.url)
        return Ports(*(int(url.rpartition(":")[2]) for url in urls))

    def save(self, image: Image) -> None:
        """Write the stores into the image's directory. Nobody may be writing to them."""
        stores = {L1: self.l1.node, SEQUENCER: self.sequencer.node, VERIFIER: self.verifier.node}
        for name, node in stores.items():
            node.database.copy_to(image.directory / name)

    def pools(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Return what is pending on L1 and on L2.

        A batcher that starts anew posts again what is not safe: its pending transactions are left
        out.
        """
        batcher = BATCHER_ACCOUNT.address
        return pooled(self.l1.node.mempool, batcher), pooled(self.sequencer.node.mempool)


@asynccontextmanager
async def open_nodes(image: Image, ports: Ports, options: DevnetOptions) -> AsyncIterator[Nodes]:
    """Start the nodes of an image, and close them in the end."""
    clock = VirtualClock(image.time)
    async with AsyncExitStack() as stack:
        l1 = EmbeddedL1(image.l1_genesis, image.store(L1), ports.l1, clock, DevChainConfig())
        stack.push_async_callback(l1.close)
        await l1.start()
        rpc = JsonRpc(l1.url)
        stack.push_async_callback(rpc.close)
        client = L1Client(rpc)

        sequencing = Sequencing(
            BATCHER_ACCOUNT.private_key,
            batch_type=BatchType(options.batch_type),
            data_availability=DataAvailability(options.da),
            resend_after_s=_NEVER_S,
        )
        config = _config(image, image.store(SEQUENCER), ports.sequencer, sequencing)
        sequencer = RollupNode(config, client, clock, None)
        stack.push_async_callback(sequencer.close)
        assert sequencer.batcher is not None, "a sequencer has a batcher"
        stack.callback(sequencer.batcher.close)
        await sequencer.start()

        sink = ForwardingSink(sequencer.url)
        stack.push_async_callback(sink.close)
        config = _config(image, image.store(VERIFIER), ports.verifier, None)
        verifier = RollupNode(config, client, clock, sink)
        stack.push_async_callback(verifier.close)
        await verifier.start()

        for raw in image.l1_pool:
            l1.node.mempool.add(raw)
        for raw in image.l2_pool:
            sequencer.node.mempool.add(raw)
        yield Nodes(image.rollup, clock, l1, sequencer, verifier)


def _config(
    image: Image, store: CopyOf | None, port: int, sequencing: Sequencing | None
) -> RollupNodeConfig:
    rollup = image.rollup
    return RollupNodeConfig(
        rollup=rollup.config,
        genesis=rollup.genesis,
        l1_chain=parse_l1_chain_config(rollup.l1_chain),
        path=store,
        port=port,
        sequencing=sequencing,
    )


def _free_or_any(port: int) -> int:
    with socket.socket() as probe:
        # As the server does: a port whose last connections are ending is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return 0
    return port
