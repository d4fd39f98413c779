"""The dev namespace: what only a chain that is made for development lets anybody do to it."""

from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, data
from rpc.params import block_count, required
from rpc.ports import ReorgPort


def dev_methods(l1: ReorgPort) -> tuple[Method, ...]:
    """Return the methods of the embedded L1."""

    async def reorg(depth: int) -> Json:
        return [data(block_hash) for block_hash in await l1.reorg(depth)]

    return (Method("dev_reorgL1", reorg, (required(block_count),)),)
