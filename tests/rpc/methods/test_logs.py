from typing import Any

import pytest
from eth_abi.abi import encode

from node.types.primitives import Address, create_address, keccak256
from rpc.poll_filters import LIFETIME_S, MAX_FILTERS
from tests.rpc.chain import ALICE, BOB, Chain, RpcFailure, RpcNode
from tests.rpc.methods.test_state import deploy, hexed, selector
from tests.rpc.openrpc import result_schemas, violations

TOPIC = hexed(keccak256(b"GreetingChanged(address,string)"))
BY_ALICE = "0x" + "00" * 12 + ALICE.address.hex()
BY_BOB = "0x" + "00" * 12 + BOB.address.hex()


@pytest.fixture
def greeter(node: RpcNode) -> Address:
    """A contract that was deployed in block 1."""
    return deploy(node.chain, "Greeter", ["string"], ["hello"])


def greet(chain: Chain, greeter: Address, text: str, sender: Any = ALICE) -> Any:
    data = selector("setGreeting(string)") + encode(["string"], [text])
    return chain.transfer(to=greeter, value=0, data=data, sender=sender)


async def numbers(node: RpcNode, **query: Any) -> list[int]:
    logs = await node.call("eth_getLogs", query)
    assert violations(result_schemas()["eth_getLogs"], logs) == []
    return [int(log["blockNumber"], 16) for log in logs]


async def test_get_logs(node: RpcNode, greeter: Address) -> None:
    for text in ("two", "three"):
        node.chain.mine(greet(node.chain, greeter, text))
    both = node.chain.mine(
        greet(node.chain, greeter, "four"), greet(node.chain, greeter, "four", BOB)
    )
    every = {"fromBlock": "earliest"}
    assert await numbers(node, **every, toBlock="latest") == [2, 3, 4, 4]
    assert await numbers(node, **every, toBlock="0x3") == [2, 3]
    assert await numbers(node, fromBlock="0x3") == [3, 4, 4]
    assert await numbers(node) == [4, 4]
    assert await numbers(node, **every, toBlock="0xffff") == [2, 3, 4, 4]
    assert await numbers(node, fromBlock="0x5", toBlock="0x6") == []
    assert await numbers(node, blockHash=hexed(both.hash)) == [4, 4]
    assert await numbers(node, **every, address=hexed(greeter), topics=[TOPIC]) == [2, 3, 4, 4]
    assert await numbers(node, **every, address=[hexed(BOB.address)]) == []
    assert await numbers(node, **every, topics=[None, BY_BOB]) == [4]
    assert await numbers(node, **every, topics=[[TOPIC, BY_BOB], [BY_ALICE]]) == [2, 3, 4]
    assert await numbers(node, **every, topics=[TOPIC, None, None]) == []
    assert await numbers(node, **every, topics=[]) == [2, 3, 4, 4]


async def test_a_log_is_the_receipt_s(node: RpcNode, greeter: Address) -> None:
    tx = greet(node.chain, greeter, "two")
    node.chain.mine(tx)
    receipt = await node.call("eth_getTransactionReceipt", hexed(tx.hash))
    assert await node.call("eth_getLogs", {}) == receipt["logs"]
    assert receipt["logs"][0]["topics"] == [TOPIC, BY_ALICE]
    assert receipt["contractAddress"] is None
    created = await node.call("eth_getBlockReceipts", "0x1")
    assert created[-1]["contractAddress"] == hexed(create_address(ALICE.address, 0))


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"fromBlock": "0x2", "toBlock": "0x1"}, -32602, "invalid block range params"),
        ({"blockHash": "0x" + "77" * 32}, -32000, "unknown block"),
        ({"blockHash": "0x" + "77" * 32, "toBlock": "0x1"}, -32602, "invalid argument 0: cannot"),
        ({"topics": [TOPIC] * 5}, -32602, "invalid argument 0: expected at most 4 items"),
    ],
)
async def test_refused_queries(
    ethereum: RpcNode, query: dict[str, Any], code: int, message: str
) -> None:
    with pytest.raises(RpcFailure) as refusal:
        await ethereum.call("eth_getLogs", query)
    assert refusal.value.code == code
    assert refusal.value.message.startswith(message)


async def test_a_block_filter(node: RpcNode) -> None:
    node.chain.mine()
    filter_id = await node.call("eth_newBlockFilter")
    assert violations(result_schemas()["eth_newBlockFilter"], filter_id) == []
    assert await node.call("eth_getFilterChanges", filter_id) == []
    new = [node.chain.mine(), node.chain.mine()]
    assert await node.call("eth_getFilterChanges", filter_id) == [hexed(b.hash) for b in new]
    assert await node.call("eth_getFilterChanges", filter_id) == []


