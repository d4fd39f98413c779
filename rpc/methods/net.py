"""The net namespace. The node has no peers: it reads L1, and takes transactions by RPC."""

from rpc.dispatcher import Method


def net_methods(chain_id: int) -> tuple[Method, ...]:
    """Return the methods; the network id is the chain id."""

    async def version() -> str:
        return str(chain_id)

    async def listening() -> bool:
        return True

    async def peer_count() -> str:
        return "0x0"

    return (
        Method("net_version", version),
        Method("net_listening", listening),
        Method("net_peerCount", peer_count),
    )
