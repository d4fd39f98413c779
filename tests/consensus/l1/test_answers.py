"""L1 believed, and not: what a server can make up in each case."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consensus.l1.answers import TrustedAnswers
from consensus.l1.client import L1Client
from consensus.l1.json_objects import MalformedL1Data
from consensus.l1.json_rpc import Json, JsonRpc
from tests.consensus.l1.signed import ALL_KINDS
from tests.fakes.l1_server import L1Server
from tests.fakes.l1_source import Included
from tests.fakes.pool_l1 import PoolL1


@pytest.fixture
async def server() -> AsyncIterator[L1Server]:
    server = L1Server(PoolL1())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def checking(server: L1Server) -> AsyncIterator[L1Client]:
    client = L1Client(JsonRpc(server.url))
    yield client
    await client.close()


@pytest.fixture
async def trusting(server: L1Server) -> AsyncIterator[L1Client]:
    client = L1Client(JsonRpc(server.url), TrustedAnswers())
    yield client
    await client.close()


def without_the_first(method: str, result: Json) -> Json:
    """Leave out the first transaction or receipt."""
    found: Any = result
    if method == "eth_getBlockByHash" and found["transactions"]:
        return {**found, "transactions": found["transactions"][1:]}
    return found[1:] if method == "eth_getBlockReceipts" else found


async def test_both_read_an_honest_server(
    server: L1Server, checking: L1Client, trusting: L1Client
) -> None:
    ref = server.l1.mine(*(Included(tx) for tx in ALL_KINDS))
    assert await trusting.block(ref.hash) == await checking.block(ref.hash)
    assert await trusting.receipts(ref.hash) == await checking.receipts(ref.hash)


async def test_what_is_left_out_is_noticed_unless_the_server_is_trusted(
    server: L1Server, checking: L1Client, trusting: L1Client
) -> None:
    ref = server.l1.mine(*(Included(tx) for tx in ALL_KINDS))
    server.distort = without_the_first
    with pytest.raises(MalformedL1Data, match="expected transactions of root"):
        await checking.block(ref.hash)
    with pytest.raises(MalformedL1Data, match="expected receipts of root"):
        await checking.receipts(ref.hash)
    assert len((await trusting.block(ref.hash)).transactions) == len(ALL_KINDS) - 1
    assert len(await trusting.receipts(ref.hash)) == len(ALL_KINDS) - 1


async def test_a_header_has_its_hash_in_any_case(server: L1Server, trusting: L1Client) -> None:
    ref = server.l1.mine()

    def other_root(method: str, result: Json) -> Json:
        assert isinstance(result, dict)
        return {**result, "stateRoot": "0x" + "11" * 32}

    server.distort = other_root
    with pytest.raises(MalformedL1Data, match="expected a header of hash"):
        await trusting.header(ref.hash)


async def test_a_transaction_of_an_impersonated_account(
    server: L1Server, checking: L1Client, trusting: L1Client
) -> None:
    ref = server.l1.mine(Included(ALL_KINDS[2]))

    def impersonated(method: str, result: Json) -> Json:
        found: Any = result
        if method != "eth_getBlockByHash" or not found["transactions"]:
            return result
        (tx,) = found["transactions"]
        return {**found, "transactions": [{**tx, "r": "0x0", "s": "0x0"}]}

    server.distort = impersonated
    with pytest.raises(MalformedL1Data, match="its fields hash to"):
        await checking.block(ref.hash)
    (tx,) = (await trusting.block(ref.hash)).transactions
    assert tx.to == ALL_KINDS[2].to
