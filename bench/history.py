"""What a block adds to the disk, when everything is kept and when the newest N blocks are.

Blocks of transfers, and empty ones, go into a new chain; what the file grew by is measured once the
oldest blocks are being pruned. Each block finalizes its parent, so that nothing else holds it back.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import process_time

from bench.accounts import Accounts
from bench.machine import machine
from bench.our_node import OurNode
from bench.workloads import Workload
from node.genesis import Genesis
from node.storage.schema import Table

_GROUPS = {
    "trie": (Table.TRIE_NODES, Table.STATES),
    "garbage": (Table.GARBAGE,),
    "bodies": (Table.BODIES, Table.OPENINGS),
    "receipts": (Table.RECEIPTS,),
    "headers": (Table.HEADERS, Table.CANONICAL, Table.NUMBERS),
    "index": (Table.TRANSACTIONS,),
    "undo": (Table.UNDO,),
}
_LINE = "{:>6} {:>8} {:>7}" + " {:>9}" * (len(_GROUPS) + 1) + " {:>8} {:>8}"


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes that a block adds: to the file, and to the pages of each group of tables.

    `file_size` is what the file has come to, `cpu_ms` the processor's time for a block, from raw
    transactions to the disk.
    """

    file_size: int
    file: float
    groups: dict[str, float]
    cpu_ms: float


class HistoryBenchmark:
    """Chains on one genesis, each in a new folder under `directory` (the system's own if None)."""

    def __init__(self, accounts: Accounts, directory: Path | None) -> None:
        self._accounts = accounts
        self._genesis: Genesis = accounts.genesis()
        self._directory = directory

    def run(
        self, workload: Workload, kept_blocks: int | None, settling: int, measured: int
    ) -> Growth:
        """Make `settling` blocks and then those that are measured."""
        nonces = [0] * self._accounts.senders
        with tempfile.TemporaryDirectory(prefix="openrollup-bench-", dir=self._directory) as name:
            path = Path(name) / "chain"
            node = OurNode(self._genesis, path, kept_blocks)
            try:
                for number in range(settling):
                    node.run_block(workload.block(self._accounts, nonces, number))
                before, file_before = _sizes(node), _file_size(path)
                times = []
                for number in range(settling, settling + measured):
                    raw = workload.block(self._accounts, nonces, number)
                    start = process_time()
                    node.run_block(raw)
                    times.append(process_time() - start)
                after, file_after = _sizes(node), _file_size(path)
            finally:
                node.close()
        groups = {group: (after[group] - before[group]) / measured for group in _GROUPS}
        growth = (file_after - file_before) / measured
        return Growth(file_after, growth, groups, 1e3 * median(times))


def run_history(
    workload: Workload, accounts: Accounts, kept_blocks: int, measured: int, directory: Path | None
) -> None:
    """Print a line for each kind of block and bound as it is done."""
    print(f"history: {machine()}")
    print(
        f"state: {accounts.total} accounts; bytes that the file, and the pages of its tables, grow "
        f"by with each of {measured} blocks (empty: {4 * measured}); the file in the end; median "
        "CPU time of a block"
    )
    print(_LINE.format("txs", "history", "file", *_GROUPS, "other", "file MB", "CPU ms"))
    benchmark = HistoryBenchmark(accounts, directory)
    for kind, count in ((workload, measured), (replace(workload, transactions=0), 4 * measured)):
        for bound in (None, kept_blocks):
            # Pages of a tree that nodes come to and go from are less and less full at first.
            settling = kept_blocks // 4 if bound is None else 4 * kept_blocks
            growth = benchmark.run(kind, bound, settling, count)
            print(_row(kind, bound, growth), flush=True)


def _row(workload: Workload, kept_blocks: int | None, growth: Growth) -> str:
    amounts: Sequence[float] = list(growth.groups.values())
    other = growth.file - sum(amounts)
    return _LINE.format(
        workload.transactions,
        "full" if kept_blocks is None else kept_blocks,
        f"{growth.file:.0f}",
        *(f"{amount:.0f}" for amount in amounts),
        f"{other:.0f}",
        f"{growth.file_size / 1e6:.0f}",
        f"{growth.cpu_ms:.1f}",
    )


def _sizes(node: OurNode) -> dict[str, int]:
    with node.database.read() as snapshot:
        return {
            group: sum(snapshot.size(table) for table in tables)
            for group, tables in _GROUPS.items()
        }


def _file_size(path: Path) -> int:
    return (path / "data.mdb").stat().st_size
