import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.config import RollupConfig
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.known_chains import l1_chain_json
from node.errors import ConfigError, TemporaryError
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from openrollup.l1_check import chain_json, check_l1, probe_l1
from tests.consensus.rollup import rollup_config
from tests.fakes.l1_server import L1Server
from tests.fakes.pool_l1 import PoolL1

CHAIN_ID = 900


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


def rollup_at(l1: PoolL1, *, ahead: int = 0, other: bool = False) -> RollupConfig:
    """Return a rollup that begins at L1's head, or at a block that L1 has not, or has otherwise."""
    config = rollup_config(l1)
    block_hash = Hash32(b"\x11" * 32) if other else l1.head.hash
    origin = BlockRef(block_hash, BlockNumber(l1.head.number + ahead))
    return replace(config, genesis=replace(config.genesis, l1=origin))


async def test_an_l1_tells_its_chain(server: L1Server) -> None:
    assert await probe_l1(server.url) == CHAIN_ID


async def test_nobody_there() -> None:
    gone = L1Server(PoolL1())
    await gone.start()
    url = gone.url
    await gone.stop()
    with pytest.raises(TemporaryError, match=rf"^--l1: {url}.*: is an L1 running there\?$"):
        await probe_l1(url)


async def test_something_else_there(server: L1Server) -> None:
    server.bodies.append(b"<html>")
    with pytest.raises(TemporaryError, match=r"^--l1: .*expected JSON.*: is an L1 running there"):
        await probe_l1(server.url)
    server.statuses.append(502)
    with pytest.raises(TemporaryError, match=r"^--l1: .*502"):
        await probe_l1(server.url)


async def test_the_right_l1(server: L1Server, client: L1Client) -> None:
    await check_l1(client, CHAIN_ID, rollup_at(server.l1))


async def test_another_chain_id(server: L1Server, client: L1Client) -> None:
    with pytest.raises(ConfigError, match=r"^--l1: expected chain 900 \(rollup\.json\), .* is ch"):
        await check_l1(client, 1, rollup_at(server.l1))


async def test_another_chain_with_the_same_id(server: L1Server, client: L1Client) -> None:
    with pytest.raises(ConfigError, match=r"^--l1: expected block \d+ 0x1111.*another chain$"):
        await check_l1(client, CHAIN_ID, rollup_at(server.l1, other=True))


async def test_an_l1_that_is_behind(server: L1Server, client: L1Client) -> None:
    with pytest.raises(TemporaryError, match=r"has no block \d+, at which the rollup begins"):
        await check_l1(client, CHAIN_ID, rollup_at(server.l1, ahead=5))


def test_chain_config_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "l1-chain.json"
    stored = l1_chain_json(31337)
    path.write_text(json.dumps(stored))
    assert chain_json(path, 31337) == stored
    assert chain_json(None, 900) == l1_chain_json(900)
    with pytest.raises(ConfigError, match=r"is for chain 31337, L1 is 900"):
        chain_json(path, 900)
    path.write_text("{}")
    with pytest.raises(ConfigError, match=r"l1-chain\.json: "):
        chain_json(path, 900)
