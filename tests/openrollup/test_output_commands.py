"""`openrollup proposer` and `openrollup challenge`: what they take, what they say, how they end."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consensus.config import rollup_config_to_json
from consensus.l1.json_rpc import JsonRpc
from consensus.proposer.proposer import Proposed
from node.errors import ConfigError, TemporaryError
from node.genesis import genesis_to_json
from node.genesis.dev_accounts import USER_ACCOUNTS
from node.json_file import write_json
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, checksum_address, keccak256
from openrollup.challenge import ChallengeOptions, run_challenge
from openrollup.cli import run
from openrollup.proposer import ProposerOptions, run_proposer
from openrollup.rollup import RollupOptions, run_rollup
from tests.consensus.passing_time import JumpingClock, settle
from tests.consensus.proposer.scene import WRONG, Scene, new_scene
from tests.openrollup.commands import running_command

SOURCES = ["--rollup", "r.json", "--l1", "http://l1:8545", "--l2", "http://l2:9545"]


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """A rollup whose files are in `tmp_path`, and commands in virtual time."""
    for name in ("challenge", "proposer"):
        monkeypatch.setattr(f"openrollup.{name}.SystemClock", JumpingClock)
    async with new_scene(tmp_path / "image") as scene:
        config = scene.nodes.rollup
        write_json(tmp_path / "rollup.json", rollup_config_to_json(config.config))
        write_json(tmp_path / "genesis.json", genesis_to_json(config.genesis))
        write_json(tmp_path / "l1-chain.json", dict(config.l1_chain))
        (tmp_path / "proposer").write_text(scene.proposer_account.private_key.hex())
        (tmp_path / "challenger").write_text(scene.challenger_account.private_key.hex())
        (tmp_path / "stranger").write_text(USER_ACCOUNTS[0].private_key.hex())
        yield scene


@pytest.fixture
def challenge(scene: Scene, tmp_path: Path) -> ChallengeOptions:
    return ChallengeOptions(
        rollup=tmp_path / "rollup.json",
        l1_url=scene.l1.url,
        l2_url=scene.nodes.verifier.url,
        json=False,
        key_file=tmp_path / "challenger",
        allow_non_finalized=True,
    )


@pytest.fixture
def propose(scene: Scene, tmp_path: Path) -> ProposerOptions:
    return ProposerOptions(
        rollup=tmp_path / "rollup.json",
        l1_url=scene.l1.url,
        l2_url=scene.nodes.verifier.url,
        key_file=tmp_path / "proposer",
        json=False,
        allow_non_finalized=True,
    )


async def test_nothing_is_wrong(
    scene: Scene, challenge: ChallengeOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run_challenge(challenge) == 0
    assert capsys.readouterr().out == "there are no outputs on L1 yet\n"
    await scene.make_safe(2 * scene.interval)
    assert isinstance(await scene.step(scene.proposer()), Proposed)
    assert await run_challenge(replace(challenge, key_file=None)) == 0
    assert capsys.readouterr().out == "all outputs on L1 are right: 2, the last one of block 20\n"
    assert await run_challenge(replace(challenge, json=True)) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "right", "outputs": 2}


async def test_a_wrong_output_is_named_and_deleted(
    scene: Scene, challenge: ChallengeOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    await scene.make_safe(2 * scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    await scene.propose_by_hand(2 * scene.interval, WRONG)
    assert await scene.mining(run_challenge(challenge)) == 1
    wrong, deleted = capsys.readouterr().out.splitlines()
    right = scene.output(scene.interval).root.hex()
    assert wrong == (
        f"output 0 on L1, of block 10, is 0x{WRONG.root.hex()}, the verifier has 0x{right}"
    )
    assert deleted.startswith("outputs 0 to 1 are deleted, by 0x")
    assert await scene.oracle.count() == 0


async def test_a_wrong_output_that_cannot_be_deleted(
    scene: Scene, challenge: ChallengeOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    assert await run_challenge(replace(challenge, key_file=None, json=True)) == 1
    wrong, left = map(json.loads, capsys.readouterr().out.splitlines())
    assert (wrong["event"], wrong["index"], wrong["block"]) == ("wrong", 0, scene.interval)
    assert left["reason"] == "no key was given to delete it with"
    await scene.stepper.advance_l1(scene.finalization_period_s + 1)
    assert await run_challenge(replace(challenge, watch=True)) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "output 0 is not deleted: it is final: the oracle deletes it no more"


async def test_outputs_ahead_of_the_verifier_are_waited_for(
    scene: Scene,
    challenge: ChallengeOptions,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    await scene.make_safe(scene.interval)
    await scene.propose_by_hand(scene.interval, WRONG)
    judging = asyncio.ensure_future(run_challenge(replace(challenge, allow_non_finalized=False)))
    while "waiting: output 0 is of block 10" not in caplog.text:
        await settle(judging)
    assert not judging.done()
    assert await scene.oracle.count() == 1
    await scene.stepper.advance_l1(4)

    async def end() -> int:
        return await judging

    assert await scene.mining(end()) == 1
    assert "output 0 is deleted" in capsys.readouterr().out


async def test_watching_goes_on_after_a_deletion(
    scene: Scene, challenge: ChallengeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.make_safe(scene.interval)
    options = replace(challenge, watch=True, json=True)
    async with running_command(run_challenge(options), monkeypatch) as output:
        await output.event("started")
        for _ in range(2):
            await scene.propose_by_hand(scene.interval, WRONG)
            assert (await scene.mining(output.event("wrong")))["index"] == 0
            assert (await scene.mining(output.event("deleted")))["first"] == 0
    assert await scene.oracle.count() == 0


async def test_a_proposer_of_its_own(
    scene: Scene, propose: ProposerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.make_safe(scene.interval)
    address = checksum_address(scene.proposer_account.address)

    async def proposed() -> None:
        while await scene.oracle.count() == 0:
            await settle()

    for is_json in (False, True):
        options = replace(propose, json=is_json)
        async with running_command(run_proposer(options), monkeypatch) as output:
            line = await output.line()
            if is_json:
                assert json.loads(line) == {"event": "started", "proposer": address}
            else:
                assert line == f"proposing outputs of {propose.l2_url} as {address}"
            await scene.mining(proposed())
    assert await scene.proposed() == [(scene.interval, scene.output(scene.interval).root)]


async def test_what_is_refused_at_the_start(
    scene: Scene, propose: ProposerOptions, challenge: ChallengeOptions, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    with pytest.raises(ConfigError, match="the output oracle's proposer is"):
        await run_proposer(replace(propose, key_file=stranger))
    with pytest.raises(ConfigError, match="the output oracle's challenger is"):
        await run_challenge(replace(challenge, key_file=stranger))
    with pytest.raises(TemporaryError, match=r"127\.0\.0\.1:1"):
        await run_proposer(replace(propose, l2_url="http://127.0.0.1:1"))
    with pytest.raises(TemporaryError, match="is an L1 running there"):
        await run_challenge(replace(challenge, l1_url="http://127.0.0.1:1"))
    config = scene.nodes.rollup.config
    genesis = replace(config.genesis, l2=BlockRef(keccak256(b"other"), BlockNumber(0)))
    other = rollup_config_to_json(replace(config, genesis=genesis))
    write_json(tmp_path / "rollup.json", other)
    with pytest.raises(ConfigError, match=r"^--l2: expected a node of the rollup"):
        await run_challenge(challenge)


async def test_a_node_whose_key_the_oracle_does_not_take(scene: Scene, tmp_path: Path) -> None:
    options = RollupOptions(
        rollup=tmp_path / "rollup.json",
        genesis=tmp_path / "genesis.json",
        l1_chain=tmp_path / "l1-chain.json",
        l1_url=scene.l1.url,
        datadir=tmp_path / "data",
        port=0,
        json=True,
        proposer_key_file=tmp_path / "stranger",
    )
    with pytest.raises(ConfigError, match="the output oracle's proposer is"):
        await run_rollup(options)
    with pytest.raises(ConfigError, match=r"^--proposer-allow-non-finalized: goes with"):
        await run_rollup(
            replace(options, proposer_key_file=None, proposer_allow_non_finalized=True)
        )


async def test_a_verifier_that_proposes(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RollupOptions(
        rollup=tmp_path / "rollup.json",
        genesis=tmp_path / "genesis.json",
        l1_chain=tmp_path / "l1-chain.json",
        l1_url=scene.l1.url,
        datadir=tmp_path / "data",
        port=0,
        json=True,
        proposer_key_file=tmp_path / "proposer",
        proposer_allow_non_finalized=True,
        rpc_enable_admin=True,
    )
    async with running_command(run_rollup(options), monkeypatch) as output:
        url = (await output.event("started"))["l2"]["url"]
        rpc = JsonRpc(url)
        assert await rpc.call("admin_stopProposer") is None
        assert await rpc.call("admin_startProposer") is None
        await rpc.close()


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (
            ["proposer", *SOURCES, "--key-file", "k"],
            ProposerOptions(Path("r.json"), "http://l1:8545", "http://l2:9545", Path("k"), False),
        ),
        (
            ["challenge", *SOURCES, "--watch", "--allow-non-finalized", "--json"],
            ChallengeOptions(
                Path("r.json"),
                "http://l1:8545",
                "http://l2:9545",
                True,
                watch=True,
                allow_non_finalized=True,
            ),
        ),
    ],
)
def test_options(arguments: list[str], options: object, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    async def command(given: object) -> int:
        seen.append(given)
        return 0

    monkeypatch.setattr("openrollup.proposer.run_proposer", command)
    monkeypatch.setattr("openrollup.challenge.run_challenge", command)
    assert run(arguments) == 0
    assert seen == [options]
