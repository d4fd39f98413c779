"""`openrollup replay`: re-execute stored blocks, and stop at the first that differs."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from node.errors import ConfigError, NodeError
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis import read_genesis
from node.replay import BlockReport, replay, replay_file
from openrollup.execution_node import StoredChain
from openrollup.progress import Progress


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Where the blocks come from: a datadir, or a file with its genesis. Bounds are inclusive.

    `evm` names the interpreter that executes them.
    """

    datadir: Path | None
    file: Path | None
    genesis: Path | None
    first: int | None
    last: int | None
    json: bool
    evm: Interpreter = DEFAULT_INTERPRETER


@dataclass(slots=True)
class _Totals:
    blocks: int = 0
    transactions: int = 0
    gas: int = 0


def run_replay(options: ReplayOptions) -> int:
    """Replay, show the result, and return 0; NodeError names the first difference."""
    if options.datadir is not None:
        if options.genesis is not None:
            raise ConfigError("--genesis: goes with --file, a --datadir has its own")
        return _replay_datadir(options.datadir, options)
    if options.file is None or options.genesis is None:
        raise ConfigError("--genesis: expected beside --file")
    first = 0 if options.first is None else options.first
    if options.last is not None and options.last < first:
        raise ConfigError(f"--from, --to: expected from <= to, got {first} and {options.last}")
    reports = replay_file(options.file, read_genesis(options.genesis), options.evm)
    return _report(_within(reports, first, options.last), None, options)


def _replay_datadir(datadir: Path, options: ReplayOptions) -> int:
    with StoredChain.open(datadir, options.evm) as chain:
        first, last = chain.block_range(options.first, options.last)
        code = _report(replay(chain.reader, first, last), last - first + 1, options)
        if options.last is None:
            chain.check_state()  # what the next block would be executed on
        return code


def _within(reports: Iterator[BlockReport], first: int, last: int | None) -> Iterator[BlockReport]:
    """Yield the reports of the wanted blocks, and any difference on the way to them."""
    newest = -1
    for report in reports:
        newest = report.number
        if last is not None and newest > last:
            return
        if newest >= first or report.difference is not None:
            yield report
    if newest < max(first, last or 0):
        raise ConfigError(f"--from, --to: the file ends with block {newest}")


def _report(reports: Iterator[BlockReport], total: int | None, options: ReplayOptions) -> int:
    totals, started = _Totals(), time.monotonic()
    failed: BlockReport | None = None
    with Progress("replay", total) as progress:
        for report in reports:
            if report.difference is not None:
                failed = report
                break
            totals.blocks += 1
            totals.transactions += report.transaction_count
            totals.gas += report.gas_used
            progress.show(totals.blocks)
    seconds = max(time.monotonic() - started, 1e-6)
    text = _as_json(totals, seconds, failed) if options.json else _as_text(totals, seconds)
    sys.stdout.write(text + "\n")
    if failed is not None:
        raise NodeError(f"block {failed.number} differs: {failed.difference}")
    return 0


def _as_text(totals: _Totals, seconds: float) -> str:
    return (
        f"{totals.blocks} blocks equal ({totals.transactions} transactions, {totals.gas} gas) "
        f"in {seconds:.1f} s: {totals.blocks / seconds:.1f} blocks/s, "
        f"{totals.gas / seconds / 1e6:.2f} Mgas/s"
    )


def _as_json(totals: _Totals, seconds: float, failed: BlockReport | None) -> str:
    result: dict[str, object] = {
        "blocks": totals.blocks,
        "transactions": totals.transactions,
        "gas": totals.gas,
        "seconds": round(seconds, 3),
        "blocksPerSecond": round(totals.blocks / seconds, 1),
        "gasPerSecond": round(totals.gas / seconds),
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
    return orjson.dumps(result).decode()


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
