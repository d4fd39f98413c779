from node.genesis import parse_genesis
from tests.rpc.chain import RpcNode


async def test_the_genesis_file_gives_the_same_chain(node: RpcNode) -> None:
    assert parse_genesis(await node.call("openrollup_genesis")) == node.chain.genesis
