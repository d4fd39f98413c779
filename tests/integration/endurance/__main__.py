"""A network for half an hour: `python -m tests.integration.endurance --minutes 30`.

Transactions of every kind, an L1 reorg every two minutes, a restart or a kill every three. What it
watches all the time is in the table at the end (or at Ctrl-C). The exit code is 1 if the verifier
disagrees, something final is gone, the safe head falls too far behind, memory grows too much or
the node stops; the table says which.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.integration.endurance.figures import MOST_L1_BLOCKS_BEHIND, Figures
from tests.integration.endurance.plan import Plan
from tests.integration.endurance.run import Endurance


def main() -> int:
    """Run what the options ask for."""
    options = _options()
    plan = Plan(
        duration_s=60 * options.minutes,
        reorg_every_s=options.reorg_every,
        restart_every_s=options.restart_every,
        rate=options.rate,
        seed=options.seed,
        data_availability=options.da,
        has_anvil=options.l1 == "anvil",
    )
    # Anvil's reorgs take the batcher's transactions, too: two blocks more until they are back.
    most = MOST_L1_BLOCKS_BEHIND + (2 if plan.has_anvil else 0)
    figures = Figures(most_lag_disturbed=most)
    with tempfile.TemporaryDirectory(prefix="openrollup-endurance-") as folder:
        work = Path(folder) if options.keep is None else options.keep
        try:
            asyncio.run(Endurance(plan, work, figures).run())
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
    print(figures.table(), flush=True)
    return 1 if figures.broken_demands() else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--l1", choices=["embedded", "anvil"], default="embedded")
    parser.add_argument("--reorg-every", type=float, default=120.0, help="seconds; 0: never")
    parser.add_argument("--restart-every", type=float, default=180.0, help="seconds; 0: never")
    parser.add_argument("--rate", type=float, default=4.0, help="transactions a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--da", choices=["calldata", "blobs"], default="calldata")
    parser.add_argument("--keep", type=Path, help="work in this new folder and leave it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
