"""What can go wrong before anything has happened."""

import subprocess
import sys
from pathlib import Path

import pytest
from medical.node import NodeFailed, own_node

NOWHERE = "http://127.0.0.1:1"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--rpc", NOWHERE), "--rpc and --l1 go together"),
        (("--rpc", NOWHERE, "--l1", NOWHERE, "--key", "zz"), "expected 32 bytes of hexadecimal"),
    ],
)
def test_bad_usage(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run(folder, *arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_no_node(folder: Path) -> None:
    done = run(folder, "--rpc", NOWHERE, "--l1", NOWHERE)
    assert done.returncode == 1
    assert "ConnectionError" in done.stderr and "Traceback" not in done.stderr


def test_a_rollup_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(NodeFailed), own_node():
        pass
