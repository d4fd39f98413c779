import pytest

from node.types.block import decode_block, decode_header
from node.types.receipt import decode_receipt
from node.types.transaction import decode_transaction
from tests.rpc.chain import RpcFailure, RpcNode
from tests.rpc.openrpc import result_schemas, violations

NOWHERE = "0x" + "77" * 32


def unhexed(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


async def test_encodings_decode_to_what_was_mined(node: RpcNode) -> None:
    tx = node.chain.transfer()
    mined = node.chain.mine(tx)
    receipts = node.chain.reader.receipts(mined.hash)
    assert receipts is not None
    for place in ("0x1", "latest", "0x" + mined.hash.hex(), {"blockHash": "0x" + mined.hash.hex()}):
        assert decode_block(unhexed(await node.call("debug_getRawBlock", place))) == mined
        header = decode_header(unhexed(await node.call("debug_getRawHeader", place)))
        assert header == mined.header
        raw = await node.call("debug_getRawReceipts", place)
        assert [unhexed(item) for item in raw] == [receipt.encode() for receipt in receipts]
        assert decode_receipt(unhexed(raw[-1]), 0).status == 1
    raw_tx = await node.call("debug_getRawTransaction", "0x" + tx.hash.hex())
    assert decode_transaction(unhexed(raw_tx)) == tx


async def test_the_first_block_too(node: RpcNode) -> None:
    assert len(decode_block(unhexed(await node.call("debug_getRawBlock", "0x0"))).transactions) == 0
    assert await node.call("debug_getRawReceipts", "earliest") == []


async def test_a_transaction_of_the_pool(node: RpcNode) -> None:
    tx = node.chain.transfer()
    node.chain.mempool.add_transaction(tx)
    assert unhexed(await node.call("debug_getRawTransaction", "0x" + tx.hash.hex())) == tx.raw


async def test_what_is_not_there(node: RpcNode) -> None:
    assert await node.call("debug_getRawBlock", "0x9") == "0x"
    assert await node.call("debug_getRawHeader", "0x9") == "0x"
    assert await node.call("debug_getRawReceipts", "0x9") is None
    assert await node.call("debug_getRawTransaction", NOWHERE) == "0x"
    for what, method in (("header", "Header"), ("block", "Block"), ("block", "Receipts")):
        with pytest.raises(RpcFailure, match=f"-32000: {what} {NOWHERE} not found"):
            await node.call(f"debug_getRaw{method}", NOWHERE)


async def test_results_have_the_shape_of_the_execution_apis(node: RpcNode) -> None:
    tx = node.chain.transfer()
    node.chain.mine(tx)
    schemas = result_schemas()
    for method in ("debug_getRawHeader", "debug_getRawBlock", "debug_getRawReceipts"):
        assert violations(schemas[method], await node.call(method, "0x1")) == []
    raw = await node.call("debug_getRawTransaction", "0x" + tx.hash.hex())
    assert violations(schemas["debug_getRawTransaction"], raw) == []
