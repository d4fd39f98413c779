"""The openrollup namespace: what only this node says of itself."""

from node.genesis import Genesis, genesis_to_json
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json
from rpc.slow_reads import SlowReads


def openrollup_methods(genesis: Genesis) -> tuple[Method, ...]:
    """Return the methods of the chain that begins with `genesis`."""
    slow_reads = SlowReads()

    async def genesis_file() -> Json:
        # Made for each answer: it may be megabytes, and hardly anybody asks.
        return await slow_reads.run(genesis_to_json, genesis)

    return (Method("openrollup_genesis", genesis_file),)
