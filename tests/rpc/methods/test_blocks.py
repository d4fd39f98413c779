import pytest

from tests.rpc.chain import GENESIS_TIME, RpcFailure, RpcNode
from tests.rpc.openrpc import result_schemas, violations

NOWHERE = "0x" + "77" * 32


async def test_the_chain(node: RpcNode) -> None:
    assert await node.call("eth_chainId") == hex(node.chain.config.chain_id)
    assert await node.call("eth_blockNumber") == "0x0"
    assert await node.call("eth_syncing") is False
    assert await node.call("net_version") == str(node.chain.config.chain_id)
    assert await node.call("web3_clientVersion") == "openrollup/test"
    node.chain.mine()
    assert await node.call("eth_blockNumber") == "0x1"


async def test_genesis_is_a_block(node: RpcNode) -> None:
    block = await node.call("eth_getBlockByNumber", "earliest", True)
    assert block["number"] == "0x0"
    assert block["parentHash"] == "0x" + "00" * 32
    assert block["timestamp"] == hex(GENESIS_TIME)
    assert block["transactions"] == []
    assert violations(result_schemas()["eth_getBlockByNumber"], block) == []
    assert await node.call("eth_getBlockReceipts", "0x0") == []


async def test_a_block_by_number_and_by_hash(node: RpcNode) -> None:
    tx = node.chain.transfer()
    mined = node.chain.mine(tx)
    schemas = result_schemas()
    for full in (False, True):
        block = await node.call("eth_getBlockByNumber", "0x1", full)
        assert block == await node.call("eth_getBlockByHash", "0x" + mined.hash.hex(), full)
        assert block["hash"] == "0x" + mined.hash.hex()
        last = block["transactions"][-1]
        assert (last["hash"] if full else last) == "0x" + tx.hash.hex()
        if node.chain.config.rollup is None:
            assert violations(schemas["eth_getBlockByNumber"], block) == []
    assert (await node.call("eth_getBlockByNumber", "0x1"))["transactions"][-1] == last["hash"]


async def test_a_deposit_in_a_block_shows_its_nonce(rollup: RpcNode) -> None:
    for _ in range(2):
        rollup.chain.mine()
    deposit = (await rollup.call("eth_getBlockByNumber", "0x2", True))["transactions"][0]
    assert (deposit["type"], deposit["nonce"]) == ("0x7e", "0x1")
    by_hash = await rollup.call("eth_getTransactionByHash", deposit["hash"])
    by_index = await rollup.call("eth_getTransactionByBlockNumberAndIndex", "0x2", "0x0")
    assert by_hash == by_index == deposit


async def test_tags(node: RpcNode) -> None:
    for _ in range(5):
        node.chain.mine()
    node.chain.settle(safe=3, finalized=1)
    numbers = {}
    for tag in ("earliest", "finalized", "safe", "latest", "pending"):
        numbers[tag] = (await node.call("eth_getBlockByNumber", tag, False))["number"]
    assert numbers == {
        "earliest": "0x0", "finalized": "0x1", "safe": "0x3", "latest": "0x5", "pending": "0x5"
    }  # fmt: skip


async def test_counts(node: RpcNode) -> None:
    mined = node.chain.mine(node.chain.transfer())
    count = hex(len(mined.transactions))
    block_hash = "0x" + mined.hash.hex()
    assert await node.call("eth_getBlockTransactionCountByNumber", "latest") == count
    assert await node.call("eth_getBlockTransactionCountByHash", block_hash) == count
    assert await node.call("eth_getUncleCountByBlockNumber", "0x1") == "0x0"
    assert await node.call("eth_getUncleCountByBlockHash", block_hash) == "0x0"
    assert await node.call("eth_getUncleByBlockNumberAndIndex", "0x1", "0x0") is None


async def test_what_is_not_there_is_null(ethereum: RpcNode) -> None:
    for method, *params in (
        ("eth_getBlockByNumber", "0x1", False),
        ("eth_getBlockByHash", NOWHERE, False),
        ("eth_getBlockTransactionCountByNumber", "0x1"),
        ("eth_getBlockTransactionCountByHash", NOWHERE),
        ("eth_getUncleCountByBlockHash", NOWHERE),
        ("eth_getBlockReceipts", "0x1"),
        ("eth_getBlockReceipts", NOWHERE),
        ("eth_getTransactionByHash", NOWHERE),
        ("eth_getTransactionReceipt", NOWHERE),
        ("eth_getTransactionByBlockNumberAndIndex", "0x0", "0x0"),
        ("eth_getTransactionByBlockHashAndIndex", NOWHERE, "0x0"),
    ):
        assert await ethereum.call(method, *params) is None, method


async def test_a_block_that_was_unwound(node: RpcNode) -> None:
    genesis = node.chain.reader.head_header()
    lost = node.chain.mine()
    node.chain.mine(parent=genesis, salt=1)
    lost_hash = "0x" + lost.hash.hex()
    assert (await node.call("eth_getBlockByHash", lost_hash, False))["hash"] == lost_hash
    balance = ("eth_getBalance", "0x" + "11" * 20)
    assert await node.call(*balance, {"blockHash": lost_hash}) == "0x0"
    with pytest.raises(RpcFailure, match="hash is not currently canonical") as refusal:
        await node.call(*balance, {"blockHash": lost_hash, "requireCanonical": True})
    assert refusal.value.code == -32000
