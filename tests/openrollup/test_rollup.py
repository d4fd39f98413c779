import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consensus.config import rollup_config_to_json
from node.errors import ConfigError
from node.genesis import genesis_to_json, l1_dev_genesis
from node.json_file import write_json
from openrollup.rollup import RollupOptions, run_rollup
from tests.consensus.rollup import BATCHER_KEY, OTHER_KEY
from tests.consensus.rollup_node import make_genesis
from tests.fakes.l1_server import L1Server
from tests.fakes.pool_l1 import PoolL1
from tests.openrollup.commands import running_command
from tests.openrollup.network import ask


@pytest.fixture
async def server() -> AsyncIterator[L1Server]:
    server = L1Server(PoolL1())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def options(server: L1Server, tmp_path: Path) -> RollupOptions:
    """A verifier's options, with the files that they name."""
    config, genesis = make_genesis(server.l1)
    write_json(tmp_path / "rollup.json", rollup_config_to_json(config))
    write_json(tmp_path / "genesis.json", genesis_to_json(genesis))
    l1_chain = l1_dev_genesis(timestamp=0, chain_id=900, funded=()).raw_config
    write_json(tmp_path / "l1-chain.json", dict(l1_chain))
    return RollupOptions(
        rollup=tmp_path / "rollup.json",
        genesis=tmp_path / "genesis.json",
        l1_chain=tmp_path / "l1-chain.json",
        l1_url=server.url,
        datadir=tmp_path / "data",
        port=0,
        json=True,
    )


def with_key(options: RollupOptions, key: bytes = BATCHER_KEY) -> RollupOptions:
    path = options.datadir.with_name("key")
    path.write_text(key.hex())
    return replace(options, batcher_key_file=path)


async def test_a_verifier(options: RollupOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_command(run_rollup(options), monkeypatch) as output:
        event = await output.event("started")
        assert (event["role"], event["l2"]["chainId"]) == ("verifier", 901)
        assert await ask(event["l2"]["url"], "eth_blockNumber") == "0x0"


async def test_a_sequencer(options: RollupOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = replace(with_key(options), json=False)
    async with running_command(run_rollup(asked), monkeypatch) as output:
        assert (await output.line()).startswith("sequencer of L2 chain 901 at http://127.0.0.1:")


async def test_a_verifier_that_passes_transactions_on(
    options: RollupOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(options, sequencer_url="http://127.0.0.1:1")
    async with running_command(run_rollup(asked), monkeypatch) as output:
        url = (await output.event("started"))["l2"]["url"]
        with pytest.raises(Exception, match="the server answered -32000 'RLP: "):
            await ask(url, "eth_sendRawTransaction", "0x02")


async def test_an_l1_that_is_away_is_waited_for(
    options: RollupOptions,
    server: L1Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = server.url
    await server.stop()
    async with running_command(run_rollup(options), monkeypatch) as output:
        await output.event("started")
    assert f"L1 does not answer as it should, waiting for it: --l1: {url}" in caplog.text


async def test_another_l1_is_refused(options: RollupOptions, server: L1Server) -> None:
    content = json.loads(options.rollup.read_bytes())
    content["l1_chain_id"] = 5
    write_json(options.rollup, content)
    with pytest.raises(ConfigError, match="--l1: expected chain 5"):
        await run_rollup(options)


async def test_a_key_that_is_not_the_batcher_s_is_told(
    options: RollupOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_command(run_rollup(with_key(options, OTHER_KEY)), monkeypatch) as output:
        await output.event("started")
    assert caplog.text.count("as the batcher: nothing counts before it is changed there") == 1


@pytest.mark.parametrize("name", ["rollup", "genesis", "l1_chain"])
async def test_wrong_files_are_named(options: RollupOptions, name: str) -> None:
    path: Path = getattr(options, name)
    write_json(path, {})
    with pytest.raises(ConfigError, match=rf"^{path}: "):
        await run_rollup(options)
    changed: Any = {name: path.with_name("absent")}
    with pytest.raises(ConfigError, match="absent: cannot be read"):
        await run_rollup(replace(options, **changed))


async def test_the_store_is_free_after_a_stop(
    options: RollupOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        async with running_command(run_rollup(options), monkeypatch) as output:
            await output.event("started")
            with pytest.raises(ConfigError, match="is in use by process"):
                await run_rollup(options)
