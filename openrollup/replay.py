"""`openrollup replay`: re-execute stored blocks, and stop at the first that differs."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from node.errors import ConfigError
from node.genesis import read_genesis
from node.replay import BlockReport, replay, replay_file
from node.types.primitives import BlockNumber
from openrollup.execution_node import StoredChain
from openrollup.progress import Progress


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Where the blocks come from: a datadir, or a file with its genesis. Bounds are inclusive."""

    datadir: Path | None
    file: Path | None
    genesis: Path | None
    first: int | None
    last: int | None
    json: bool


@dataclass(slots=True)
class _Totals:
    blocks: int = 0
    transactions: int = 0
    gas: int = 0


def run_replay(options: ReplayOptions) -> int:
    """Return 0 if every block is equal, 1 after naming the first difference."""
    if options.datadir is not None:
        return _replay_datadir(options.datadir, options)
    if options.file is None or options.genesis is None:
        raise ConfigError("--genesis: expected beside --file")
    genesis = read_genesis(options.genesis)
    reports = replay_file(options.file, genesis)
    first, last = options.first or 0, options.last
    wanted = (
        report
        for report in reports
        if report.difference is not None
        or (report.number >= first and (last is None or report.number <= last))
    )
    return _report(wanted, None, options)


def _replay_datadir(datadir: Path, options: ReplayOptions) -> int:
    chain = StoredChain.open(datadir)
    try:
        newest = chain.reader.heads().unsafe.number
        first = 1 if options.first is None else options.first
        last = newest if options.last is None else options.last
        if not 0 <= first <= last <= newest:
            raise ConfigError(
                f"--from, --to: expected 0 <= from <= to <= {newest} (the newest block), "
                f"got {first} and {last}"
            )
        reports = replay(chain.reader, BlockNumber(first), BlockNumber(last))
        return _report(reports, last - first + 1, options)
    finally:
        chain.close()


def _report(reports: Iterator[BlockReport], total: int | None, options: ReplayOptions) -> int:
    totals, started = _Totals(), time.monotonic()
    progress = None if total is None else Progress("replay", total)
    failed: BlockReport | None = None
    for report in reports:
        if report.difference is not None:
            failed = report
            break
        totals.blocks += 1
        totals.transactions += report.transaction_count
        totals.gas += report.gas_used
        if progress is not None:
            progress.show(totals.blocks)
    if progress is not None:
        progress.close()
    _print(totals, time.monotonic() - started, failed, json=options.json)
    return 0 if failed is None else 1


def _print(totals: _Totals, seconds: float, failed: BlockReport | None, *, json: bool) -> None:
    rates = {
        "blocksPerSecond": round(totals.blocks / seconds, 1),
        "gasPerSecond": round(totals.gas / seconds),
    }
    if json:
        result: dict[str, object] = {
            "blocks": totals.blocks,
            "transactions": totals.transactions,
            "gas": totals.gas,
            "seconds": round(seconds, 3),
            **rates,
            "equal": failed is None,
        }
        if failed is not None and failed.difference is not None:
            result["difference"] = {
                "block": failed.number,
                "transaction": failed.difference.transaction_index,
                "field": failed.difference.field,
                "expected": _shown(failed.difference.expected),
                "actual": _shown(failed.difference.actual),
                "text": str(failed.difference),
            }
        sys.stdout.write(orjson.dumps(result).decode() + "\n")
        return
    if failed is not None:
        sys.stdout.write(f"block {failed.number} differs: {failed.difference}\n")
    sys.stdout.write(
        f"{totals.blocks} blocks equal ({totals.transactions} transactions, {totals.gas} gas) "
        f"in {seconds:.1f} s: {rates['blocksPerSecond']:.1f} blocks/s, "
        f"{rates['gasPerSecond'] / 1e6:.2f} Mgas/s\n"
    )


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
