"""More random programs: `python -m tests.node.evm.fast.long --programs 100000`."""

import argparse
import sys
import time
from functools import partial
from multiprocessing import Pool

from node.errors import CriticalError
from tests.node.evm.fast.random_case import run_case

_PROGRESS = 10_000


def main() -> int:
    """Run what the options ask for; the exit code says whether the interpreters agreed."""
    options = _options()
    started, count, differing = time.monotonic(), 0, 0
    indices = range(options.first, options.first + options.programs)
    with Pool(options.processes) as pool:
        run = partial(_run, options.seed)
        results = pool.imap_unordered(run, indices, chunksize=50)
        for done, (messages, difference) in enumerate(results, 1):
            count += messages
            if done % _PROGRESS == 0:
                print(f"{done} of {options.programs} programs", file=sys.stderr, flush=True)
            if difference:
                differing += 1
                print(difference, flush=True)
    print(
        f"{options.programs} programs, {count} messages, {differing} programs differ, "
        f"{time.monotonic() - started:.0f} s"
    )
    return 1 if differing else 0


def _run(seed: int, index: int) -> tuple[int, str]:
    try:
        return run_case(seed, index), ""
    except CriticalError as error:
        return 0, str(error)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.node.evm.fast.long", description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the index of the first case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