async def test_a_block_filter_sees_a_reorg(node: RpcNode) -> None:
    node.chain.mine()
    fork = node.chain.reader.head_header()
    node.chain.mine()
    filter_id = await node.call("eth_newBlockFilter")
    node.chain.mine()
    assert len(await node.call("eth_getFilterChanges", filter_id)) == 1
    new = [node.chain.mine(parent=fork, salt=1), node.chain.mine(), node.chain.mine()]
    assert await node.call("eth_getFilterChanges", filter_id) == [hexed(b.hash) for b in new]
    node.chain.engine.set_heads(unsafe=fork.ref)
    assert await node.call("eth_getFilterChanges", filter_id) == []
    again = node.chain.mine(salt=2)
    assert await node.call("eth_getFilterChanges", filter_id) == [hexed(again.hash)]


async def test_a_log_filter(node: RpcNode, greeter: Address) -> None:
    node.chain.mine(greet(node.chain, greeter, "before"))
    query = {"address": hexed(greeter), "topics": [None, BY_ALICE]}
    filter_id = await node.call("eth_newFilter", query)
    assert await node.call("eth_getFilterChanges", filter_id) == []
    node.chain.mine(greet(node.chain, greeter, "one"), greet(node.chain, greeter, "two", BOB))
    changes = await node.call("eth_getFilterChanges", filter_id)
    assert [log["topics"][1] for log in changes] == [BY_ALICE]
    assert changes == await node.call("eth_getFilterLogs", filter_id)
    assert await node.call("eth_getFilterChanges", filter_id) == []


async def test_a_log_filter_takes_back_what_a_reorg_undid(node: RpcNode, greeter: Address) -> None:
    fork = node.chain.reader.head_header()
    filter_id = await node.call("eth_newFilter", {})
    node.chain.mine(greet(node.chain, greeter, "one"))
    (told,) = await node.call("eth_getFilterChanges", filter_id)
    node.chain.mine(parent=fork, salt=1)
    changes = await node.call("eth_getFilterChanges", filter_id)
    assert changes[0] == told | {"removed": True}


async def test_a_log_filter_keeps_to_its_range(node: RpcNode, greeter: Address) -> None:
    filter_id = await node.call("eth_newFilter", {"fromBlock": "0x3", "toBlock": "0x3"})
    for text in ("two", "three", "four"):
        node.chain.mine(greet(node.chain, greeter, text))
    changes = await node.call("eth_getFilterChanges", filter_id)
    assert [log["blockNumber"] for log in changes] == ["0x3"]


async def test_a_filter_of_pending_transactions(node: RpcNode) -> None:
    hashes = await node.call("eth_newPendingTransactionFilter")
    whole = await node.call("eth_newPendingTransactionFilter", True)
    tx = node.chain.transfer()
    await node.call("eth_sendRawTransaction", hexed(tx.raw))
    node.chain.mine()
    assert await node.call("eth_getFilterChanges", hashes) == [hexed(tx.hash)]
    assert [o["hash"] for o in await node.call("eth_getFilterChanges", whole)] == [hexed(tx.hash)]
    assert await node.call("eth_getFilterChanges", hashes) == []
    with pytest.raises(RpcFailure, match="filter not found"):
        await node.call("eth_getFilterLogs", hashes)


async def test_filters_end(ethereum: RpcNode) -> None:
    kept, left = [await ethereum.call("eth_newBlockFilter") for _ in range(2)]
    ethereum.clock.advance(LIFETIME_S - 1)
    await ethereum.call("eth_getFilterChanges", kept)
    ethereum.clock.advance(1)
    await ethereum.call("eth_getFilterChanges", kept)
    with pytest.raises(RpcFailure, match="filter not found") as refusal:
        await ethereum.call("eth_getFilterChanges", left)
    assert refusal.value.code == -32000
    assert await ethereum.call("eth_uninstallFilter", kept) is True
    assert await ethereum.call("eth_uninstallFilter", kept) is False
    with pytest.raises(RpcFailure, match="filter not found"):
        await ethereum.call("eth_getFilterChanges", kept)


async def test_filters_are_bounded(ethereum: RpcNode) -> None:
    for _ in range(MAX_FILTERS):
        await ethereum.call("eth_newBlockFilter")
    with pytest.raises(RpcFailure, match="too many filters") as refusal:
        await ethereum.call("eth_newBlockFilter")
    assert refusal.value.code == -32000


async def test_a_filter_cannot_wait_for_a_known_block(ethereum: RpcNode) -> None:
    with pytest.raises(RpcFailure, match="blockHash is not supported") as refusal:
        await ethereum.call("eth_newFilter", {"blockHash": "0x" + "77" * 32})
    assert refusal.value.code == -32602
    with pytest.raises(RpcFailure, match="expected a filter id"):
        await ethereum.call("eth_getFilterChanges", 5)
