"""What a larger state costs: the same blocks on a small and on a large one, in one run.

Each side runs in processes of its own, so that memory is its own, and the sides make their blocks
in turns, so that what else the machine does meets both.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.machine import machine

SIZES = (10_000, 1_000_000)
TRANSACTIONS = 1000
_OPENINGS = 3
_STEPS = ("decode", "recover", "execute", "roots", "commit")


class StepFailed(Exception):
    """A process of the benchmark ended without its report."""


@dataclass(slots=True)
class Side:
    """What was measured on a state of `accounts`: seconds and bytes."""

    accounts: int
    transactions: int
    datadir: Path
    build: dict[str, Any] = field(default_factory=dict)
    size_on_disk: int = 0
    openings: list[float] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)

    def block_seconds(self, part: str | None = None, *, kind: str = "seconds") -> float:
        """Return the median of the measured blocks, or of one of their steps."""
        found: list[float] = [run["steps"][part] if part else run[kind] for run in self.blocks]
        return median(found)


def run_scale(
    rounds: int,
    directory: Path | None,
    sizes: Sequence[int] = SIZES,
    transactions: int = TRANSACTIONS,
) -> None:
    """Print the table; the first block of each side is not measured."""
    print(f"scale: {machine()}")
    print(
        f"blocks of {transactions} transfers, each between two accounts of its own; "
        f"median of {rounds}\n"
    )
    with tempfile.TemporaryDirectory(prefix="openrollup-scale-", dir=directory) as folder:
        sides = [Side(size, transactions, Path(folder) / str(size)) for size in sizes]
        for side in sides:
            _build(side)
        for _ in range(_OPENINGS):
            for side in sides:
                _open(side)
        _make_blocks(sides, rounds)
    print("\n".join(_table(sides)))


def _build(side: Side) -> None:
    with _process("build", side) as process:
        side.build = _report(process)
    side.size_on_disk = sum(file.stat().st_blocks * 512 for file in side.datadir.iterdir())


def _open(side: Side) -> None:
    start = perf_counter()
    with _process("open", side) as process:
        _report(process)
        side.openings.append(perf_counter() - start)


def _make_blocks(sides: Sequence[Side], rounds: int) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(_process("blocks", side)) for side in sides]
        for number in range(rounds + 1):
            for side, process in zip(sides, processes, strict=True):
                assert process.stdin is not None
                process.stdin.write("block\n")
                process.stdin.flush()
                report = _report(process)
                if number:
                    side.blocks.append(report)


@contextmanager
def _process(step: str, side: Side) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.scale_step", step, str(side.datadir)]
    command += [str(side.accounts), str(side.transactions)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def _report(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise StepFailed(f"{process.args!r}: ended with {process.wait()}, expected a report")
    report: dict[str, Any] = json.loads(line)
    return report


def _table(sides: Sequence[Side]) -> Iterator[str]:
    def row(title: str, cells: Sequence[str]) -> str:
        return f"{title:44}" + "".join(f"{cell:>14}" for cell in cells)

    def milliseconds(title: str, values: Sequence[float]) -> str:
        ratio = f"{values[-1] / values[0]:.2f}x"
        return row(title, [*(f"{value * 1e3:.0f}" for value in values), ratio])

    def megabytes(title: str, values: Sequence[int]) -> str:
        return row(title, [f"{value / 1e6:.0f}" for value in values])

    yield row("accounts", [*(f"{side.accounts:,}" for side in sides), "ratio"])
    yield milliseconds("a block, ms", [side.block_seconds() for side in sides])
    yield milliseconds("  of it CPU", [side.block_seconds(kind="cpu_seconds") for side in sides])
    for step in _STEPS:
        yield milliseconds(f"  {step}", [side.block_seconds(step) for side in sides])
    last = [side.blocks[-1] for side in sides]
    own, files = ([run["resident"][kind] for run in last] for kind in ("own", "files"))
    yield megabytes("resident after the blocks, MB: the process", own)
    yield megabytes("  pages of files", files)
    yield megabytes("  resident at most", [run["most_resident"] for run in last])
    yield milliseconds("process start to first answer, ms", [median(s.openings) for s in sides])
    yield milliseconds("writing the genesis, ms", [side.build["seconds"] for side in sides])
    yield megabytes("  resident at most, MB", [side.build["most_resident"] for side in sides])
    yield megabytes("  size on disk, MB", [side.size_on_disk for side in sides])
