"""Random walks for as long as wanted: `python -m tests.consensus.long --walks 200 --seed 7`.

Prints each walk's seed and what happened in it, and stops at the first that fails.
"""

import argparse
import asyncio
import faulthandler
import logging
import random
import time

from tests.consensus.walk import Walk, described

HANG_S = 300


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.consensus.long", description=__doc__)
    parser.add_argument("--walks", type=int, default=200)
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--log", action="store_true", help="show what the nodes say")
    options = parser.parse_args()
    if options.log:
        logging.basicConfig(level=logging.DEBUG)
    else:
        logging.disable(logging.CRITICAL)
    for seed in range(options.seed, options.seed + options.walks):
        print(f"seed {seed}: ", end="", flush=True)
        faulthandler.dump_traceback_later(HANG_S, exit=True)
        begun, walk = time.process_time(), Walk(seed)
        asyncio.run(walk.run(options.events))
        print(f"{described(walk)} ({time.process_time() - begun:.1f} s)", flush=True)
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
