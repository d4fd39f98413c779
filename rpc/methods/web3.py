"""The web3 namespace."""

from node.types.primitives import keccak256
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import data
from rpc.params import byte_string, required


def web3_methods(client_version: str) -> tuple[Method, ...]:
    """Return the methods; `client_version` is what the node calls itself, as name/version."""

    async def version() -> str:
        return client_version

    async def sha3(raw: bytes) -> str:
        return data(keccak256(raw))

    return (
        Method("web3_clientVersion", version),
        Method("web3_sha3", sha3, (required(byte_string),)),
    )
