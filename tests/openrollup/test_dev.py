"""`openrollup dev` as a whole, in this process."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import ConfigError, CriticalError, TemporaryError
from node.genesis.dev_accounts import DEPLOYER_ACCOUNT
from openrollup.comparison import Comparison, Divergence
from openrollup.dev import run_dev
from openrollup.dev_network import DevNetwork, open_dev_network
from tests.openrollup.commands import running_command
from tests.openrollup.network import OPTIONS, FastClock, ask, running

JSON = replace(OPTIONS, json=True)


@pytest.fixture(autouse=True)
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openrollup.dev.SystemClock", FastClock)
    monkeypatch.setattr("openrollup.dev.STATUS_INTERVAL_S", 0.01)


async def test_events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = replace(JSON, out=tmp_path)
    async with running_command(run_dev(asked), monkeypatch) as output:
        started = await output.event("started")
        assert started["files"] == str(tmp_path)
        assert (started["l1"]["chainId"], started["l2"]["chainId"]) == (900, 901)
        for place, chain_id in (("l1", 900), ("l2", 901), ("verifier", 901)):
            assert await ask(started[place]["url"], "eth_chainId") == hex(chain_id)
        while (status := await output.event("status"))["verified"] == 0:
            pass
        assert status["unsafe"] >= status["safe"] >= status["verified"] > 0
        assert status["l1"] > 0


async def test_text(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_command(run_dev(OPTIONS), monkeypatch) as output:
        while not (line := await output.line()).startswith("L2 unsafe "):
            pass
        assert "verifier agrees to" in line


async def test_a_divergence_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def advance(self: Comparison) -> None:
        raise Divergence("block 5: the sequencer has 0x12, L1 gives 0x34")

    monkeypatch.setattr(Comparison, "advance", advance)
    with pytest.raises(Divergence, match=r"^block 5: "):
        async with running_command(run_dev(JSON), monkeypatch) as output:
            while True:
                await output.line()


@pytest.mark.parametrize("role", ["sequencer", "verifier"])
async def test_a_critical_error_of_either_node_ends_it(
    monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    parts: Callable[[DevNetwork], list[Any]] = DevNetwork.parts

    async def fail() -> None:
        raise CriticalError("no space left")

    def sabotaged(network: DevNetwork) -> list[Any]:
        monkeypatch.setattr(getattr(network, role).driver, "derivation_step", fail)
        return parts(network)

    monkeypatch.setattr(DevNetwork, "parts", sabotaged)
    with pytest.raises(CriticalError, match=r"^no space left$"):
        async with running_command(run_dev(JSON), monkeypatch) as output:
            while True:
                await output.line()


async def test_an_outside_l1_that_is_not_there(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(DEPLOYER_ACCOUNT.private_key.hex())
    asked = replace(JSON, l1_url="http://127.0.0.1:1", key_file=key_file)
    with pytest.raises(TemporaryError, match=r"^--l1: http://127\.0\.0\.1:1: .*is an L1 running"):
        await run_dev(asked)


async def test_an_outside_l1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another network's embedded L1, which is somebody else's for this one."""
    key_file = tmp_path / "key"
    key_file.write_text(DEPLOYER_ACCOUNT.private_key.hex())
    async with running(clock=FastClock(), l1_block_time_s=1) as other:
        asked = replace(JSON, l1_url=other.l1.url, key_file=key_file, datadir=tmp_path / "data")
        async with running_command(run_dev(asked), monkeypatch) as output:
            started = await output.event("started")
            assert started["l1"]["url"] == other.l1.url
            while (await output.event("status"))["verified"] == 0:
                pass
        with pytest.raises(ConfigError, match=r"^--l1: .* was made on an outside L1"):
            await run_dev(replace(JSON, datadir=tmp_path / "data"))
        async with running_command(run_dev(asked), monkeypatch) as output:
            while (await output.event("status"))["verified"] == 0:
                pass


async def test_a_stop_during_the_setup_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = replace(JSON, datadir=tmp_path)
    reached = asyncio.Event()

    async def hang(*arguments: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr("consensus.deploy.deployment.Deployment._start_on_l1", hang)
        starting = asyncio.ensure_future(run_dev(asked))
        await reached.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    async with running_command(run_dev(asked), monkeypatch) as output:
        await output.event("started")


async def test_an_l1_that_breaks_during_the_setup_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would ever include the contracts: waiting for them would have no end."""

    def fail(self: object, not_before: int) -> None:
        raise CriticalError("no space left")

    monkeypatch.setattr("node.dev_chain.DevChain._produce", fail)
    with pytest.raises(CriticalError, match=r"^no space left$"):
        async with open_dev_network(OPTIONS, FastClock()):
            pass
