"""Disks and folders that fail the real command: one line says what is wrong; nothing is lost."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.json_rpc import Unreachable, call
from tests.integration.nodes import DevNode
from tests.integration.processes import Process, json_line, openrollup, run_openrollup

_EVERYTHING = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@contextmanager
def l1_node(datadir: Path, *options: str) -> Iterator[tuple[Process, str]]:
    """Run `openrollup l1` with a block each second."""
    arguments = ("l1", "--json", "--port", "0", "--block-time", "1", "--datadir", datadir)
    with Process(openrollup(*arguments, *options)) as process:
        started = json_line(process.wait_for_line(lambda line: "started" in line))
        yield process, started["l1"]["url"]


def shown_blocks(url: str, until: int | None = None) -> dict[str, Any]:
    """Ask for the newest block over and over; return all that was shown, by number.

    Until there is block `until`, or until nobody answers any more.
    """
    shown: dict[str, Any] = {}
    newest = -1
    try:
        while until is None or newest < until:
            block = call(url, "eth_getBlockByNumber", "latest", False)
            shown[block["number"]] = block
            newest = int(block["number"], 16)
    except Unreachable:
        assert until is None
    return shown


def last_line(process: Process) -> str:
    return process.errors.strip().splitlines()[-1]


def limit_files(process: Process, store: Path) -> None:
    """Let no file of a running process grow beyond the present size of its store."""
    size = (store / "data.mdb").stat().st_size
    resource.prlimit(process._popen.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_stops_the_l1_and_loses_nothing(tmp_path: Path) -> None:
    datadir = tmp_path / "chain"
    with l1_node(datadir) as (process, url):
        shown_blocks(url, until=1)
        limit_files(process, datadir)
        shown = shown_blocks(url)
        assert process.wait() == 1
        assert last_line(process).startswith("openrollup: writing to the database: no space left")
        assert "Traceback" not in process.errors
    with l1_node(datadir) as (process, url):
        for number, block in shown.items():
            assert call(url, "eth_getBlockByNumber", number, False) == block
        shown_blocks(url, until=max(int(number, 16) for number in shown) + 1)
        assert process.stop() == 0
    done = run_openrollup("replay", "--datadir", datadir)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("store", ["l2", "verifier"])
def test_a_full_disk_stops_the_whole_dev_network(tmp_path: Path, store: str) -> None:
    datadir = tmp_path / "data"
    with DevNode(tmp_path / "out", datadir=datadir) as node:
        shown_blocks(node.started.l2_url, until=3)
        limit_files(node, datadir / store)
        shown = shown_blocks(node.started.l2_url)
        assert node.wait() == 1
        assert last_line(node).startswith("openrollup: writing to the database: no space left")
        assert "Traceback" not in node.errors
    with DevNode(tmp_path / "out", datadir=datadir) as node:
        for number, block in shown.items():
            assert call(node.started.l2_url, "eth_getBlockByNumber", number, False) == block
        shown_blocks(node.started.l2_url, until=max(int(number, 16) for number in shown) + 1)
        assert node.stop() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    datadir, ballast = small_disk / "chain", small_disk / "ballast"
    with l1_node(datadir) as (process, url):
        shown_blocks(url, until=1)
        _fill(ballast)
        shown = shown_blocks(url)
        assert process.wait() == 1
        assert last_line(process).startswith("openrollup: writing to the database: no space left")
    ballast.unlink()
    with l1_node(datadir) as (process, url):
        for number, block in shown.items():
            assert call(url, "eth_getBlockByNumber", number, False) == block
        shown_blocks(url, until=max(int(number, 16) for number in shown) + 1)
        assert process.stop() == 0


def _fill(ballast: Path) -> None:
    try:
        with ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        return


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    datadir = tmp_path / "chain"
    with l1_node(datadir) as (process, url):
        shown_blocks(url, until=2)
        refused = run_openrollup("l1", "--datadir", datadir, "--port", "0")
        assert refused.returncode == 2
        assert refused.stderr.strip() == (
            f"openrollup: datadir: {datadir} is in use by process {process._popen.pid}: stop it, "
            "or choose another directory"
        )
        assert run_openrollup("replay", "--datadir", datadir).returncode == 0
        shown_blocks(url, until=4)
        assert process.stop() == 0
    assert run_openrollup("replay", "--datadir", datadir).returncode == 0


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The datadir of a chain that was stopped."""
    datadir = tmp_path_factory.mktemp("chain") / "chain"
    with l1_node(datadir) as (process, url):
        shown_blocks(url, until=1)
        assert process.stop() == 0
    return datadir


def _refusal(datadir: Path, *command: str | Path) -> tuple[int, str]:
    done = run_openrollup(*command, "--datadir", datadir)
    assert done.stderr.count("\n") == 1 or "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "damage", "message"),
    [
        (("l1",), lambda raw: raw[: len(raw) // 2], "data.mdb is damaged, its end is missing"),
        (("replay",), lambda raw: b"not a database" * 1000, "data.mdb is damaged, or not ours"),
        (("replay",), lambda raw: raw[:8192] + b"\xa5" * (len(raw) - 8192), "damaged"),
    ],
)
def test_a_damaged_file_is_refused(
    chain: Path, tmp_path: Path, command: tuple[str, ...], damage: Any, message: str
) -> None:
    datadir = tmp_path / "chain"
    datadir.mkdir()
    for file in chain.iterdir():
        (datadir / file.name).write_bytes(file.read_bytes())
    data = datadir / "data.mdb"
    damaged = damage(data.read_bytes())
    data.write_bytes(damaged)
    code, line = _refusal(datadir, *command)
    assert code == 1
    assert message in line
    assert data.read_bytes() == damaged, "what is damaged is left as it is"


def test_a_folder_that_cannot_be_written_to_is_refused() -> None:
    folder = Path("/proc/openrollup")
    code, line = _refusal(folder, "l1")
    assert code == 2
    assert line.startswith(f"openrollup: datadir: cannot use {folder}: ")
