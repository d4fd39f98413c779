"""Fuzz derivation for as long as wanted: prints seeds and speed, and stops at the first failure."""

import argparse
import asyncio
import faulthandler
import logging
import random
import resource
import time

from tests.consensus.fuzz.arenas import SHARES, run_arenas

HANG_S = 300


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.consensus.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--kind", choices=[*SHARES, "all"], default="all")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what is dropped is told in a line each
    shares = SHARES if options.kind == "all" else {options.kind: 1.0}
    for kind, share in shares.items():
        asyncio.run(fuzz(kind, options.seed, int(options.inputs * share)))


async def fuzz(kind: str, seed: int, inputs: int) -> None:
    print(f"{kind}: {inputs} inputs from seed {seed} on", flush=True)
    begun = told = time.process_time()
    faulthandler.dump_traceback_later(HANG_S, exit=True)
    async for tried in run_arenas(kind, seed, inputs):
        faulthandler.dump_traceback_later(HANG_S, exit=True)  # of one arena
        now = time.process_time()
        if now - told > 10 or tried.inputs >= inputs:
            told = now
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            speed = tried.inputs / (now - begun)
            seen = ", ".join(f"{count} {what}" for what, count in sorted(tried.outcomes.items()))
            print(f"  {tried.inputs} inputs, {speed:.0f}/s, peak {peak} MB: {seen}", flush=True)
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
