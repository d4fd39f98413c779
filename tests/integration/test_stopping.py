"""How a node ends, and what it refuses to begin."""

import signal
from pathlib import Path

import pytest

from tests.integration.json_rpc import call
from tests.integration.nodes import DevNode
from tests.integration.processes import run_openrollup

_ANY_PORTS = ("--l1-port", "0", "--port", "0", "--verifier-port", "0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_right_after_the_start(tmp_path: Path, number: signal.Signals) -> None:
    """Exit code 0, the folder usable again, and the chain where it was."""
    with DevNode(tmp_path / "files", datadir=tmp_path / "data") as node:
        first = call(node.started.l2_url, "eth_getBlockByNumber", "0x0", False)["hash"]
        assert node.stop(number) == 0, node.errors
    with DevNode(tmp_path / "files", datadir=tmp_path / "data") as node:
        again = call(node.started.l2_url, "eth_getBlockByNumber", "0x0", False)["hash"]
        assert again == first
        assert node.stop(number) == 0, node.errors


def test_nothing_is_left_of_a_node_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by a power cut, after which nobody can clean up."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with DevNode(tmp_path / "files") as node:
        node.kill()
    assert not any(temporary.iterdir())


def test_what_another_node_uses_is_refused(tmp_path: Path) -> None:
    """A folder and a port belong to one process: the second one says so in a line."""
    with DevNode(tmp_path / "files", datadir=tmp_path / "data") as node:
        same_folder = run_openrollup("dev", *_ANY_PORTS, "--datadir", tmp_path / "data")
        port = node.started.l2_url.rsplit(":", 1)[1]
        same_port = run_openrollup("dev", *_ANY_PORTS, "--port", port)
        assert node.running
    for done, named in ((same_folder, str(tmp_path / "data")), (same_port, port)):
        assert done.returncode == 2, done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert named in last
        assert "in use" in last
