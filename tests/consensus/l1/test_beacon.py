"""Blobs from a beacon node: good ones, wrong ones, none, and servers of several kinds."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from consensus.block_refs import L1BlockRef
from consensus.codec.blob import encode_blob
from consensus.l1.beacon import BeaconClient, BeaconFault, BeaconSettings, L1OwnBeacon
from node.errors import CriticalError
from node.evm.blob_proofs import commitment_to
from node.types.blob_sidecar import versioned_hash
from node.types.primitives import BlockNumber, Hash32, keccak256

BLOBS = [encode_blob(b"first"), encode_blob(b"second")]
NAMES = [versioned_hash(commitment_to(blob)) for blob in BLOBS]
BLOCK = L1BlockRef(Hash32(bytes(32)), BlockNumber(7), Hash32(bytes(32)), 1_000_024)


@dataclass
class Beacon:
    """A server whose answers a test can change: (status, body) by path."""

    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    filtered: dict[str, tuple[int, object]] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        status, body = self.answers.get(request.path, (404, {"message": "not found"}))
        if request.query_string:
            status, body = self.filtered.get(request.path, (status, body))
        if isinstance(body, bytes):
            return web.Response(status=status, body=body)
        return web.json_response(body, status=status)


@pytest.fixture
def beacon() -> Beacon:
    return Beacon(
        {
            "/eth/v1/beacon/genesis": (200, {"data": {"genesis_time": "1000000"}}),
            "/eth/v1/config/spec": (200, {"data": {"SECONDS_PER_SLOT": "12"}}),
            "/eth/v1/beacon/blobs/2": (200, {"data": ["0x" + blob.hex() for blob in BLOBS]}),
        }
    )


@pytest.fixture
async def url(beacon: Beacon) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/{path:.*}", beacon.handle)
    async with TestServer(application) as server:
        yield str(server.make_url("/"))


@pytest.fixture
async def client(url: str) -> AsyncIterator[BeaconClient]:
    client = BeaconClient(url, BeaconSettings(timeout_s=5))
    yield client
    await client.close()


async def test_blobs_come_in_the_order_asked_for(beacon: Beacon, client: BeaconClient) -> None:
    assert await client.blobs(BLOCK, NAMES) == tuple(BLOBS)
    assert await client.blobs(BLOCK, NAMES[::-1]) == tuple(BLOBS[::-1])
    assert await client.blobs(BLOCK, [NAMES[1], NAMES[1]]) == (BLOBS[1], BLOBS[1])
    query = "&".join("versioned_hashes=0x" + name.hex() for name in NAMES)
    assert beacon.asked[2] == "/eth/v1/beacon/blobs/2?" + query


async def test_a_server_with_sidecars_only(beacon: Beacon, client: BeaconClient) -> None:
    del beacon.answers["/eth/v1/beacon/blobs/2"]
    sidecars = [{"index": "0", "blob": "0x" + blob.hex()} for blob in BLOBS]
    beacon.answers["/eth/v1/beacon/blob_sidecars/2"] = (200, {"data": sidecars})
    assert await client.blobs(BLOCK, NAMES) == tuple(BLOBS)
    beacon.asked.clear()
    assert await client.blobs(BLOCK, NAMES) == tuple(BLOBS)
    assert beacon.asked == ["/eth/v1/beacon/blob_sidecars/2"]


async def test_a_server_without_slots_numbers_by_block(
    beacon: Beacon, client: BeaconClient
) -> None:
    del beacon.answers["/eth/v1/config/spec"]
    beacon.answers["/eth/v1/beacon/blobs/7"] = beacon.answers.pop("/eth/v1/beacon/blobs/2")
    assert await client.blobs(BLOCK, NAMES) == tuple(BLOBS)


async def test_a_server_that_takes_one_name_of_several(
    beacon: Beacon, client: BeaconClient
) -> None:
    everything = beacon.answers["/eth/v1/beacon/blobs/2"]
    beacon.filtered = {"/eth/v1/beacon/blobs/2": (200, {"data": ["0x" + BLOBS[0].hex()]})}
    assert beacon.answers["/eth/v1/beacon/blobs/2"] == everything
    assert await client.blobs(BLOCK, NAMES) == tuple(BLOBS)
    assert await client.blobs(BLOCK, NAMES[:1]) == (BLOBS[0],)


async def test_wrong_blobs(beacon: Beacon, client: BeaconClient) -> None:
    other = "0x" + encode_blob(b"another").hex()
    no_blob = "0x" + (b"\xff" * len(BLOBS[0])).hex()
    beacon.answers["/eth/v1/beacon/blobs/2"] = (200, {"data": [other, no_blob]})
    with pytest.raises(
        BeaconFault, match=r"^blobs of L1 block 7: .*: slot 2: expected blob 0x01.*2 that came"
    ):
        await client.blobs(BLOCK, NAMES)
    beacon.answers["/eth/v1/beacon/blobs/2"] = (200, {"data": []})
    with pytest.raises(BeaconFault, match="not among the 0 that came"):
        await client.blobs(BLOCK, NAMES)


async def test_a_missing_block_is_named_and_found_later(
    beacon: Beacon, client: BeaconClient
) -> None:
    blobs = beacon.answers.pop("/eth/v1/beacon/blobs/2")
    with pytest.raises(BeaconFault, match="/eth/v1/beacon/blobs/2: HTTP status 404"):
        await client.blobs(BLOCK, NAMES)
    beacon.answers["/eth/v1/beacon/blobs/2"] = blobs
    assert await client.blobs(BLOCK, NAMES) == tuple(BLOBS)


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        ("blobs/2", (500, {}), "HTTP status 500"),
        ("blobs/2", (200, b"<html>"), "expected JSON"),
        ("blobs/2", (200, []), "expected an object with data"),
        ("blobs/2", (200, {"data": {}}), "expected a list"),
        ("blobs/2", (200, {"data": ["0x12"]}), "expected 0x and 262144 digits"),
        ("blobs/2", (200, {"data": ["0x" + "zz" * 131072]}), "expected hexadecimal digits"),
        ("blobs/2", (200, {"data": [7]}), "expected 0x"),
        ("genesis", (200, {"data": []}), "expected an object"),
        ("genesis", (200, {"data": {"genesis_time": "-1"}}), "genesis_time: expected a decimal"),
        ("genesis", (200, {"data": {}}), "genesis_time: expected a decimal"),
    ],
)
async def test_bad_answers(
    beacon: Beacon, client: BeaconClient, path: str, answer: tuple[int, object], message: str
) -> None:
    beacon.answers["/eth/v1/beacon/" + path] = answer
    with pytest.raises(BeaconFault, match=message):
        await client.blobs(BLOCK, NAMES)


async def test_slots_of_no_length(beacon: Beacon, client: BeaconClient) -> None:
    beacon.answers["/eth/v1/config/spec"] = (200, {"data": {"SECONDS_PER_SLOT": "0"}})
    with pytest.raises(BeaconFault, match="SECONDS_PER_SLOT: expected 1 or more, got 0"):
        await client.blobs(BLOCK, NAMES)


async def test_nobody_there() -> None:
    client = BeaconClient("http://127.0.0.1:1", BeaconSettings(timeout_s=5))
    with pytest.raises(BeaconFault, match=r"127\.0\.0\.1:1"):
        await client.blobs(BLOCK, NAMES)
    await client.close()


async def test_an_l1_that_serves_no_blobs(beacon: Beacon, url: str) -> None:
    own = L1OwnBeacon(url)
    assert await own.blobs(BLOCK, NAMES) == tuple(BLOBS)
    await own.close()
    beacon.answers["/eth/v1/beacon/genesis"] = (429, {"message": "slow down"})
    own = L1OwnBeacon(url)
    with pytest.raises(BeaconFault, match="HTTP status 429"):
        await own.blobs(BLOCK, NAMES)
    await own.close()
    beacon.answers.clear()
    own = L1OwnBeacon(url)
    with pytest.raises(CriticalError, match="start with --l1-beacon"):
        await own.blobs(BLOCK, [keccak256(b"any")])
    await own.close()


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    application = web.Application()
    application.router.add_get("/{path:.*}", never)
    async with TestServer(application) as server:
        client = BeaconClient(str(server.make_url("/")), BeaconSettings(timeout_s=0.05))
        with pytest.raises(BeaconFault, match=r"/eth/v1/beacon/genesis: no answer within 0\.05 s"):
            await client.blobs(BLOCK, NAMES)
        await client.close()
