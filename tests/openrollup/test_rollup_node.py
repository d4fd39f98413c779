import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consensus.config import RollupConfig
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from node.clock import SystemClock
from node.errors import ConfigError, CriticalError
from node.head_change import HeadChange
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from openrollup.rollup_node import RollupNode, RollupNodeConfig, Sequencing
from openrollup.run import run_until_stopped
from rpc.server import RpcServer
from tests.consensus.rollup import BATCHER_KEY, L1_CHAIN
from tests.consensus.rollup_node import make_genesis
from tests.fakes.l1_server import L1Server
from tests.fakes.pool_l1 import PoolL1
from tests.openrollup.network import ask


@pytest.fixture
async def server() -> AsyncIterator[L1Server]:
    server = L1Server(PoolL1())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: L1Server) -> AsyncIterator[L1Client]:
    rpc = JsonRpc(server.url)
    yield L1Client(rpc)
    await rpc.close()


def configure(
    server: L1Server, *, path: Path | None = None, sequencing: Sequencing | None = None
) -> RollupNodeConfig:
    config, genesis = make_genesis(server.l1)
    return RollupNodeConfig(
        rollup=config,
        genesis=genesis,
        l1_chain=L1_CHAIN,
        path=path,
        port=0,
        l1_poll_interval_s=0.01,
        sequencing=sequencing,
    )


def make(config: RollupNodeConfig, client: L1Client) -> RollupNode:
    return RollupNode(config, client, SystemClock(), None)


async def test_a_verifier_has_no_batcher_and_takes_no_transactions(
    server: L1Server, client: L1Client
) -> None:
    node = make(configure(server), client)
    assert node.batcher is None
    await node.start()
    try:
        assert await ask(node.url, "eth_chainId") == hex(901)
        with pytest.raises(Exception, match="this verifier takes no transactions"):
            await ask(node.url, "eth_sendRawTransaction", "0x02")
    finally:
        await node.close()


async def test_batches_are_given_time_where_blocks_are_far_apart(
    server: L1Server, client: L1Client
) -> None:
    """A channel must not be closed for want of blocks that are not due yet."""
    for block_time in (1, 4, 60):
        config = configure(server, sequencing=Sequencing(batcher_key=BATCHER_KEY))
        config = replace(config, rollup=replace(config.rollup, block_time=block_time))
        node = make(config, client)
        assert node.batcher is not None
        await node.close()


def other_hash(config: RollupConfig) -> RollupConfig:
    l2 = BlockRef(Hash32(b"\x11" * 32), config.genesis.l2.number)
    return replace(config, genesis=replace(config.genesis, l2=l2))


def other_number(config: RollupConfig) -> RollupConfig:
    l2 = BlockRef(config.genesis.l2.hash, BlockNumber(5))
    return replace(config, genesis=replace(config.genesis, l2=l2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_hash, r"^rollup\.json: genesis\.l2\.hash: expected 0x.* got 0x1111"),
        (other_number, r"^rollup\.json: genesis\.l2\.number: expected 0, got 5"),
        (lambda config: replace(config, l2_chain_id=902), "^l2_chain_id: "),
    ],
)
async def test_files_that_contradict_each_other_leave_no_store(
    server: L1Server, client: L1Client, tmp_path: Path, change: Any, said: str
) -> None:
    config = configure(server, path=tmp_path / "store")
    with pytest.raises(ConfigError, match=said):
        make(replace(config, rollup=change(config.rollup)), client)
    assert not (tmp_path / "store").exists()
    await make(config, client).close()


async def test_the_store_is_let_go_if_the_rest_cannot_be_made(
    server: L1Server, client: L1Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(server, path=tmp_path)

    def fail(*arguments: object, **named: object) -> None:
        raise ConfigError("port: no")

    with monkeypatch.context() as patch, pytest.raises(ConfigError, match="port: no"):
        patch.setattr("openrollup.rollup_node.RpcServer", fail)
        make(config, client)
    await make(config, client).close()


async def test_a_critical_error_ends_the_node_with_its_own_words(
    server: L1Server, client: L1Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make(configure(server), client)

    async def fail() -> None:
        raise CriticalError("L1 contradicts what is final")

    monkeypatch.setattr(node.driver, "derivation_step", fail)
    try:
        with pytest.raises(CriticalError, match=r"^L1 contradicts what is final$"):
            await run_until_stopped(node.parts())
    finally:
        await node.close()


async def test_calls_end_before_the_store_is_closed(
    server: L1Server, client: L1Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make(configure(server), client)
    order: list[str] = []
    stop, close = RpcServer.stop, type(node.node).close

    async def stopping(self: RpcServer) -> None:
        await stop(self)
        order.append("server")

    def closing(self: Any) -> None:
        close(self)
        order.append("store")

    monkeypatch.setattr(RpcServer, "stop", stopping)
    monkeypatch.setattr(type(node.node), "close", closing)
    await node.start()
    await node.close()
    assert order == ["server", "store"]


async def test_a_sequencer_and_a_verifier_agree(server: L1Server, client: L1Client) -> None:
    """Two nodes on one L1, in this process, without the rest of a dev network."""
    sequencing = Sequencing(batcher_key=BATCHER_KEY, resend_after_s=60.0)
    sequencer = make(configure(server, sequencing=sequencing), client)
    verifier = make(configure(server), client)
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_change(_: HeadChange) -> None:
        loop.call_soon_threadsafe(changed.set)

    for node in (sequencer, verifier):
        node.node.engine.subscribe(on_change)
    alive = asyncio.ensure_future(run_until_stopped([*sequencer.parts(), *verifier.parts()]))
    try:
        while verifier.node.reader.heads().safe.number < 3:
            server.l1.mine()
            changed.clear()
            await asyncio.wait(
                [alive, asyncio.ensure_future(changed.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            assert not alive.done()
        number = verifier.node.reader.heads().safe.number
        built = sequencer.node.reader.canonical_hash(BlockNumber(number))
        assert verifier.node.reader.canonical_hash(BlockNumber(number)) == built
    finally:
        alive.cancel()
        await asyncio.wait([alive])
        await sequencer.close()
        await verifier.close()


async def test_the_blob_schedule_of_another_l1_is_refused(
    server: L1Server, client: L1Client
) -> None:
    config = configure(server)
    wrong = replace(config, l1_chain=replace(L1_CHAIN, chain_id=L1_CHAIN.chain_id + 1))
    with pytest.raises(
        ConfigError, match=r"^l1-chain.json: chainId: expected \d+ \(rollup.json\), got"
    ):
        make(wrong, client)
