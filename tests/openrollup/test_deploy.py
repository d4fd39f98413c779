import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.config import read_rollup_config
from consensus.deploy import read_addresses
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from node.dev_chain import DevChainConfig
from node.errors import ConfigError, TemporaryError
from node.genesis import l1_dev_genesis, read_genesis
from node.genesis.dev_accounts import DEPLOYER_ACCOUNT
from node.types.primitives import checksum_address, keccak256
from openrollup.deploy import DEFAULT_ATTRIBUTION, DeployOptions, run_deploy
from openrollup.embedded_l1 import EmbeddedL1
from tests.openrollup.network import ALICE, BOB, FRIEND, FastClock


@asynccontextmanager
async def dev_l1() -> AsyncIterator[EmbeddedL1]:
    """An L1 that puts each transaction into a block at once."""
    clock = FastClock()
    genesis = l1_dev_genesis(timestamp=int(clock.now()) - 60)
    l1 = EmbeddedL1(genesis, None, 0, clock, DevChainConfig())
    await l1.start()
    producing = asyncio.ensure_future(l1.chain.run_at_once())
    try:
        yield l1
    finally:
        producing.cancel()
        await asyncio.wait([producing])
        await l1.close()


@pytest.fixture
def options(tmp_path: Path) -> DeployOptions:
    key_file = tmp_path / "key"
    key_file.write_text(DEPLOYER_ACCOUNT.private_key.hex())
    return DeployOptions(
        l1_url="http://127.0.0.1:1",
        key_file=key_file,
        out=tmp_path / "out",
        block_time_s=2,
        gas_limit=40_000_000,
        json=False,
    )


