"""An L1, or a beacon node, that says what cannot be: what a running node says and does."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from consensus.batcher.channel_builder import batch_of
from consensus.codec.blob import encode_blob
from consensus.codec.frame import encode_batcher_data
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import Json, JsonRpc
from node.clock import SystemClock, VirtualClock
from node.errors import CriticalError
from node.evm.blob_proofs import commitment_to
from node.genesis import Genesis
from node.types.blob_sidecar import versioned_hash
from node.types.block import Block
from node.types.primitives import Address, BlockNumber
from node.types.receipt import Log
from openrollup.rollup_node import RollupNode, RollupNodeConfig
from openrollup.run import run_until_stopped
from rpc.encoding.block import block_with_hashes
from tests.consensus.rollup import (
    L1_CHAIN,
    PORTAL,
    batcher_transaction,
    deposit_log,
    make_channel,
    signed_with,
    with_logs,
)
from tests.consensus.rollup_node import RollupNode as Parts
from tests.consensus.rollup_node import make_genesis
from tests.fakes.l1_server import L1Server
from tests.fakes.l1_source import Included
from tests.fakes.pool_l1 import PoolL1

USER = Address(b"\x5e" * 20)


@dataclass
class Rollup:
    """A rollup whose verifier reads an L1 over HTTP."""

    server: L1Server
    client: L1Client
    genesis: Genesis
    config: RollupNodeConfig

    async def blocks(self) -> list[Block]:
        """Return blocks that a sequencer built on the L1 so far."""
        sequencer = Parts(self.server.l1, self.config.rollup, self.genesis, VirtualClock(0))
        try:
            self.server.l1.mine()
            return await sequencer.build_until_l1_head()
        finally:
            sequencer.close()


@pytest.fixture
async def rollup() -> AsyncIterator[Rollup]:
    server = L1Server(PoolL1())
    await server.start()
    rpc = JsonRpc(server.url)
    config, genesis = make_genesis(server.l1)
    node = RollupNodeConfig(
        rollup=config,
        genesis=genesis,
        l1_chain=L1_CHAIN,
        path=None,
        port=0,
        l1_poll_interval_s=0.01,
    )
    yield Rollup(server, L1Client(rpc), genesis, node)
    await rpc.close()
    await server.stop()


async def run_until_safe(rollup: Rollup, head: Block | None) -> None:
    """Run the verifier until a block is safe, None for ever; what stops it is raised."""
    node = RollupNode(rollup.config, rollup.client, SystemClock(), None)
    loop, is_safe = asyncio.get_running_loop(), asyncio.Event()

    def look(_: object) -> None:
        if head and node.node.reader.canonical_hash(BlockNumber(head.number)) == head.hash:
            loop.call_soon_threadsafe(is_safe.set)

    node.node.engine.subscribe(look)
    running = asyncio.ensure_future(run_until_stopped(node.parts()))
    waits: list[asyncio.Future[Any]] = [running, asyncio.ensure_future(is_safe.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)
        await node.close()


def told(caplog: pytest.LogCaptureFixture, pattern: str) -> list[str]:
    """Return the warnings that match."""
    messages = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    return [message for message in messages if re.search(pattern, message)]


async def test_a_malformed_deposit_stops_the_node_in_one_line(rollup: Rollup) -> None:
    bad = Log(PORTAL, deposit_log(sender=USER, to=USER).topics, bytes(64))
    rollup.server.l1.mine(with_logs(bad))
    rollup.server.l1.mine_empty(rollup.config.rollup.seq_window_size + 2)
    with pytest.raises(CriticalError) as caught:
        await run_until_safe(rollup, None)
    pattern = r"deposit in L1 block 0x[0-9a-f]{64}, log 0: expected one ABI-encoded byte string .*"
    assert re.fullmatch(pattern, str(caught.value))


@dataclass
class Lies:
    """Changes the first answers of a method, then tells the truth."""

    method: str
    change: Callable[[Json], Json]
    left: int

    def __call__(self, method: str, result: Json) -> Json:
        if method != self.method or self.left == 0 or result is None:
            return result
        changed = self.change(result)
        self.left -= changed != result
        return changed


async def test_an_l1_whose_blocks_do_not_fit_together_is_waited_for(
    rollup: Rollup, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = await rollup.blocks()
    l1 = rollup.server.l1
    frames = make_channel([batch_of(block) for block in blocks], 1)
    l1.mine(Included(batcher_transaction(encode_batcher_data(frames))))
    number = l1.head.number
    good = l1.mine_empty(2)
    l1.fork(number - 2)
    l1.mine_empty(2)
    stranger: Any = block_with_hashes(await l1.block(l1.at(number).hash))
    l1.bring_back(good)

    def other_parent(result: Json) -> Json:
        is_it = isinstance(result, dict) and result["number"] == hex(number)
        return stranger if is_it else result

    rollup.server.distort = Lies("eth_getBlockByNumber", other_parent, 2)
    await run_until_safe(rollup, blocks[-1])
    first, *_ = told(caplog, "starting again from the safe head: ")
    assert f"L1 reorg: expected block {number} on 0x" in first


async def test_receipts_that_do_not_fit_are_asked_for_again(
    rollup: Rollup, caplog: pytest.LogCaptureFixture
) -> None:
    """A deposit is left out of the answer: derivation must not go on without it."""
    l1 = rollup.server.l1
    l1.mine(with_logs(deposit_log(sender=USER, to=USER, mint=5)))
    blocks = await rollup.blocks()
    frames = make_channel([batch_of(block) for block in blocks], 1)
    l1.mine(Included(batcher_transaction(encode_batcher_data(frames))))
    assert any(len(block.transactions) == 2 for block in blocks)
    rollup.server.distort = Lies("eth_getBlockReceipts", lambda result: [], 2)
    await run_until_safe(rollup, blocks[-1])
    (message,) = told(caplog, "expected receipts of root")
    assert message.startswith("derivation: trying again until it works: L1 block 101: ")


@dataclass
class Beacon:
    """A beacon node: what it answers for blobs comes from `answers`, the last one for ever."""

    answers: list[tuple[int, object]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/genesis"):
            return web.json_response({"data": {"genesis_time": "0"}})
        if request.path.endswith("/spec"):
            return web.json_response({"data": {"SECONDS_PER_SLOT": "12"}})
        status, body = self.answers[0]
        if len(self.answers) > 1:
            del self.answers[0]
        return web.json_response(body, status=status)


async def test_a_beacon_node_that_lets_us_down_is_waited_for(
    rollup: Rollup, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = await rollup.blocks()
    frames = make_channel([batch_of(block) for block in blocks], 1)
    blob, wrong = encode_blob(encode_batcher_data(frames)), encode_blob(b"something else")
    name = versioned_hash(commitment_to(blob))
    rollup.server.l1.mine(Included(signed_with(3, b"", [name])))
    good = (200, {"data": ["0x" + blob.hex()]})
    beacon = Beacon([(200, {"data": ["0x" + wrong.hex()]}), (503, {"message": "syncing"}), good])
    application = web.Application()
    application.router.add_get("/{path:.*}", beacon.handle)
    async with TestServer(application) as server:
        url = str(server.make_url("/"))
        rollup.config = replace(rollup.config, l1_beacon_url=url)
        await run_until_safe(rollup, blocks[-1])
    (message,) = told(caplog, "expected blob")
    start = "derivation: trying again until it works: blobs of L1 block "
    assert message.startswith(start)
    assert url.rstrip("/") in message
    assert f"expected blob 0x{name.hex()}, it is not among the 1 that came" in message
