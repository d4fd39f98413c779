"""The Beacon API of a chain, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from node.clock import VirtualClock
from node.dev_chain import DevChain
from node.evm.blob_proofs import commitment_to
from node.types.blob_sidecar import CELL_PROOFS, versioned_hash
from node.types.blob_transaction import encode_pooled_transaction
from node.types.transaction import Transaction
from rpc.beacon import BeaconApi
from rpc.dispatcher import Dispatcher
from rpc.server import RpcServer
from tests.node.blobs import blob, blob_transaction, sidecar
from tests.node.pooled_chain import GENESIS_TIME, PooledChain, open_pool


@dataclass
class Beacon:
    """A chain and the way to ask for its blobs."""

    chain: PooledChain
    url: str
    session: aiohttp.ClientSession

    def produce(self, *transactions: Transaction, timestamp: int = 0) -> int:
        """Let the dev chain make a block, and return its slot."""
        for tx in transactions:
            self.chain.mempool.add(encode_pooled_transaction(tx))
        chain = self.chain
        dev = DevChain(chain.engine, chain.reader, chain.mempool, VirtualClock(GENESIS_TIME))
        header = dev.produce(timestamp).block.header
        return header.timestamp - GENESIS_TIME

    async def ask(self, path: str) -> tuple[int, Any]:
        async with self.session.get(f"{self.url}/eth/v1/{path}") as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        status, answer = await self.ask(path)
        assert status == 200, answer
        return answer

    async def refused(self, path: str, status: int) -> str:
        actual, answer = await self.ask(path)
        assert (actual, answer["code"]) == (status, status)
        return str(answer["message"])


@pytest.fixture
async def beacon() -> AsyncIterator[Beacon]:
    with open_pool() as chain:
        routes = BeaconApi(chain.reader, "openrollup/1.2.3").routes()
        server = RpcServer(Dispatcher(()), routes=routes)
        await server.start()
        async with aiohttp.ClientSession() as session:
            yield Beacon(chain, server.url, session)
        await server.stop()


def shown(*seeds: int) -> list[str]:
    return ["0x" + blob(seed).hex() for seed in seeds]


async def test_what_clients_ask_first(beacon: Beacon) -> None:
    assert await beacon.get("node/version") == {"data": {"version": "openrollup/1.2.3"}}
    genesis = (await beacon.get("beacon/genesis"))["data"]
    assert genesis["genesis_time"] == str(GENESIS_TIME)
    assert genesis["genesis_fork_version"] == "0x00000000"
    spec = (await beacon.get("config/spec"))["data"]
    assert spec["SECONDS_PER_SLOT"] == "1"
    assert (spec["MAX_BLOBS_PER_BLOCK"], spec["MAX_BLOBS_PER_BLOCK_ELECTRA"]) == ("6", "9")
    assert all(isinstance(value, str) for value in spec.values())


async def test_blobs_are_found_by_slot(beacon: Beacon) -> None:
    first = blob_transaction(sidecar(1, 2))
    second = blob_transaction(sidecar(3, version=CELL_PROOFS), user=1)
    slot = beacon.produce(first, second, timestamp=GENESIS_TIME + 70)
    later = beacon.produce(blob_transaction(sidecar(4), user=2), timestamp=GENESIS_TIME + 75)
    assert (slot, later) == (70, 75)
    answer = await beacon.get(f"beacon/blobs/{slot}")
    expected = shown(1, 2, 3)
    assert answer == {"execution_optimistic": False, "finalized": False, "data": expected}
    assert (await beacon.get("beacon/blobs/75"))["data"] == shown(4)
    assert (await beacon.get("beacon/blobs/head"))["data"] == shown(4)


async def test_a_fetched_blob_has_its_versioned_hash(beacon: Beacon) -> None:
    tx = blob_transaction(sidecar(1, 2))
    beacon.produce(tx)
    for name, wanted in zip(tx.blob_versioned_hashes, (1, 2), strict=True):
        answer = await beacon.get(f"beacon/blobs/head?versioned_hashes=0x{name.hex()}")
        (text,) = answer["data"]
        raw = bytes.fromhex(text[2:])
        assert raw == blob(wanted)
        assert versioned_hash(commitment_to(raw)) == name


async def test_as_many_as_were_asked_for(beacon: Beacon) -> None:
    one, other = blob_transaction(sidecar(1, 2, 1)), blob_transaction(sidecar(2), user=1)
    beacon.produce(one, other)
    first, second, _ = ("0x" + name.hex() for name in one.blob_versioned_hashes)
    unknown = "0x01" + "00" * 31

    async def ask(*names: str) -> list[str]:
        query = "&".join(f"versioned_hashes={name}" for name in names)
        commas = ",".join(names)
        separate = await beacon.get(f"beacon/blobs/head?{query}")
        together = await beacon.get(f"beacon/blobs/head?versioned_hashes={commas}")
        assert separate == together
        found: list[str] = separate["data"]
        return found

    assert await ask(second) == shown(2)
    assert await ask(second, first) == shown(1, 2)
    assert await ask(first, first, second) == shown(1, 2, 1)
    assert await ask(first, first, first) == shown(1, 1)
    assert await ask(unknown, first) == shown(1)
    assert await ask(unknown) == []


async def test_sidecars(beacon: Beacon) -> None:
    carried = sidecar(1, 2, 3)
    slot = beacon.produce(blob_transaction(carried))
    answer = await beacon.get(f"beacon/blob_sidecars/{slot}")
    assert answer["version"] == "electra"
    sidecars = answer["data"]
    assert [item["index"] for item in sidecars] == ["0", "1", "2"]
    assert [item["blob"] for item in sidecars] == shown(1, 2, 3)
    commitments = ["0x" + item.hex() for item in carried.commitments]
    assert [item["kzg_commitment"] for item in sidecars] == commitments
    assert [item["kzg_proof"] for item in sidecars] == ["0x" + p.hex() for p in carried.proofs]
    assert all(len(item["kzg_commitment_inclusion_proof"]) == 17 for item in sidecars)
    message = sidecars[0]["signed_block_header"]["message"]
    assert message["slot"] == str(slot)
    parent = beacon.chain.head().parent_beacon_block_root
    assert message["parent_root"] == "0x" + parent.hex()
    some = await beacon.get(f"beacon/blob_sidecars/{slot}?indices=2&indices=0,7")
    assert some["data"] == [sidecars[0], sidecars[2]]


async def test_a_block_without_blobs_has_none(beacon: Beacon) -> None:
    beacon.produce()
    for name in ("head", "genesis", "0", "1"):
        assert (await beacon.get(f"beacon/blobs/{name}"))["data"] == []
        assert (await beacon.get(f"beacon/blob_sidecars/{name}"))["data"] == []


async def test_finality_is_the_chain_s(beacon: Beacon) -> None:
    tx = blob_transaction(sidecar(1))
    beacon.produce(tx)
    for _ in range(4):
        beacon.produce()
    answer = await beacon.get("beacon/blobs/finalized")
    assert (answer["data"], answer["finalized"]) == (shown(1), True)
    assert (await beacon.get("beacon/blobs/justified"))["finalized"] is False


async def test_blocks_that_are_not_there(beacon: Beacon) -> None:
    beacon.produce(timestamp=GENESIS_TIME + 5)
    for slot in ("1", "4", "6", "18446744073709551615", "0x" + "11" * 32):
        for kind in ("blobs", "blob_sidecars"):
            message = await beacon.refused(f"beacon/{kind}/{slot}", 404)
            assert message == f"Block not found: {slot}"


async def test_an_unwound_block_is_not_there(beacon: Beacon) -> None:
    parent = beacon.chain.head()
    slot = beacon.produce(blob_transaction(sidecar(1)))
    beacon.chain.engine.set_heads(unsafe=parent.ref, safe=parent.ref)
    assert await beacon.refused(f"beacon/blobs/{slot}", 404) == f"Block not found: {slot}"


async def test_blocks_from_elsewhere_came_without_blobs(beacon: Beacon) -> None:
    tx = blob_transaction(sidecar(1))
    beacon.chain.insert(replace(tx, sidecar=None))
    for kind in ("blobs", "blob_sidecars"):
        message = await beacon.refused(f"beacon/{kind}/head", 404)
        name = tx.blob_versioned_hashes[0].hex()
        assert message.startswith(f"Blob sidecar not found: 0x{name}: this node did not make")


@pytest.mark.parametrize(
    "block_id",
    ["current", "-1", "+1", "1.0", "1_0", "18446744073709551616", "9" * 5000, "0x", "0x12", "%20"],
)
async def test_block_ids_that_are_none(beacon: Beacon, block_id: str) -> None:
    for kind in ("blobs", "blob_sidecars"):
        message = await beacon.refused(f"beacon/{kind}/{block_id}", 400)
        assert message.startswith("Invalid block ID: ")


async def test_queries_that_are_wrong(beacon: Beacon) -> None:
    for query in ("versioned_hashes=0x01", "versioned_hashes=", "versioned_hashes=" + "0" * 64):
        message = await beacon.refused(f"beacon/blobs/head?{query}", 400)
        assert message.startswith("Invalid versioned_hashes: ")
    for query in ("indices=0x1", "indices=-1", "indices=1,"):
        message = await beacon.refused(f"beacon/blob_sidecars/head?{query}", 400)
        assert message.startswith("Invalid indices: ")


async def test_the_rest_of_the_api_says_that_it_is_not_there(beacon: Beacon) -> None:
    for path in ("beacon/headers/head", "beacon/blobs", "", "validator/duties/proposer/1"):
        assert "is not served" in await beacon.refused(path, 404)
