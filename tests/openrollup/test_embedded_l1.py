import asyncio
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
import pytest

from consensus.l1.json_rpc import RpcFault, Unreachable
from node.dev_chain import DevChainConfig
from node.head_change import HeadChange
from node.types.blob_transaction import encode_pooled_transaction
from node.worker import run_in_thread
from openrollup.embedded_l1 import EmbeddedL1
from openrollup.version import CLIENT_VERSION
from tests.node.blobs import blob_transaction, sidecar
from tests.node.chains import GENESIS
from tests.openrollup.network import ALICE, FRIEND, FastClock, ask, sign


@pytest.fixture
async def l1() -> AsyncIterator[EmbeddedL1]:
    l1 = EmbeddedL1(GENESIS, None, 0, FastClock(), DevChainConfig())
    await l1.start()
    yield l1
    await l1.close()


async def test_it_answers_as_any_l1(l1: EmbeddedL1) -> None:
    assert await ask(l1.url, "eth_chainId") == hex(900)
    assert await ask(l1.url, "web3_clientVersion") == CLIENT_VERSION
    with pytest.raises(RpcFault, match="-32601"):
        await ask(l1.url, "optimism_syncStatus")  # that is a rollup's


async def test_transactions_come_over_http_and_go_into_blocks(l1: EmbeddedL1) -> None:
    tx = sign(ALICE, 900, 0, FRIEND, b"", value=5)
    assert await ask(l1.url, "eth_sendRawTransaction", "0x" + tx.raw.hex()) == "0x" + tx.hash.hex()
    await run_in_thread(partial(l1.chain.produce, 0))
    assert await ask(l1.url, "eth_getBalance", "0x" + FRIEND.hex(), "latest") == "0x5"


async def test_blobs_come_over_http_and_are_served_on_the_same_port(l1: EmbeddedL1) -> None:
    carried = sidecar(1, 2)
    tx = blob_transaction(carried, key=ALICE.private_key, chain_id=900)
    raw = "0x" + encode_pooled_transaction(tx).hex()
    assert await ask(l1.url, "eth_sendRawTransaction", raw) == "0x" + tx.hash.hex()
    await run_in_thread(partial(l1.chain.produce, 0))
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{l1.url}/eth/v1/beacon/blobs/head") as response,
    ):
        blobs = (await response.json())["data"]
    assert blobs == ["0x" + blob.hex() for blob in carried.blobs]


async def test_its_time_can_follow_another_s(l1: EmbeddedL1) -> None:
    later = GENESIS.timestamp + 10**9
    l1.not_before = lambda: later
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_change(change: HeadChange) -> None:
        loop.call_soon_threadsafe(arrived.set)

    l1.node.engine.subscribe(on_change)
    producing = asyncio.ensure_future(l1.chain.run())  # long overdue, a block comes at once
    await arrived.wait()
    producing.cancel()
    await asyncio.wait([producing])
    assert l1.node.reader.head_header().timestamp >= later


async def test_after_the_end_nobody_answers() -> None:
    l1 = EmbeddedL1(GENESIS, None, 0, FastClock(), DevChainConfig())
    await l1.start()
    url = l1.url
    await l1.stop_listening()
    with pytest.raises(Unreachable):
        await ask(url, "eth_chainId")
    await l1.close()
