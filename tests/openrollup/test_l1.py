import asyncio
from pathlib import Path

import pytest

from node.errors import ConfigError, DecodingError
from node.genesis import genesis_block, genesis_to_json, l1_dev_genesis
from node.json_file import write_json
from openrollup.execution_node import ExecutionNode
from openrollup.l1 import L1Options, run_l1
from tests.node.chains import GENESIS, open_chain
from tests.openrollup.commands import running_command
from tests.openrollup.network import ask


def options(
    *,
    genesis: Path | None = None,
    blocks: Path | None = None,
    datadir: Path | None = None,
    port: int = 0,
    block_time_s: int | None = None,
    json: bool = True,
) -> L1Options:
    return L1Options(genesis, blocks, datadir, port, block_time_s, json)


@pytest.fixture
def genesis(tmp_path: Path) -> Path:
    path = tmp_path / "genesis.json"
    write_json(path, genesis_to_json(GENESIS))
    return path


@pytest.fixture
def blocks(tmp_path: Path) -> Path:
    path = tmp_path / "chain.rlp"
    with open_chain() as chain:
        path.write_bytes(b"".join(chain.extend().block.encode() for _ in range(3)))
    return path


async def test_the_dev_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_command(run_l1(options(block_time_s=3600)), monkeypatch) as output:
        event = await output.event("started")
        assert event["l1"]["chainId"] == 900
        assert event["head"]["number"] == 0
        assert await ask(event["l1"]["url"], "eth_chainId") == hex(900)


async def test_text(monkeypatch: pytest.MonkeyPatch, genesis: Path) -> None:
    async with running_command(run_l1(options(genesis=genesis, json=False)), monkeypatch) as output:
        line = await output.line()
    block_hash = genesis_block(GENESIS).block.hash.hex()
    assert line.startswith("L1 chain 900 at http://127.0.0.1:")
    assert line.endswith(f", head 0 0x{block_hash}")


async def test_blocks_are_imported_into_a_genesis_of_one_s_own(
    monkeypatch: pytest.MonkeyPatch, genesis: Path, blocks: Path, tmp_path: Path
) -> None:
    asked = options(genesis=genesis, blocks=blocks, datadir=tmp_path / "data")
    for _ in range(2):  # those that are there already are passed over
        async with running_command(run_l1(asked), monkeypatch) as output:
            event = await output.event("started")
            assert event["head"]["number"] == 3
            assert await ask(event["l1"]["url"], "eth_blockNumber") == "0x3"
    # A genesis of one's own gets no blocks that nobody asked for.
    with open_chain(tmp_path / "data") as chain:
        assert chain.head().number == 3


async def test_blocks_come_in_time(monkeypatch: pytest.MonkeyPatch, genesis: Path) -> None:
    asked = options(genesis=genesis, block_time_s=1)
    async with running_command(run_l1(asked), monkeypatch) as output:
        url = (await output.event("started"))["l1"]["url"]
        # Its genesis lies years in the past: the first block is due at once.
        while await ask(url, "eth_blockNumber") == "0x0":
            await asyncio.to_thread(lambda: None)


async def test_a_dev_chain_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ExecutionNode.open(l1_dev_genesis(timestamp=1_700_000_000), tmp_path).close()
    hashes = []
    for _ in range(2):
        asked = options(datadir=tmp_path, block_time_s=3600)
        async with running_command(run_l1(asked), monkeypatch) as output:
            url = (await output.event("started"))["l1"]["url"]
            hashes.append(await ask(url, "eth_getBlockByNumber", "0x0", False))
    assert hashes[0] == hashes[1]


async def test_another_genesis_than_the_stored_one(tmp_path: Path, genesis: Path) -> None:
    ExecutionNode.open(l1_dev_genesis(timestamp=5), tmp_path / "data").close()
    with pytest.raises(ConfigError, match="the store holds chain 900"):
        await run_l1(options(genesis=genesis, datadir=tmp_path / "data"))


async def test_wrong_files(tmp_path: Path, genesis: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("{")
    with pytest.raises(ConfigError, match="broken: expected JSON"):
        await run_l1(options(genesis=broken))
    with pytest.raises(DecodingError, match="expected a list"):
        await run_l1(options(genesis=genesis, blocks=broken))


async def test_a_taken_port(monkeypatch: pytest.MonkeyPatch, genesis: Path) -> None:
    async with running_command(run_l1(options(genesis=genesis)), monkeypatch) as output:
        port = int((await output.event("started"))["l1"]["url"].rsplit(":", 1)[1])
        with pytest.raises(ConfigError, match=f"^port: {port} on 127.0.0.1 is in use by another"):
            await run_l1(options(genesis=genesis, port=port))


async def test_an_import_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, genesis: Path, blocks: Path, tmp_path: Path
) -> None:
    """Between two blocks: those that are in stay, and the store is whole."""
    asked = options(genesis=genesis, blocks=blocks, datadir=tmp_path / "data")
    async with running_command(run_l1(asked), monkeypatch):
        for _ in range(2):
            await asyncio.sleep(0)
    with open_chain(tmp_path / "data") as chain:
        assert 0 < chain.head().number < 3
