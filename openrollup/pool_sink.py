"""The door of a node that keeps transactions itself."""

import asyncio

from node.mempool import Mempool
from node.types.primitives import Hash32


class PoolSink:
    """Hands transactions to the node's own pool."""

    def __init__(self, mempool: Mempool) -> None:
        self._mempool = mempool

    async def send(self, raw: bytes) -> Hash32:
        """Check a transaction and keep it; in a thread, since recovering its sender takes time."""
        return await asyncio.to_thread(self._mempool.add, raw)
