"""What each command takes, up to the options that it is run with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.evm.rules import Interpreter
from openrollup.chain_files import ExportOptions, ImportOptions
from openrollup.cli import run
from openrollup.deploy import DeployOptions
from openrollup.dev_options import DevOptions
from openrollup.l1 import L1Options
from openrollup.replay import ReplayOptions
from openrollup.rollup import RollupOptions

FILES = ["--rollup", "r.json", "--genesis", "g.json", "--l1-chain", "c.json"]
NODE = [*FILES, "--l1", "http://l1:8545", "--datadir", "data"]
BOTH = Interpreter.BOTH


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The options of the commands that would have run."""
    seen: list[Any] = []

    async def endless(options: object) -> int:
        seen.append(options)
        return 0

    def finite(options: object) -> int:
        seen.append(options)
        return 0

    for name in ("dev.run_dev", "l1.run_l1", "deploy.run_deploy", "rollup.run_rollup"):
        monkeypatch.setattr(f"openrollup.{name}", endless)
    for name in ("replay.run_replay", "chain_files.run_export", "chain_files.run_import"):
        monkeypatch.setattr(f"openrollup.{name}", finite)
    return seen


def rollup_options(**more: object) -> RollupOptions:
    options: dict[str, Any] = {
        "rollup": Path("r.json"),
        "genesis": Path("g.json"),
        "l1_chain": Path("c.json"),
        "l1_url": "http://l1:8545",
        "datadir": Path("data"),
        "port": 9545,
        "json": False,
    }
    return RollupOptions(**{**options, **more})


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["dev"], DevOptions()),
        (
            [
                *("dev", "--datadir", "d", "--block-time", "2", "--l1-block-time", "4"),
                *("--automine", "--gas-limit", "40000000", "--max-da-bytes", "5", "--json"),
                *("--da", "calldata", "--l1-port", "1", "--port", "2", "--verifier-port", "3"),
                *("--out", "o"),
            ],
            DevOptions(
                datadir=Path("d"),
                out=Path("o"),
                block_time_s=2,
                l1_block_time_s=4,
                automine=True,
                gas_limit=40_000_000,
                max_da_bytes=5,
                l1_port=1,
                port=2,
                verifier_port=3,
                json=True,
            ),
        ),
        (
            ["dev", "--l1", "https://l1", "--key-file", "k"],
            DevOptions(l1_url="https://l1", key_file=Path("k")),
        ),
        (["dev", "--no-attribution"], DevOptions(attribution=False)),
        (["l1"], L1Options(None, None, None, 8545, None, json=False)),
        (
            [
                *("l1", "--genesis", "g", "--import", "b", "--datadir", "d", "--port", "1"),
                *("--block-time", "2", "--json"),
            ],
            L1Options(Path("g"), Path("b"), Path("d"), 1, 2, json=True),
        ),
        (
            ["deploy", "--l1", "http://l1", "--key-file", "k", "--out", "o"],
            DeployOptions("http://l1", Path("k"), Path("o"), 1, 30_000_000, json=False),
        ),
        (
            ["deploy", "--no-attribution", "--l1", "http://l1", "--key-file", "k", "--out", "o"],
            DeployOptions(
                *("http://l1", Path("k"), Path("o"), 1, 30_000_000),
                json=False,
                attribution=False,
            ),
        ),
        (
            ["sequencer", *NODE, "--batcher-key-file", "k", "--port", "7"],
            rollup_options(batcher_key_file=Path("k"), port=7),
        ),
        (["verifier", *NODE], rollup_options()),
        (
            ["verifier", *NODE, "--sequencer", "http://s", "--json"],
            rollup_options(sequencer_url="http://s", json=True),
        ),
        (
            ["replay", "--datadir", "d"],
            ReplayOptions(Path("d"), None, None, None, None, json=False),
        ),
        (
            ["replay", "--datadir", "d", "--evm", "both"],
            ReplayOptions(Path("d"), None, None, None, None, json=False, evm=BOTH),
        ),
        (
            ["replay", "--rpc", "http://n:1", "--to", "9"],
            ReplayOptions(None, None, None, None, 9, json=False, rpc_url="http://n:1"),
        ),
        (["dev", "--evm", "both"], DevOptions(evm=BOTH)),
        (["l1", "--evm", "both"], L1Options(None, None, None, 8545, None, json=False, evm=BOTH)),
        (["verifier", *NODE, "--evm", "both"], rollup_options(evm=BOTH)),
        (
            ["replay", "--file", "b", "--genesis", "g", "--from", "3", "--to", "9", "--json"],
            ReplayOptions(None, Path("b"), Path("g"), 3, 9, json=True),
        ),
        (
            ["export", "--datadir", "d", "--to", "9", "b"],
            ExportOptions(Path("d"), Path("b"), None, 9, json=False),
        ),
        (
            ["import", "--datadir", "d", "--genesis", "g", "b"],
            ImportOptions(Path("d"), Path("g"), Path("b"), json=False),
        ),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_options(asked: list[Any], arguments: list[str], options: object) -> None:
    assert run(arguments) == 0
    assert asked == [options]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "arguments are required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["dev", "--prot", "1"], "unrecognized arguments: --prot 1"),
        (["dev", "--port", "70000"], "--port: expected a port from 0 to 65535, got '70000'"),
        (["dev", "--block-time", "0.5"], "--block-time: expected whole seconds"),
        (["dev", "--gas-limit", "-1"], "--gas-limit"),
        (["dev", "--max-da-bytes", "0"], "--max-da-bytes: expected a whole number from 1"),
        (["dev", "--da", "pigeons"], "--da: expected calldata or blobs, got 'pigeons'"),
        (["dev", "--l1", "localhost"], "--l1: expected http://HOST:PORT"),
        (["dev", "--datadir", ""], "--datadir: expected a path"),
        (["deploy", "--l1", "http://l1"], "arguments are required: --key-file, --out"),
        (["sequencer", *NODE], "arguments are required: --batcher-key-file"),
        (["verifier", "--l1", "http://l1"], "arguments are required: --rollup"),
        (["verifier", *NODE, "--batcher-key-file", "k"], "unrecognized arguments"),
        (["replay"], "one of the arguments --datadir --rpc --file is required"),
        (["replay", "--datadir", "d", "--file", "f"], "not allowed with argument"),
        (["replay", "--datadir", "d", "--from", "-1"], "--from"),
        (["export", "--datadir", "d"], "arguments are required: file"),
        (["import", "f", "--datadir", "d"], "arguments are required: --genesis"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_and_code_2(
    asked: list[Any], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not asked


@pytest.mark.parametrize(
    "command", ["dev", "l1", "deploy", "sequencer", "verifier", "replay", "export", "import"]
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: openrollup {command}" in capsys.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["--help"])
    shown = capsys.readouterr().out
    for command in ("dev", "l1", "deploy", "sequencer", "verifier", "replay", "export", "import"):
        assert command in shown.split()


def test_a_command_may_be_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An endless one has done its work by then, one with an end has not."""

    def stopped(code_of: Callable[[], int]) -> Callable[..., int]:
        def stop(command: Any, *, code_when_stopped: int) -> int:
            command.close()
            assert code_when_stopped == code_of()
            raise KeyboardInterrupt

        return stop

    monkeypatch.setattr("openrollup.run.run_command", stopped(lambda: 0))
    for arguments in (["dev"], ["l1"], ["verifier", *NODE]):
        assert run(arguments) == 0
    assert not capsys.readouterr().err
    monkeypatch.setattr("openrollup.run.run_command", stopped(lambda: 1))
    assert run(["deploy", "--l1", "http://l1", "--key-file", "k", "--out", "o"]) == 1
    assert capsys.readouterr().err == "openrollup: stopped before the end\n"
