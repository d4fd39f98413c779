"""Blocks from raw transactions to the disk: this node beside stock py-evm, in one run.

Each round both sides make a block of the same signed transactions, on the same state: decode,
recover signers, execute, compute the roots, store. Ours works under rollup rules with fees that are
not zero and commits to LMDB, synced; py-evm keeps everything in memory and has no rollup parts.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.accounts import Accounts
from bench.hot_spots import HotSpots
from bench.machine import machine, versions
from bench.our_node import BlockRun, OurNode
from bench.stock_py_evm import StockPyEvm
from bench.workloads import WORKLOADS, Workload
from node.execution.transition import ExecutedBlock
from node.genesis import genesis_block

_LINE = "{:26} {:>5} {:>9} {:>9} {:>7} {:>9} {:>9}"


class WorkloadFailed(Exception):
    """A transaction of a workload failed, so that its block says nothing about speed."""


@dataclass(frozen=True, slots=True)
class Result:
    """A workload's measured rounds; `theirs` (seconds) is empty where py-evm did not run."""

    workload: Workload
    transactions: int
    ours: Sequence[BlockRun]
    theirs: Sequence[float]
    their_gas: int

    @property
    def our_seconds(self) -> float:
        """The median of our rounds."""
        return median(run.seconds for run in self.ours)

    @property
    def their_seconds(self) -> float:
        """The median of py-evm's rounds."""
        return median(self.theirs)


class ExecutionBenchmark:
    """Both sides on one genesis, in a folder under `directory` (the system's own if None)."""

    def __init__(self, accounts: Accounts, directory: Path | None, *, has_peer: bool) -> None:
        self._accounts = accounts
        self._nonces = [0] * accounts.senders
        self._folder = tempfile.TemporaryDirectory(prefix="openrollup-bench-", dir=directory)
        genesis = accounts.genesis()
        self._ours = OurNode(genesis, Path(self._folder.name) / "chain")
        self._theirs = StockPyEvm(genesis_block(genesis)) if has_peer else None

    def close(self) -> None:
        """Remove our chain's folder."""
        self._ours.close()
        self._folder.cleanup()

    def run(self, workload: Workload, rounds: int, spots: HotSpots | None = None) -> Result:
        """Run a round that is not measured, then `rounds` that are; `spots` watches our side."""
        ours: list[BlockRun] = []
        theirs: list[float] = []
        gas = 0
        for number in range(rounds + 1):
            raw = workload.block(self._accounts, self._nonces, number)
            is_measured = number > 0
            if spots is not None and is_measured:
                with spots.measured():
                    run, executed = self._ours.run_block(raw)
            else:
                run, executed = self._ours.run_block(raw)
            _check(workload, executed)
            seconds, gas = self._run_peer(workload, raw)
            if is_measured:
                ours.append(run)
                theirs.append(seconds)
        return Result(workload, len(raw), ours, theirs if self._theirs else (), gas)

    def _run_peer(self, workload: Workload, raw: list[bytes]) -> tuple[float, int]:
        if self._theirs is None:
            return 0.0, 0
        start = perf_counter()
        gas, computations = self._theirs.run_block(raw)
        seconds = perf_counter() - start
        failed = [index for index, item in enumerate(computations) if item.is_error]
        if failed:
            raise WorkloadFailed(f"{workload.name}: transactions {failed} fail in py-evm")
        return seconds, gas


def _check(workload: Workload, executed: ExecutedBlock) -> None:
    failed = [index for index, receipt in enumerate(executed.receipts) if not receipt.status]
    if failed:
        raise WorkloadFailed(f"{workload.name}: transactions {failed} fail in our node")


def run_execution(
    workloads: Sequence[Workload],
    accounts: Accounts,
    rounds: int,
    directory: Path | None,
    *,
    has_profile: bool,
) -> None:
    """Print the benchmark: a line for each workload as it is done, then where the time goes.

    With `has_profile` our side runs alone, and what is printed is where its time goes.
    """
    print(f"execution: {machine()}")
    print(f"peer: {versions('py-evm', 'trie', 'rlp', 'coincurve')}, in memory")
    print(f"state: {accounts.total} accounts; median of {rounds} rounds, wall time")
    benchmark = ExecutionBenchmark(accounts, directory, has_peer=not has_profile)
    try:
        if has_profile:
            _profile(benchmark, workloads, rounds)
        else:
            _compare(benchmark, workloads, rounds)
    finally:
        benchmark.close()


def _profile(benchmark: ExecutionBenchmark, workloads: Sequence[Workload], rounds: int) -> None:
    for workload in workloads:
        spots = HotSpots()
        result = benchmark.run(workload, rounds, spots)
        print(f"\n{workload.title}: {rounds} blocks of {result.transactions} transactions")
        print(spots.report())


def _compare(benchmark: ExecutionBenchmark, workloads: Sequence[Workload], rounds: int) -> None:
    print()
    header = ("workload", "txs", "ours tx/s", "peer tx/s", "ratio", "ours gas", "peer gas")
    print(_LINE.format(*header))
    results = []
    for workload in workloads:
        result = benchmark.run(workload, rounds)
        results.append(result)
        print(_row(result), flush=True)
    print("gas columns: millions of gas a second\n\nours, milliseconds a block:")
    for result in results:
        print(_steps(result))


def _row(result: Result) -> str:
    ours, theirs, count = result.our_seconds, result.their_seconds, result.transactions
    return _LINE.format(
        result.workload.title,
        count,
        f"{count / ours:.0f}",
        f"{count / theirs:.0f}",
        f"{theirs / ours:.2f}x",
        f"{result.ours[-1].gas_used / ours / 1e6:.1f}",
        f"{result.their_gas / theirs / 1e6:.1f}",
    )


def _steps(result: Result) -> str:
    steps = " ".join(
        f"{name} {median(run.steps[name] for run in result.ours) * 1e3:.0f}"
        for name in result.ours[0].steps
    )
    cpu = median(run.cpu_seconds for run in result.ours) * 1e3
    return f"  {result.workload.title:26} {result.our_seconds * 1e3:6.0f} (CPU {cpu:.0f}): {steps}"


def workloads_named(names: Sequence[str]) -> Sequence[Workload]:
    """Return the workloads of these names, all of them without names; KeyError if unknown."""
    by_name = {workload.name: workload for workload in WORKLOADS}
    return [by_name[name] for name in names] if names else WORKLOADS
