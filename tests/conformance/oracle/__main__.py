"""Random Prague blocks beside the Python execution specs: `make oracle ARGS="--cases 20000"`.

Compared are, of each transaction, whether it can be included, its status, gas and logs, and then
the roots and fees of the header. The first difference ends the run: it is made as small as it gets,
printed, and saved to a file that `--replay` runs again.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from tests.conformance.oracle.case import Case, read_case
from tests.conformance.oracle.comparison import Comparison
from tests.conformance.oracle.oracle import PYTHON, Oracle
from tests.conformance.oracle.random_case import random_case

_PROGRESS_EVERY_S = 30


def main() -> int:
    """Run what the options ask for; the exit code says whether there was no difference."""
    options = _options()
    if not PYTHON.exists():
        print(f"oracle: skipped, there is no {PYTHON}; `make oracle` creates it")
        return 0
    with Oracle() as oracle:
        comparison = Comparison(oracle, Interpreter(options.evm))
        if options.replay is not None:
            return _check(read_case(options.replay), comparison, None)
        return _run(options, comparison)


def _run(options: argparse.Namespace, comparison: Comparison) -> int:
    started = told = time.monotonic()
    cases, differences, transactions = 0, 0, 0
    while cases < options.cases and (options.go_on or not differences):
        case = random_case(options.seed, options.first + cases)
        differences += _check(case, comparison, options.save)
        cases += 1
        transactions += len(case.transactions)
        if time.monotonic() - told > _PROGRESS_EVERY_S:
            told = time.monotonic()
            print(f"... {cases} cases, {told - started:.0f} s", flush=True)
    print(
        f"oracle, {options.evm} interpreter, seed {options.seed}: {cases} cases, {transactions} "
        f"transactions, {differences} differences, {time.monotonic() - started:.0f} s"
    )
    return 1 if differences else 0


def _check(case: Case, comparison: Comparison, folder: Path | None) -> int:
    """Return how many cases differ, 0 or 1; print the difference and save it in `folder`."""
    difference = comparison.difference(case)
    if not difference:
        return 0
    print(f"DIFFERENT {case.name}: {difference}", flush=True)
    small = comparison.minimise(case)
    print(f"minimised to {len(small.transactions)} transactions, {len(small.pre)} accounts:")
    difference = comparison.difference(small)
    print(difference)
    if difference.startswith("block"):
        for line in comparison.differing_accounts(small):
            print(line)
    text = json.dumps(small.to_json(), indent=1)
    if folder is None:
        print(text)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{case.name.replace(', ', '-').replace(' ', '-')}.json"
        file.write_text(text)
        print(f"saved to {file}", flush=True)
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.conformance.oracle", description=__doc__)
    names = [interpreter.value for interpreter in Interpreter]
    parser.add_argument("--evm", choices=names, default=DEFAULT_INTERPRETER.value)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="index of the first case")
    parser.add_argument("--go-on", action="store_true", help="after a difference, too")
    parser.add_argument("--save", type=Path, default=Path("build/oracle"), help="of differences")
    parser.add_argument("--replay", type=Path, help="run this saved case only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
