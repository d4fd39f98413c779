"""Programs under test: started in a session of their own, watched, stopped, killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_ERROR_TAIL_BYTES = 8000
_PORT_POLL_S = 0.05


class ProcessFailed(AssertionError):
    """A program has ended or gone quiet when it should not have."""


class Process:
    """A running program, its standard output line by line, its standard error in a file."""

    def __init__(self, arguments: Sequence[str | Path], log: Path | None = None) -> None:
        """Start it; `log` keeps its standard error for whoever looks into a failure."""
        self.arguments = [str(argument) for argument in arguments]
        # Closed by close().
        self._stderr = tempfile.TemporaryFile() if log is None else log.open("w+b")  # noqa: SIM115
        self._popen = subprocess.Popen(
            self.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # the group can be signalled as a whole, and Ctrl-C is ours
        )
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._popen.poll() is None

    @property
    def lines(self) -> list[str]:
        """What it has printed on standard output so far."""
        with self._news:
            return list(self._lines)

    @property
    def errors(self) -> str:
        """What it has printed on standard error so far."""
        # pread: the program shares our file offset, and moving it would move its writes.
        handle = self._stderr.fileno()
        return os.pread(handle, os.fstat(handle).st_size, 0).decode(errors="replace")

    def wait_for_line(
        self, wanted: Callable[[str], bool], timeout_s: float = START_TIMEOUT_S
    ) -> str:
        """Return the first line that is `wanted`, past ones included."""
        deadline = time.monotonic() + timeout_s
        seen = 0
        with self._news:
            while True:
                for line in self._lines[seen:]:
                    if wanted(line):
                        return line
                seen = len(self._lines)
                if self._ended:
                    raise self._failure("ended before it printed the expected line")
                if not self._news.wait(deadline - time.monotonic()):
                    raise self._failure(f"did not print the expected line in {timeout_s} s")

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise self._failure(f"still runs after {timeout_s} s") from None
        self._reader.join()
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the program to end, as an operator does, and return its exit code."""
        self._popen.send_signal(number)
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut does: no chance to clean up."""
        self._signal_group(signal.SIGKILL)
        self.wait()

    def suspend(self) -> None:
        """Stop it in its tracks; connections stay open and nobody answers."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `suspend`."""
        self._signal_group(signal.SIGCONT)

    def close(self) -> None:
        """Make sure that nothing is left of it; safe to call again."""
        self._signal_group(signal.SIGKILL)
        self._popen.wait()
        self._reader.join()
        if self._popen.stdout is not None:
            self._popen.stdout.close()
        self._stderr.close()

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for raw in self._popen.stdout:
            with self._news:
                self._lines.append(raw.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _failure(self, what: str) -> ProcessFailed:
        command = " ".join(self.arguments[:6])
        printed = "\n".join(self._lines[-20:])
        return ProcessFailed(
            f"{command} {what}\n--- standard output\n{printed}\n"
            f"--- standard error\n{self.errors[-_ERROR_TAIL_BYTES:]}"
        )


def openrollup(*arguments: str | Path) -> list[str | Path]:
    """Return the command line of one of our commands, run by this very interpreter."""
    return [sys.executable, "-m", "openrollup", *arguments]


def run_openrollup(
    *arguments: str | Path, timeout_s: float = START_TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself and return exit code and output."""
    return subprocess.run(
        [str(argument) for argument in openrollup(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def free_port() -> int:
    """Return a TCP port that nobody uses now, for programs that cannot choose one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(process: Process, port: int, timeout_s: float = START_TIMEOUT_S) -> None:
    """Wait until `process` accepts connections on `port`."""
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        if not process.running or time.monotonic() > deadline:
            raise ProcessFailed(f"nothing listens on {port}:\n{process.errors}")
        time.sleep(_PORT_POLL_S)


def json_line(line: str) -> dict[str, Any]:
    """Decode a line that must be a JSON object."""
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ProcessFailed(f"expected a JSON object, got {line!r}")
    return value
