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

from tests.conformance.interpreters import INTERPRETERS
from tests.conformance.oracle.case import Case, read_case
from tests.conformance.oracle.comparison import compare, differing_accounts, minimise
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
        if options.replay is not None:
            return _check(read_case(options.replay), oracle, None)
        return _run(options, oracle)


def _run(options: argparse.Namespace, oracle: Oracle) -> int:
    started = told = time.monotonic()
    differences, transactions = 0, 0
    for index in range(options.first, options.first + options.cases):
        case = random_case(options.seed, index)
        transactions += len(case.transactions)
        differences += _check(case, oracle, options.save)
        if differences and not options.go_on:
            break
        if time.monotonic() - told > _PROGRESS_EVERY_S:
            told = time.monotonic()
            print(f"... {index + 1 - options.first} cases, {told - started:.0f} s", flush=True)
    print(
        f"oracle, {options.evm} interpreter, seed {options.seed}: "
        f"{index + 1 - options.first} cases, {transactions} transactions, "
        f"{differences} differences, {time.monotonic() - started:.0f} s"
    )
    return 1 if differences else 0


def _check(case: Case, oracle: Oracle, folder: Path | None) -> int:
    """Return how many cases differ, 0 or 1; print the difference and save it in `folder`."""
    difference = compare(case, oracle)
    if not difference:
        return 0
    print(f"DIFFERENT {case.name}: {difference}", flush=True)
    small = minimise(case, oracle)
    print(f"minimised to {len(small.transactions)} transactions, {len(small.pre)} accounts:")
    print(compare(small, oracle))
    for line in differing_accounts(small, oracle):
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
    parser.add_argument("--evm", choices=INTERPRETERS, default=INTERPRETERS[0])
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="index of the first case")
    parser.add_argument("--go-on", action="store_true", help="after a difference, too")
    parser.add_argument("--save", type=Path, default=Path("build/oracle"), help="of differences")
    parser.add_argument("--replay", type=Path, help="run this saved case only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
