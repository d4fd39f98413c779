"""A node of a chain in memory whose answers can be changed on their way out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

from node.clock import VirtualClock
from rpc.api import ethereum_methods
from rpc.dispatcher import Dispatcher
from rpc.errors import method_not_found
from rpc.methods.openrollup import openrollup_methods
from rpc.server import RpcServer
from tests.rpc.chain import GENESIS_TIME, Chain

Change = Callable[[Any], Any]


class LyingNode(Dispatcher):
    """Knows no method in `missing`; `changes` maps a method to what is done to its results."""

    def __init__(self, chain: Chain) -> None:
        clock = VirtualClock(GENESIS_TIME)
        methods = ethereum_methods(
            chain.reader, chain.mempool, chain.config, chain, clock, "openrollup/test"
        )
        super().__init__((*methods, *openrollup_methods(chain.genesis)))
        self.chain = chain
        self.url = ""
        self.missing: set[str] = set()
        self.changes: dict[str, Change] = {}
        self.before: Callable[[str, Any], None] = lambda method, params: None
        self.calls: list[str] = []

    async def call(self, name: str, params: Any) -> Any:
        self.calls.append(name)
        if name in self.missing:
            raise method_not_found(name)
        self.before(name, params)
        result = await super().call(name, params)
        change = self.changes.get(name)
        return result if change is None else change(deepcopy(result))


@asynccontextmanager
async def lying_node(chain: Chain) -> AsyncIterator[LyingNode]:
    """Serve a chain as long as the block runs."""
    node = LyingNode(chain)
    server = RpcServer(node)
    await server.start()
    node.url = server.url
    try:
        yield node
    finally:
        await server.stop()
