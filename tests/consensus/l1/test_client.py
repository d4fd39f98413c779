from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from consensus.l1.client import L1Client
from consensus.l1.json_objects import MalformedL1Data, UnsupportedL1
from consensus.l1.json_rpc import JsonRpc, RpcFault, RpcSettings
from consensus.l1.source import L1BlockGone, L1NotFound
from node.clock import SystemClock
from node.types.primitives import Address, Hash32, keccak256
from node.types.receipt import Log
from tests.consensus.l1.signed import ALL_KINDS
from tests.consensus.rollup import batcher_transaction
from tests.fakes.l1_server import L1Server
from tests.fakes.l1_source import Included
from tests.fakes.pool_l1 import PoolL1

PATIENCE = RpcSettings(first_retry_s=0.0)


@pytest.fixture
async def server() -> AsyncIterator[L1Server]:
    server = L1Server(PoolL1())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: L1Server) -> AsyncIterator[L1Client]:
    client = L1Client(JsonRpc(server.url, PATIENCE, SystemClock()))
    yield client
    await client.close()


async def test_reads_what_the_chain_holds(server: L1Server, client: L1Client) -> None:
    log = Log(Address(b"\x01" * 20), (Hash32(b"\x02" * 32),), b"\x03" * 40)
    ref = server.l1.mine(*(Included(tx, (log,)) for tx in ALL_KINDS), Included(ALL_KINDS[0], (), 0))
    assert await client.chain_id() == 900
    assert await client.block_ref_by_number(ref.number) == ref
    assert await client.block_ref_by_label("latest") == ref
    assert await client.header(ref.hash) == await server.l1.header(ref.hash)
    assert await client.block(ref.hash) == await server.l1.block(ref.hash)
    ours, theirs = await client.receipts(ref.hash), await server.l1.receipts(ref.hash)
    assert [replace(r, contract_address=None) for r in ours] == list(theirs)


async def test_blocks_and_receipts_are_asked_for_once(server: L1Server, client: L1Client) -> None:
    ref = server.l1.mine(Included(ALL_KINDS[2]))
    for _ in range(3):
        await client.header(ref.hash)
        await client.block(ref.hash)
        await client.receipts(ref.hash)
    assert len(server.calls) == 3


async def test_what_is_not_there_has_a_name(server: L1Server, client: L1Client) -> None:
    with pytest.raises(L1NotFound, match="no block 0x1f4"):
        await client.block_ref_by_number(500)
    with pytest.raises(L1NotFound):
        await client.block_ref_by_label("finalized")
    unknown = keccak256(b"unknown")
    for read in (client.header, client.block, client.receipts):
        with pytest.raises(L1BlockGone):
            await read(unknown)


async def test_an_error_about_a_label_means_that_there_is_none(
    server: L1Server, client: L1Client
) -> None:
    def distort(method: str, result: Any) -> Any:
        raise RpcFault(method, -39001, "Finalized block not found")

    server.distort = distort
    with pytest.raises(L1NotFound):
        await client.block_ref_by_label("finalized")


async def test_receipts_one_by_one_where_a_server_has_no_others(
    server: L1Server, client: L1Client
) -> None:
    server.missing.add("eth_getBlockReceipts")
    included = [Included(batcher_transaction(bytes([i]), nonce=i)) for i in range(5)]
    ref = server.l1.mine(*included)
    assert len(await client.receipts(ref.hash)) == 5
    server.l1.mine()
    assert await client.receipts(server.l1.head.hash) == ()
    assert server.calls.count("eth_getBlockReceipts") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stateRoot", "0x" + "11" * 32),
        ("timestamp", "0x1"),
        ("hash", "0x" + "22" * 32),
        ("extraData", "0x00"),
        ("parentBeaconBlockRoot", "0x" + "00" * 32),
        ("requestsHash", None),
        ("number", "0x1"),
        ("gasUsed", 21000),
        ("logsBloom", "0x"),
        ("miner", "0xzz"),
        ("mixHash", None),
    ],
)
async def test_a_header_with_a_wrong_field_is_refused(
    server: L1Server, client: L1Client, field: str, value: Any
) -> None:
    ref = server.l1.mine()
    server.distort = lambda method, result: {**result, field: value}
    with pytest.raises(MalformedL1Data):
        await client.header(ref.hash)
    with pytest.raises(MalformedL1Data):
        await client.block_ref_by_number(ref.number)


