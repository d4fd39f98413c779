"""Configuration that is wrong: exit code 2 and one line that names the field."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.genesis.dev_accounts import BATCHER_ACCOUNT
from tests.integration.chains import CONFIGURATION
from tests.integration.nodes import DevNode
from tests.integration.processes import Process, free_port, openrollup, run_openrollup

Change = Callable[[dict[str, Any]], None]


def set_field(path: str, value: Any) -> Change:
    def change(content: dict[str, Any]) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            content = content[parent]
        content[name] = value

    return change


def drop_field(path: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            content = content[parent]
        del content[name]

    return change


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        ("rollup.json", drop_field("block_time"), "block_time"),
        ("rollup.json", set_field("batch_inbox_address", "0x12"), "batch_inbox_address"),
        ("rollup.json", set_field("l2_chain_id", 902), "l2_chain_id"),
        ("rollup.json", set_field("genesis.l2.hash", "0x" + "11" * 32), "genesis.l2.hash"),
        ("genesis.json", set_field("gasLimit", "many"), "gasLimit"),
        ("genesis.json", drop_field("config.optimism.eip1559Elasticity"), "eip1559Elasticity"),
        ("l1-chain.json", drop_field("blobSchedule"), "blobSchedule"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_field_is_named(
    shared_node: DevNode, tmp_path: Path, file: str, change: Change, named: str
) -> None:
    for name in CONFIGURATION:
        shutil.copy(shared_node.started.files / name, tmp_path / name)
    content = json.loads((tmp_path / file).read_bytes())
    change(content)
    (tmp_path / file).write_text(json.dumps(content))
    code, line = start_verifier(tmp_path, shared_node.started.l1_url)
    assert code == 2, line
    assert named in line


@pytest.mark.parametrize("file", CONFIGURATION)
def test_broken_file_is_named(shared_node: DevNode, tmp_path: Path, file: str) -> None:
    for name in CONFIGURATION:
        shutil.copy(shared_node.started.files / name, tmp_path / name)
    (tmp_path / file).write_text("{")
    code, line = start_verifier(tmp_path, shared_node.started.l1_url)
    assert code == 2, line
    assert file in line


def test_another_l1_is_refused(shared_node: DevNode, tmp_path: Path) -> None:
    """L2's endpoint speaks the same language but is another chain."""
    for name in CONFIGURATION:
        shutil.copy(shared_node.started.files / name, tmp_path / name)
    code, line = start_verifier(tmp_path, shared_node.started.l2_url)
    assert code == 2, line
    assert "900" in line
    assert "901" in line


def test_sequencer_without_l1_says_so_and_waits(shared_node: DevNode, tmp_path: Path) -> None:
    for name in CONFIGURATION:
        shutil.copy(shared_node.started.files / name, tmp_path / name)
    key_file = tmp_path / "key"
    key_file.write_text("0x" + BATCHER_ACCOUNT.private_key.hex())
    url = f"http://127.0.0.1:{free_port()}"
    command = openrollup("sequencer", *_files(tmp_path, url), "--batcher-key-file", key_file)
    with Process(command) as sequencer:
        sequencer.wait_for_line(lambda line: line.startswith("sequencer of L2 chain 901"))
        (said,) = [line for line in sequencer.errors.splitlines() if "L1 does not answer" in line]
        assert url in said
        assert sequencer.stop() == 0


def test_broken_key_is_refused_and_not_shown(shared_node: DevNode, tmp_path: Path) -> None:
    for name in CONFIGURATION:
        shutil.copy(shared_node.started.files / name, tmp_path / name)
    key_file = tmp_path / "key"
    key_file.write_text("0x" + "11" * 31)
    arguments = _files(tmp_path, shared_node.started.l1_url)
    done = run_openrollup("sequencer", *arguments, "--batcher-key-file", key_file)
    assert done.returncode == 2, done.stderr
    assert "11" * 31 not in done.stderr
    assert str(key_file) in done.stderr


def start_verifier(files: Path, l1_url: str) -> tuple[int, str]:
    """Return the exit code and the last line of standard error; the program must end by itself."""
    done = run_openrollup("verifier", *_files(files, l1_url))
    lines = done.stderr.strip().splitlines()
    assert lines, "nothing on standard error"
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, lines[-1]


def _files(files: Path, l1_url: str) -> list[str | Path]:
    return [
        *("--l1", l1_url, "--port", "0", "--datadir", files / "data"),
        *("--rollup", files / "rollup.json"),
        *("--genesis", files / "genesis.json"),
        *("--l1-chain", files / "l1-chain.json"),
    ]
