"""What can go wrong with a transaction, at both clients."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3

from attribution.client import AsyncAttributionClient, AttributionClient, ReceiptLog
from attribution.client.exchange import Operation
from attribution.client.receipt_log import send_batch
from attribution.refusals import (
    BadSequence,
    NoAttribution,
    NoKey,
    NotIncluded,
    NotSent,
    UnknownModel,
)
from node.types.primitives import Hash32
from openrollup.testing import Devnet
from tests.attribution.client.scene import PRICE, receipt

FIRST, SECOND = receipt(), receipt()


@pytest.fixture
async def node(devnet: Devnet) -> AsyncIterator[Any]:
    w3: Any = AsyncWeb3(AsyncHTTPProvider(devnet.l2.url))
    yield w3
    await w3.provider.disconnect()


def registered(devnet: Devnet) -> tuple[AttributionClient, Hash32, int]:
    """A client whose model is registered, and its key and stream."""
    client = AttributionClient(devnet.w3, devnet.accounts[1])
    model = client.register_model(
        bytes(32), "", price_gwei=PRICE, owner_bps=0, logger=client.address
    )
    return client, model.model_key, model.stream


def in_the_pool(devnet: Devnet, stream: int) -> None:
    """Leave a batch at place 0 in the pool, before what comes next."""
    request = send_batch(stream, 0, (FIRST,))
    devnet.w3.eth.send_transaction(
        {
            "from": devnet.accounts[1].address,
            "to": "0x0000000000000000000000000000000000000A77",
            "data": request.data,
            "gas": 200_000,
        }
    )


def test_a_batch_that_comes_second(devnet: Devnet) -> None:
    client, key, stream = registered(devnet)
    in_the_pool(devnet, stream)
    with pytest.raises(BadSequence) as raised:
        client.append(key, [SECOND], from_seq=0)
    assert raised.value.expected == 1
    assert devnet.l2.receipts(devnet.l2.block())[-1].status == 0


async def test_a_batch_that_comes_second_with_asyncio(devnet: Devnet, node: Any) -> None:
    _, key, stream = await asyncio.to_thread(registered, devnet)
    await asyncio.to_thread(in_the_pool, devnet, stream)
    client = AsyncAttributionClient(node, devnet.accounts[1])
    appending = asyncio.create_task(client.append(key, [SECOND], 0))
    while (await node.provider.make_request("txpool_status", []))["result"]["pending"] != "0x2":  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.to_thread(devnet.mine)
    with pytest.raises(BadSequence) as raised:
        await appending
    assert raised.value.expected == 1


def test_a_block_that_does_not_come(devnet: Devnet) -> None:
    waiting, key, stream = registered(devnet)
    plain = Web3(HTTPProvider(devnet.l2.url))  # it waits in real time, in which nothing happens
    client = AttributionClient(plain, devnet.accounts[1], timeout_s=0.05)
    log = ReceiptLog(key, client.address)
    log.add(FIRST)
    with pytest.raises(NotIncluded) as raised:
        client.flush(log)
    assert log.waiting == 1
    assert devnet.l2.reader.transaction(raised.value.transaction) is None
    devnet.mine()
    assert client.flush(log) == ()
    assert (log.waiting, log.unsafe) == (0, 1)
    assert waiting.head(client.address, stream).count == 1


async def test_a_block_that_does_not_come_with_asyncio(devnet: Devnet, node: Any) -> None:
    _, key, _ = await asyncio.to_thread(registered, devnet)
    client = AsyncAttributionClient(node, devnet.accounts[1], timeout_s=0.05)
    with pytest.raises(NotIncluded):
        await client.append(key, [FIRST])


async def test_refusals_with_asyncio(devnet: Devnet, node: Any) -> None:
    _, key, stream = await asyncio.to_thread(registered, devnet)
    client = AsyncAttributionClient(node, devnet.accounts[2])
    with pytest.raises(UnknownModel):
        await client.model(bytes(32))
    with pytest.raises(UnknownModel):
        await client.set_price(bytes(32), 1)
    with pytest.raises(NotSent, match="insufficient funds"):
        await client.deposit(key, 2**63)
    reader = AsyncAttributionClient(node)
    assert (await reader.head(client.address, stream)).count == 0
    with pytest.raises(NoKey):
        await reader.claim()
    with pytest.raises(NoKey):
        await reader.sign_voucher(key, 1, 2)
    with pytest.raises(NoKey):
        _ = reader.address


def test_keys_in_any_form(devnet: Devnet) -> None:
    account = devnet.accounts[1]
    forms = (bytes(account.key), "0x" + account.key.hex(), account)
    addresses = {AttributionClient(devnet.w3, form).address for form in forms}
    assert addresses == {bytes.fromhex(account.address[2:])}


def test_an_operation_of_ones_own(devnet: Devnet) -> None:
    client, _, stream = registered(devnet)

    def write() -> Operation[Any]:
        return (yield send_batch(stream, 0, (FIRST,)))

    assert client.carry_out(write()).logs[0].data[:32] == bytes(32)


@pytest.mark.devnet(automine=True)
async def test_several_at_once(devnet: Devnet, node: Any) -> None:
    client = AsyncAttributionClient(node, devnet.accounts[1])
    done = await asyncio.gather(
        *(client.register_dataset(number.to_bytes(32, "big"), "") for number in range(5))
    )
    assert sorted(registered.id for registered in done) == [1, 2, 3, 4, 5]


async def test_a_chain_without_attribution(devnet: Devnet) -> None:
    """What is sent to an account without code succeeds: it would cost its fee for nothing."""
    account = devnet.accounts[1]
    async_w3: Any = AsyncWeb3(AsyncHTTPProvider(devnet.l1.url))

    def claim() -> None:
        AttributionClient(Web3(HTTPProvider(devnet.l1.url)), account).claim()

    with pytest.raises(NoAttribution, match="this chain has no attribution"):
        await asyncio.to_thread(claim)
    with pytest.raises(NoAttribution):
        await AsyncAttributionClient(async_w3, account).claim()
    assert await async_w3.eth.get_transaction_count(account.address, "pending") == 0
    await async_w3.provider.disconnect()
