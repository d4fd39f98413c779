import errno
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from node.errors import ConfigError, CriticalError, InvalidInput, TemporaryError
from openrollup.cli import run

# Standard output is written at the end, as it is for most people.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
REPLAY = ["replay", "--datadir", "data"]


def outcome(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the exit code of a command that ends with `error`."""

    def fail(options: object) -> int:
        raise error

    monkeypatch.setattr("openrollup.replay.run_replay", fail)
    return run(REPLAY)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("rollup.json: block_time: expected 1"), 2, "rollup.json: block_time: expe"),
        (InvalidInput("block 5: cut off"), 1, "block 5: cut off"),
        (TemporaryError("no L1"), 1, "no L1"),
        (CriticalError("disk\nfull\n"), 1, "disk full"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "/x: Permission denied"),
        (FileNotFoundError(errno.ENOENT, "No such file", b"/y"), 2, "/y: No such file"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/z"), 2, "/z: Not a directory"),
        (OSError(errno.ENOSPC, "No space left on device", "/w"), 1, "/w: No space left on device"),
        (OSError(errno.EMFILE, "Too many open files"), 1, "Too many open files"),
        (OSError("odd"), 1, "odd"),
        (KeyboardInterrupt(), 1, "stopped before the end"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_errors_become_codes_and_one_line(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert outcome(error, monkeypatch) == code
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert shown.startswith(f"openrollup: {line}")


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="cannot be"):
        outcome(AssertionError("cannot be"), monkeypatch)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"openrollup/{version('openrollup')}\n"


def test_help_imports_nothing_heavy() -> None:
    script = """
import sys
from openrollup.cli import run
try:
    run(["--help"])
except SystemExit:
    pass
heavy = {"eth", "aiohttp", "asyncio", "lmdb", "coincurve", "consensus", "rpc", "uvloop"}
print(sorted(heavy & set(sys.modules)))
"""
    done = python("-c", script)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["dev", "--help"]])
def test_a_reader_who_goes_away_sees_no_traceback(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "openrollup", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BUFFERED
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()  # long before anything is printed
        assert program.stderr.read() == b""


def test_output_that_nobody_reads_ends_a_command(tmp_path: Path) -> None:
    script = """
import sys
from openrollup import replay
def run_replay(options):
    for _ in range(100_000):
        print("a long line of text")
    return 0
replay.run_replay = run_replay
sys.argv = ["openrollup", "replay", "--datadir", "d"]
from openrollup.cli import main
main()
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BUFFERED
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.readline()
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 1


def test_threads_that_still_read_do_not_hold_up_the_end() -> None:
    script = """
import sys, threading
from openrollup import replay
def run_replay(options):
    threading.Thread(target=threading.Event().wait).start()
    print("done")
    return 0
replay.run_replay = run_replay
sys.argv = ["openrollup", "replay", "--datadir", "d"]
from openrollup.cli import main
main()
"""
    done = python("-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_work_that_has_an_end(number: signal.Signals) -> None:
    script = f"""
import os, signal, sys, time
from openrollup import replay
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
def run_replay(options):
    try:
        os.kill(os.getpid(), {int(number)})
        time.sleep(60)
    finally:
        print("cleaned up")
replay.run_replay = run_replay
sys.argv = ["openrollup", "replay", "--datadir", "d"]
from openrollup.cli import main
main()
"""
    done = python("-c", script)
    assert (done.returncode, done.stdout) == (1, "cleaned up\n")
    assert done.stderr == "openrollup: stopped before the end\n"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=BUFFERED,
    )
