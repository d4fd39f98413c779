from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.config import rollup_config_to_json
from consensus.status import SyncStatus
from node.clock import VirtualClock
from node.errors import DecodingError, InvalidTransaction, TemporaryError
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from node.types.transaction import decode_signed_transaction
from openrollup.rollup_ports import ConfigView, ForwardingSink, NoSink, StatusView
from rpc.dispatcher import Dispatcher, Method
from rpc.encoding.hexadecimal import Json
from rpc.errors import RpcError, from_node_error
from rpc.params import required
from rpc.server import RpcServer
from tests.consensus.rollup_node import RollupNode, make_genesis, user_transfer
from tests.fakes.l1_source import FakeL1


def l1_ref(byte: int) -> L1BlockRef:
    parent = Hash32(bytes([byte - 1]) * 32)
    return L1BlockRef(Hash32(bytes([byte]) * 32), BlockNumber(byte), parent, 100 * byte)


def l2_ref(byte: int) -> L2BlockRef:
    origin = BlockRef(Hash32(b"\xaa" * 32), BlockNumber(7))
    l1 = l1_ref(byte)
    return L2BlockRef(l1.hash, l1.number, l1.parent_hash, l1.timestamp, origin, 3)


def test_sync_status_in_op_node_s_spelling() -> None:
    status = SyncStatus(
        current_l1=l1_ref(5),
        current_l1_finalized=None,
        head_l1=l1_ref(9),
        safe_l1=l1_ref(8),
        finalized_l1=None,
        unsafe_l2=l2_ref(4),
        safe_l2=l2_ref(3),
        finalized_l2=l2_ref(2),
        pending_safe_l2=l2_ref(3),
        cross_unsafe_l2=l2_ref(4),
        local_safe_l2=l2_ref(3),
    )
    shown = StatusView(lambda: status).sync_status()
    assert set(shown) == {
        *("current_l1", "current_l1_finalized", "head_l1", "safe_l1", "finalized_l1"),
        *("unsafe_l2", "safe_l2", "finalized_l2", "pending_safe_l2"),
        *("cross_unsafe_l2", "local_safe_l2"),
    }
    assert shown["current_l1"] == {
        "hash": "0x" + "05" * 32,
        "number": 5,
        "parentHash": "0x" + "04" * 32,
        "timestamp": 500,
    }
    assert shown["finalized_l1"] == {
        "hash": "0x" + "00" * 32,
        "number": 0,
        "parentHash": "0x" + "00" * 32,
        "timestamp": 0,
    }
    assert shown["unsafe_l2"] == {
        "hash": "0x" + "04" * 32,
        "number": 4,
        "parentHash": "0x" + "03" * 32,
        "timestamp": 400,
        "l1origin": {"hash": "0x" + "aa" * 32, "number": 7},
        "sequenceNumber": 3,
    }


async def test_config_and_block_references() -> None:
    l1 = FakeL1()
    config, genesis = make_genesis(l1)
    node = RollupNode(l1, config, genesis, VirtualClock(l1.genesis.timestamp))
    view = ConfigView(config)
    assert view.rollup_config() == rollup_config_to_json(config)
    block = await node.build()
    shown = view.l2_block_ref(block)
    assert (shown["hash"], shown["number"]) == ("0x" + block.hash.hex(), 1)
    assert shown["l1origin"] == {"hash": "0x" + l1.genesis.hash.hex(), "number": l1.genesis.number}
    node.close()


async def test_a_verifier_without_a_sequencer_says_what_helps() -> None:
    with pytest.raises(InvalidTransaction, match="start it with --sequencer URL"):
        await NoSink().send(b"")


RAW = user_transfer(0)
HASH = decode_signed_transaction(RAW).hash


@asynccontextmanager
async def sequencer(refusal: RpcError | None = None) -> AsyncIterator[tuple[str, list[Json]]]:
    """Serve a sequencer that takes transactions, or refuses them; yield its URL and the taken."""
    taken: list[Json] = []

    async def send(raw: Json) -> Json:
        if refusal is not None:
            raise refusal
        taken.append(raw)
        return "0x" + "00" * 32

    method = Method("eth_sendRawTransaction", send, (required(lambda value: value),))
    server = RpcServer(Dispatcher([method]))
    await server.start()
    try:
        yield server.url, taken
    finally:
        await server.stop()


@asynccontextmanager
async def sink(url: str) -> AsyncIterator[ForwardingSink]:
    opened = ForwardingSink(url)
    try:
        yield opened
    finally:
        await opened.close()


async def test_transactions_are_passed_on() -> None:
    async with sequencer() as (url, taken), sink(url) as door:
        assert await door.send(RAW) == HASH
    assert taken == ["0x" + RAW.hex()]


async def test_a_refusal_has_the_sequencer_s_words() -> None:
    words = "nonce too low: address 0x12, tx: 0 state: 5"
    async with sequencer(RpcError(-32000, words)) as (url, _), sink(url) as door:
        with pytest.raises(InvalidTransaction) as caught:
            await door.send(RAW)
    assert str(caught.value) == words
    assert from_node_error(caught.value).to_json() == {"code": -32000, "message": words}


async def test_what_is_no_transaction_is_not_passed_on() -> None:
    async with sequencer() as (url, taken), sink(url) as door:
        with pytest.raises(DecodingError):
            await door.send(b"\x02\xc0")
    assert taken == []


async def test_a_sequencer_that_is_not_there() -> None:
    async with sequencer() as (url, _):
        pass
    async with sink(url) as door:
        with pytest.raises(TemporaryError, match="the sequencer cannot be reached: "):
            await door.send(RAW)
