from typing import Any

import pytest

from node.execution.fees import blob_base_fee, next_base_fee
from tests.rpc.chain import TIP, RpcFailure, RpcNode
from tests.rpc.openrpc import result_schemas, violations


async def test_suggestions(node: RpcNode) -> None:
    for _ in range(3):
        node.chain.mine(node.chain.transfer())
    head = node.chain.reader.head_header()
    tip = int(await node.call("eth_maxPriorityFeePerGas"), 16)
    assert tip == TIP
    assert int(await node.call("eth_gasPrice"), 16) == tip + head.base_fee
    blob_fee = int(await node.call("eth_blobBaseFee"), 16)
    assert blob_fee == blob_base_fee(node.chain.config, head)


async def test_the_suggestion_follows_the_chain(ethereum: RpcNode) -> None:
    before = await ethereum.call("eth_maxPriorityFeePerGas")
    assert before == await ethereum.call("eth_maxPriorityFeePerGas")
    ethereum.chain.mine(ethereum.chain.transfer(max_priority_fee_per_gas=5 * TIP))
    assert await ethereum.call("eth_maxPriorityFeePerGas") == hex(5 * TIP)


async def test_history(node: RpcNode) -> None:
    for _ in range(3):
        node.chain.mine(node.chain.transfer())
    history = await node.call("eth_feeHistory", "0x2", "latest", [0, 50, 100])
    assert violations(result_schemas()["eth_feeHistory"], history) == []
    head = node.chain.reader.head_header()
    assert history["oldestBlock"] == "0x2"
    assert history["baseFeePerGas"][-2:] == [
        hex(head.base_fee), hex(next_base_fee(node.chain.config, head))
    ]  # fmt: skip
    assert history["gasUsedRatio"][-1] == head.gas_used / head.gas_limit
    assert history["reward"] == [[hex(TIP)] * 3] * 2


async def test_history_without_rewards(node: RpcNode) -> None:
    node.chain.mine()
    history = await node.call("eth_feeHistory", 10, "0x1")
    assert history["oldestBlock"] == "0x0"
    assert len(history["baseFeePerGas"]) == 3
    assert "reward" not in history


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        (["0x1", "0x9"], -32000, "header not found"),
        (["0x1", "latest", [50, 10]], -32602, "invalid reward percentile"),
        (["0x1", "latest", [101]], -32602, "invalid reward percentile"),
        (["0x1", "latest", [50] * 101], -32602, "invalid argument 2: expected at most 100 items"),
        (["0x1", "latest", ["50"]], -32602, "invalid argument 2: expected a number"),
        (["one", "latest"], -32602, "invalid argument 0: hex string without 0x prefix"),
    ],
)
async def test_refusals(ethereum: RpcNode, params: list[Any], code: int, message: str) -> None:
    with pytest.raises(RpcFailure) as refusal:
        await ethereum.call("eth_feeHistory", *params)
    assert refusal.value.code == code
    assert refusal.value.message.startswith(message)