async def test_contracts_and_files(
    options: DeployOptions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openrollup.deploy.SystemClock", lambda: FastClock(50.0))
    async with dev_l1() as l1:
        options = replace(options, l1_url=l1.url)
        assert await run_deploy(options) == 0
        text = capsys.readouterr().out
        rollup = read_rollup_config(options.out / "rollup.json")
        head = l1.node.reader.head_header()
        assert rollup.genesis.l1.hash == head.parent_hash  # the oracle came after it
        portal = l1.node.reader.account(rollup.deposit_contract, head)
        assert portal is not None
        assert l1.node.reader.code(rollup.deposit_contract, head) != b""
    assert (rollup.block_time, rollup.seq_window_size) == (2, 100)
    assert rollup.genesis.system_config.gas_limit == 40_000_000
    assert rollup.genesis.system_config.batcher == DEPLOYER_ACCOUNT.address
    genesis = read_genesis(options.out / "genesis.json")
    rollup.check_against(genesis.config)
    assert genesis.config.attribution == DEFAULT_ATTRIBUTION
    addresses = json.loads((options.out / "addresses.json").read_bytes())
    assert f"OptimismPortal          {addresses['optimismPortal']}" in text.splitlines()
    assert text.endswith(f"and addresses.json are in {options.out}\n")


async def test_json_another_batcher_and_no_attribution(
    options: DeployOptions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openrollup.deploy.SystemClock", lambda: FastClock(50.0))
    async with dev_l1() as l1:
        options = replace(options, l1_url=l1.url, batcher=BOB.address, json=True, attribution=False)
        assert await run_deploy(options) == 0
    assert read_genesis(options.out / "genesis.json").config.attribution is None
    rollup = read_rollup_config(options.out / "rollup.json")
    assert rollup.genesis.system_config.batcher == BOB.address
    result = json.loads(capsys.readouterr().out)
    assert result["addresses"] == json.loads((options.out / "addresses.json").read_bytes())
    assert result["contracts"]["OptimismPortal"] == checksum_address(rollup.deposit_contract)
    assert result["files"] == str(options.out)


async def test_an_l1_that_is_not_there(options: DeployOptions) -> None:
    with pytest.raises(TemporaryError, match=r"^--l1: http://127\.0\.0\.1:1: .*is an L1 running"):
        await run_deploy(options)


async def test_nothing_is_deployed_that_could_not_be_written_down(options: DeployOptions) -> None:
    with pytest.raises(OSError, match="key"):
        await run_deploy(replace(options, out=options.key_file / "below"))


async def test_wrong_choices_are_refused_before_anything_is_deployed(
    options: DeployOptions,
) -> None:
    async with dev_l1() as l1:
        options = replace(options, l1_url=l1.url)
        for wrong, said in (
            (replace(options, gas_limit=1), "^gas_limit: expected 21000000 to 500000000"),
            (replace(options, key_file=Path("absent")), "absent: no such key file"),
            (replace(options, l2_chain_id=900), "^--chain-id: expected another id than L1's, 900"),
        ):
            with pytest.raises(ConfigError, match=said):
                await run_deploy(wrong)
        assert l1.node.reader.head_header().number == 0


async def test_an_l1_that_holds_a_rollup_of_the_same_inbox(
    options: DeployOptions, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openrollup.deploy.SystemClock", lambda: FastClock(50.0))
    async with dev_l1() as l1:
        options = replace(options, l1_url=l1.url)
        assert await run_deploy(options) == 0
        first = read_addresses(options.out / "addresses.json").contracts.system_config
        assert await run_deploy(replace(options, out=options.out / "b", l2_chain_id=902)) == 0
        assert "has deployed a rollup" not in caplog.text
        assert await run_deploy(replace(options, out=options.out / "c", l2_chain_id=902)) == 0
        assert "has deployed a rollup" in caplog.text
        caplog.clear()
        assert await run_deploy(replace(options, out=options.out / "d")) == 0
        assert f"(SystemConfig {checksum_address(first)})" in caplog.text


async def test_roles_periods_and_funds(
    options: DeployOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openrollup.deploy.SystemClock", lambda: FastClock(50.0))
    async with dev_l1() as l1:
        options = replace(
            options,
            l1_url=l1.url,
            l2_chain_id=77,
            owner=ALICE.address,
            proposer=BOB.address,
            submission_interval=5,
            finalization_period_s=6,
            fund=((FRIEND, 3 * 10**18),),
        )
        assert await run_deploy(options) == 0
        addresses = read_addresses(options.out / "addresses.json")
        client = L1Client(JsonRpc(l1.url))
        oracle = addresses.contracts.l2_output_oracle
        for getter, expected in (
            ("submissionInterval()", 5),
            ("l2BlockTime()", 2),
            ("finalizationPeriodSeconds()", 6),
            ("proposer()", int.from_bytes(BOB.address)),
            ("challenger()", int.from_bytes(ALICE.address)),
        ):
            answer = await client.call(oracle, keccak256(getter.encode())[:4])
            assert int.from_bytes(answer) == expected
        await client.close()
    assert (addresses.proposer, addresses.challenger) == (BOB.address, ALICE.address)
    assert addresses.batcher == DEPLOYER_ACCOUNT.address
    genesis = read_genesis(options.out / "genesis.json")
    assert genesis.config.chain_id == 77
    assert genesis.alloc[FRIEND].balance == 3 * 10**18


async def test_a_folder_with_a_rollup_takes_no_other(
    options: DeployOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openrollup.deploy.SystemClock", lambda: FastClock(50.0))
    async with dev_l1() as l1:
        options = replace(options, l1_url=l1.url)
        assert await run_deploy(options) == 0
        before = {path.name: path.read_bytes() for path in options.out.iterdir()}
        for again in (options, replace(options, l1_url="http://127.0.0.1:1")):
            with pytest.raises(ConfigError, match=r"^--out: a rollup is deployed already, .*out: "):
                await run_deploy(again)
        assert {path.name: path.read_bytes() for path in options.out.iterdir()} == before
        # Files that are not complete are written again: nothing is deployed.
        nonce = l1.node.mempool.pending_nonce(DEPLOYER_ACCOUNT.address)
        for name in ("rollup.json", "genesis.json"):
            (options.out / name).unlink()
        assert await run_deploy(options) == 0
        assert {path.name: path.read_bytes() for path in options.out.iterdir()} == before
        assert l1.node.mempool.pending_nonce(DEPLOYER_ACCOUNT.address) == nonce


async def test_an_account_is_funded_once(options: DeployOptions) -> None:
    async with dev_l1() as l1:
        twice = replace(options, l1_url=l1.url, fund=((FRIEND, 1), (FRIEND, 2)))
        with pytest.raises(ConfigError, match=r"^--fund: 0x\w+ comes twice$"):
            await run_deploy(twice)


async def test_what_l1_says_no_to_can_be_tried_again(
    options: DeployOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: object, **named: object) -> None:
        raise TemporaryError("gone")

    monkeypatch.setattr("openrollup.deploy.deploy", fail)
    async with dev_l1() as l1:
        with pytest.raises(TemporaryError, match=r"^gone: to go on, run the same command again$"):
            await run_deploy(replace(options, l1_url=l1.url))
