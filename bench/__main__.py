"""`python -m bench`: choose a benchmark and its size."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.accounts import Accounts
from bench.attribution import run_attribution
from bench.derivation import run_derivation
from bench.execution import run_execution, workloads_named
from bench.history import run_history
from bench.precompiles import run_precompiles
from bench.scale import run_scale
from bench.workloads import WORKLOADS
from bench.worst import run_worst
from openrollup.collector import tune_collector


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark that the arguments name; without a name, those beside peers."""
    options = _parser().parse_args(arguments)
    tune_collector()  # as the program does; for the peer, too
    if options.benchmark in ("all", "precompiles"):
        run_precompiles()
    if options.benchmark in ("all", "execution"):
        _run_execution(options)
    if options.benchmark == "attribution":
        run_attribution(is_json=options.json)
    if options.benchmark == "derivation":
        run_derivation(12 * options.rounds, 200 * options.rounds)
    if options.benchmark == "history":
        _run_history(options)
    if options.benchmark == "scale":
        run_scale(options.rounds, options.directory)
    if options.benchmark == "worst":
        run_worst(options.only, options.gas, options.directory)


def _run_execution(options: argparse.Namespace) -> None:
    senders = max(workload.transactions for workload in WORKLOADS)
    run_execution(
        workloads_named(options.workload),
        Accounts(total=options.accounts, senders=senders),
        options.rounds,
        options.directory,
        has_profile=options.profile,
    )


def _run_history(options: argparse.Namespace) -> None:
    (transfers,) = workloads_named(["transfers"])
    accounts = Accounts(total=options.accounts, senders=transfers.transactions)
    run_history(transfers, accounts, options.kept, 16 * options.rounds, options.directory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="this node beside its peers, both in one run"
    )
    parser.add_argument(
        "benchmark",
        nargs="?",
        default="all",
        choices=(
            "all",
            "attribution",
            "derivation",
            "execution",
            "history",
            "precompiles",
            "scale",
            "worst",
        ),
        help="execution: blocks from raw transactions to the disk, beside stock py-evm; "
        "precompiles: each by itself, on its dearest input; "
        "attribution: what receipts cost, beside contracts; "
        "derivation: a chain from L1 again, and what it takes there; "
        "history: what a block adds to the disk, with --history full and N; "
        "scale: what a state of a million accounts costs; "
        "worst: each opcode and precompile where it is slowest for its gas, our side alone",
    )
    parser.add_argument(
        "--workload",
        action="append",
        default=[],
        choices=[workload.name for workload in WORKLOADS],
        help="one kind of block only; can be given several times",
    )
    parser.add_argument("--rounds", type=_positive, default=5, help="measured blocks of each kind")
    parser.add_argument(
        "--accounts", type=_total, default=100_000, help="funded accounts in the state"
    )
    parser.add_argument(
        "--kept", type=_positive, default=128, help="history: the blocks kept (default 128)"
    )
    parser.add_argument(
        "--directory", type=Path, help="where our chain is written (default: the system's own)"
    )
    parser.add_argument(
        "--profile", action="store_true", help="our side alone, under a profiler: where time goes"
    )
    parser.add_argument(
        "--json", action="store_true", help="attribution: everything as JSON, on standard output"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="worst: cases with this in their names only; can be given several times",
    )
    parser.add_argument(
        "--gas", type=_positive, help="worst: no more gas than this for a case, for a quick look"
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def _total(text: str) -> int:
    least = 2 * max(workload.transactions for workload in WORKLOADS)
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"expected {least} or more, got {value}")
    return value


if __name__ == "__main__":
    main()
