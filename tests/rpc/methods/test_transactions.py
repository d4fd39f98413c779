from typing import Any

import pytest

from node.types.transaction import decode_transaction
from tests.rpc import samples
from tests.rpc.chain import ALICE, BOB, TIP, RpcFailure, RpcNode
from tests.rpc.openrpc import result_schemas, violations


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


async def test_from_sending_to_receipt(node: RpcNode) -> None:
    tx = node.chain.transfer(value=5)
    tx_hash = await node.call("eth_sendRawTransaction", hexed(tx.raw))
    assert tx_hash == hexed(tx.hash)

    pending = await node.call("eth_getTransactionByHash", tx_hash)
    assert pending["blockHash"] is None
    assert pending["from"] == hexed(ALICE.address)
    assert await node.call("eth_getTransactionReceipt", tx_hash) is None
    nonce = ("eth_getTransactionCount", hexed(ALICE.address))
    assert [await node.call(*nonce, tag) for tag in ("latest", "pending")] == ["0x0", "0x1"]

    block = node.chain.mine()
    mined = await node.call("eth_getTransactionByHash", tx_hash)
    index = hex(len(block.transactions) - 1)
    by_index = ("eth_getTransactionByBlockHashAndIndex", hexed(block.hash), index)
    assert mined == await node.call(*by_index)
    assert (mined["blockNumber"], mined["transactionIndex"]) == ("0x1", index)
    assert await node.call("eth_getRawTransactionByHash", tx_hash) == hexed(tx.raw)
    assert violations(result_schemas()["eth_getTransactionByHash"], mined) == []

    receipt = await node.call("eth_getTransactionReceipt", tx_hash)
    assert receipt["status"] == "0x1"
    assert receipt["gasUsed"] == hex(21_000)
    assert receipt["effectiveGasPrice"] == mined["gasPrice"] == hex(block.header.base_fee + TIP)
    assert receipt == (await node.call("eth_getBlockReceipts", "latest"))[-1]
    assert [await node.call(*nonce, tag) for tag in ("latest", "pending")] == ["0x1", "0x1"]


async def test_receipts_of_ethereum_follow_the_schema(ethereum: RpcNode) -> None:
    ethereum.chain.mine(ethereum.chain.transfer())
    schemas = result_schemas()
    receipts = await ethereum.call("eth_getBlockReceipts", "0x1")
    assert violations(schemas["eth_getBlockReceipts"], receipts) == []


async def test_receipts_of_a_rollup_show_the_l1_fee(rollup: RpcNode) -> None:
    tx = rollup.chain.transfer()
    rollup.chain.mine(tx)
    attributes, transfer = await rollup.call("eth_getBlockReceipts", "0x1")
    assert attributes["type"] == "0x7e"
    assert attributes["depositNonce"] == "0x0"
    assert "l1Fee" not in attributes
    assert int(transfer["l1Fee"], 16) > 0
    # What Alice no longer has is what the receipt says she paid.
    balance = int(await rollup.call("eth_getBalance", hexed(ALICE.address), "0x1"), 16)
    before = int(await rollup.call("eth_getBalance", hexed(ALICE.address), "0x0"), 16)
    gas = int(transfer["gasUsed"], 16)
    operator = gas * int(transfer["operatorFeeScalar"], 16) // 10**6
    operator += int(transfer["operatorFeeConstant"], 16)
    paid = gas * int(transfer["effectiveGasPrice"], 16) + int(transfer["l1Fee"], 16) + operator
    assert before - balance == tx.value + paid


async def test_an_unwound_transaction_is_pending_again(node: RpcNode) -> None:
    genesis = node.chain.reader.head_header()
    tx = node.chain.transfer()
    node.chain.mine(tx)
    node.chain.engine.set_heads(unsafe=genesis.ref)
    assert await node.call("eth_getTransactionReceipt", hexed(tx.hash)) is None
    assert (await node.call("eth_getTransactionByHash", hexed(tx.hash)))["blockHash"] is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda chain: chain.transfer(nonce=0), "nonce too low: address 0x"),
        (lambda chain: chain.transfer(value=10**24), "insufficient funds for gas * price + value"),
        (lambda chain: chain.transfer(gas=20_000), "intrinsic gas too low"),
        (lambda chain: chain.transfer(gas=10**8), "exceeds block gas limit"),
        (lambda chain: chain.transfer(chain_id=1), "invalid chain id for signer"),
        (lambda chain: samples.deposit(), "transaction type not supported"),
    ],
)
async def test_refused_transactions(node: RpcNode, make: Any, message: str) -> None:
    node.chain.mine(node.chain.transfer())
    with pytest.raises(RpcFailure) as refusal:
        await node.call("eth_sendRawTransaction", hexed(make(node.chain).raw))
    assert refusal.value.code == -32000
    assert message in refusal.value.message


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        ("", -32602, "invalid argument 0: empty hex string"),
        ("0x1", -32602, "invalid argument 0: hex string of odd length"),
        ("0x", -32000, "transaction: expected an envelope, got no bytes"),
        ("0x05", -32000, "transaction type not supported: 0x05"),
        ("0x02c0", -32000, "type 2 transaction"),
        ("0x" + "c1" * 5_000, -32000, ""),
    ],
)
async def test_bytes_that_are_no_transaction(
    node: RpcNode, raw: str, code: int, message: str
) -> None:
    with pytest.raises(RpcFailure) as refusal:
        await node.call("eth_sendRawTransaction", raw)
    assert refusal.value.code == code
    assert refusal.value.message.startswith(message)


async def test_the_same_transaction_twice(node: RpcNode) -> None:
    tx = node.chain.transfer()
    await node.call("eth_sendRawTransaction", hexed(tx.raw))
    with pytest.raises(RpcFailure, match="already known"):
        await node.call("eth_sendRawTransaction", hexed(tx.raw))


async def test_the_pool(node: RpcNode) -> None:
    ready, gapped = node.chain.transfer(), node.chain.transfer(nonce=5, to=None, data=b"\x00")
    for tx in (ready, gapped):
        await node.call("eth_sendRawTransaction", hexed(tx.raw))
    schemas = result_schemas()
    status = await node.call("txpool_status")
    assert status == {"pending": "0x1", "queued": "0x1"}
    assert violations(schemas["txpool_status"], status) == []

    alice = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    content = await node.call("txpool_content")
    assert content["pending"][alice]["0"]["hash"] == hexed(ready.hash)
    assert content["queued"][alice]["5"]["hash"] == hexed(gapped.hash)
    own = await node.call("txpool_contentFrom", hexed(ALICE.address))
    assert own == {name: content[name][alice] for name in ("pending", "queued")}
    assert await node.call("txpool_contentFrom", hexed(BOB.address)) == {
        "pending": {}, "queued": {}
    }  # fmt: skip
    summaries = await node.call("txpool_inspect")
    assert summaries["pending"][alice]["0"] == (
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8: 1 wei + 1000000 gas × 100000000000 wei"  # noqa: RUF001
    )
    assert summaries["queued"][alice]["5"].startswith("contract creation: 1 wei")


async def test_raw_transactions_decode_to_what_was_sent(node: RpcNode) -> None:
    tx = node.chain.transfer()
    await node.call("eth_sendRawTransaction", hexed(tx.raw))
    raw = await node.call("eth_getRawTransactionByHash", hexed(tx.hash))
    assert decode_transaction(bytes.fromhex(raw[2:])) == tx
