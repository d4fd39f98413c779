"""The L1 dev chain in this process. The rest of the program reaches it over HTTP, as any L1."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from node.clock import Clock
from node.dev_chain import DevChain, DevChainConfig
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis import Genesis
from node.storage.database import CopyOf
from node.types.primitives import Hash32
from node.worker import run_in_thread
from openrollup.execution_node import ExecutionNode
from openrollup.pool_sink import PoolSink
from openrollup.version import CLIENT_VERSION
from rpc.api import ethereum_methods
from rpc.beacon import BeaconApi
from rpc.dispatcher import Dispatcher
from rpc.methods.dev import dev_methods
from rpc.methods.openrollup import openrollup_methods
from rpc.server import RpcServer


class EmbeddedL1:
    """A chain under Ethereum rules with its block producer, its JSON-RPC and its Beacon API.

    `not_before` may be set to make its time follow another chain's. With `serves_dev` anybody may
    reorganize it.
    """

    def __init__(
        self,
        genesis: Genesis,
        path: Path | CopyOf | None,
        port: int,
        clock: Clock,
        chain: DevChainConfig,
        interpreter: Interpreter = DEFAULT_INTERPRETER,
        kept_blocks: int | None = None,
        *,
        serves_dev: bool = False,
    ) -> None:
        self.not_before: Callable[[], int] = lambda: 0
        self.node = ExecutionNode.open(genesis, path, interpreter, kept_blocks)
        self.chain = DevChain(
            self.node.engine,
            self.node.reader,
            self.node.mempool,
            clock,
            chain,
            not_before=lambda: self.not_before(),
        )
        sink = PoolSink(self.node.mempool)
        self._server = RpcServer(
            Dispatcher(
                (
                    *ethereum_methods(
                        self.node.reader,
                        self.node.mempool,
                        genesis.config,
                        sink,
                        clock,
                        CLIENT_VERSION,
                    ),
                    *openrollup_methods(genesis),
                    *(dev_methods(self) if serves_dev else ()),
                )
            ),
            port=port,
            routes=BeaconApi(self.node.reader, CLIENT_VERSION).routes(),
        )

    @property
    def url(self) -> str:
        """Where its JSON-RPC and its Beacon API listen, once started."""
        return self._server.url

    async def start(self) -> None:
        """Listen; blocks come with `chain.run`."""
        await self._server.start()

    async def reorg(self, depth: int) -> list[Hash32]:
        """Replace the newest blocks by as many others; return the hashes of those, oldest first.

        OperationRefused if that would reach a finalized block.
        """
        blocks = await run_in_thread(partial(self.chain.reorg, depth))
        return [block.hash for block in blocks]

    async def stop_listening(self) -> None:
        """Take no more calls, and let those that run finish (two seconds at most)."""
        await self._server.stop()

    async def close(self) -> None:
        """Stop listening and close the store."""
        await self.stop_listening()
        self.node.close()