async def test_an_unknown_header_field_is_named(server: L1Server, client: L1Client) -> None:
    ref = server.l1.mine()
    server.distort = lambda method, result: {
        **result,
        "hash": "0x" + "11" * 32,
        "blockAccessListHash": "0x" + "22" * 32,
    }
    with pytest.raises(MalformedL1Data, match=r"without blockAccessListHash, unknown here"):
        await client.header(ref.hash)


async def test_another_block_than_asked_for_is_refused(server: L1Server, client: L1Client) -> None:
    first, second = server.l1.mine(), server.l1.mine()
    other = await server._block("0x" + second.hash.hex(), full=True)
    server.distort = lambda method, result: other
    with pytest.raises(MalformedL1Data):
        await client.header(first.hash)
    with pytest.raises(MalformedL1Data):
        await client.block_ref_by_number(first.number)


@pytest.mark.parametrize(
    "change",
    [
        lambda txs: txs[:-1],
        lambda txs: txs[::-1],
        lambda txs: [{**txs[0], "value": "0x7"}, *txs[1:]],
        lambda txs: [{**txs[0], "from": None, "hash": "0x" + "00" * 32}, *txs[1:]],
        lambda txs: [txs[0]["hash"], *txs[1:]],
        lambda txs: None,
        lambda txs: [{**txs[0], "r": "0x" + "f" * 80}, *txs[1:]],
    ],
)
async def test_wrong_transactions_are_refused(
    server: L1Server, client: L1Client, change: Any
) -> None:
    ref = server.l1.mine(*(Included(tx) for tx in ALL_KINDS))
    server.distort = lambda method, result: {
        **result,
        "transactions": change(result["transactions"]),
    }
    with pytest.raises(MalformedL1Data):
        await client.block(ref.hash)


async def test_a_transaction_type_of_the_future_stops_the_node(
    server: L1Server, client: L1Client
) -> None:
    ref = server.l1.mine(Included(ALL_KINDS[2]))
    server.distort = lambda method, result: {
        **result,
        "transactions": [{**result["transactions"][0], "type": "0x55"}],
    }
    with pytest.raises(UnsupportedL1, match="unknown type 0x55"):
        await client.block(ref.hash)


async def test_a_chain_before_cancun_stops_the_node(server: L1Server, client: L1Client) -> None:
    server.distort = lambda method, result: {
        key: value
        for key, value in result.items()
        if key not in ("parentBeaconBlockRoot", "blobGasUsed", "excessBlobGas")
    }
    with pytest.raises(UnsupportedL1, match="Cancun or later"):
        await client.block_ref_by_label("latest")


@pytest.mark.parametrize(
    "change",
    [
        lambda receipts: receipts[:-1],
        lambda receipts: [{**receipts[0], "status": "0x0"}, *receipts[1:]],
        lambda receipts: [{**receipts[0], "logs": []}, *receipts[1:]],
        lambda receipts: [{**receipts[0], "type": "0x100"}, *receipts[1:]],
        lambda receipts: "0x",
    ],
)
async def test_wrong_receipts_are_refused(server: L1Server, client: L1Client, change: Any) -> None:
    log = Log(Address(b"\x01" * 20), (), b"")
    ref = server.l1.mine(Included(ALL_KINDS[1], (log,)), Included(ALL_KINDS[2]))
    await client.header(ref.hash)
    server.distort = lambda method, result: change(result)
    with pytest.raises(MalformedL1Data):
        await client.receipts(ref.hash)


async def test_sending_and_following_a_transaction(server: L1Server, client: L1Client) -> None:
    tx = batcher_transaction(b"data")
    assert await client.nonce(tx.sender) == 0
    assert await client.balance(tx.sender) == 1000 * 10**18
    assert await client.priority_fee() == 10**9
    assert await client.send_raw_transaction(tx.raw) == tx.hash
    assert await client.transaction_inclusion(tx.hash) is None
    with pytest.raises(RpcFault, match="already known"):
        await client.send_raw_transaction(tx.raw)
    block = server.l1.mine_pool()
    inclusion = await client.transaction_inclusion(tx.hash)
    assert inclusion is not None
    assert (inclusion.hash, inclusion.block, inclusion.status) == (tx.hash, block, 1)
    assert await client.base_fee() == (await server.l1.header(block.hash)).base_fee


async def test_an_l1_that_suggests_no_tip(server: L1Server, client: L1Client) -> None:
    server.missing.add("eth_maxPriorityFeePerGas")
    assert await client.priority_fee() is None


def test_there_is_a_sample_of_each_kind() -> None:
    assert sorted(tx.type for tx in ALL_KINDS) == [0, 0, 1, 2, 3, 4]
