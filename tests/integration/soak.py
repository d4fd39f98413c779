"""The full-size versions, minutes long: `python -m tests.integration.soak --transactions 5000`.

Traffic over hundreds of blocks with restarts, derived again by a fresh verifier and compared at
every height; then twenty power cuts. Prints what happened; the exit code says whether all held.
"""

import argparse
import asyncio
import sys
import tempfile
import traceback
from pathlib import Path

from tests.integration.crashes import crash
from tests.integration.processes import run_openrollup
from tests.integration.scenario import Plan, live

_LEAST_EPOCHS = 3


def main() -> int:
    """Run what the options ask for."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="openrollup-soak-") as folder:
        work = Path(folder) if options.keep is None else options.keep
        try:
            asyncio.run(_soak(options, work))
        except AssertionError:
            traceback.print_exc()
            return 1
    return 0


async def _soak(options: argparse.Namespace, work: Path) -> None:
    if options.transactions:
        plan = Plan(
            transactions=options.transactions,
            deposits=options.deposits,
            bulk=options.bulk,
            restarts=options.restarts,
            in_flight=options.in_flight,
            least_l2_blocks=options.l2_blocks,
            least_l1_blocks=options.l1_blocks,
            l1_block_time_s=options.l1_block_time,
            timeout_s=options.timeout,
        )
        figures = await live(plan, work / "traffic")
        print(figures, flush=True)
        assert len(figures.acknowledged.deposit_epochs) >= min(_LEAST_EPOCHS, options.deposits)
        _replay(work / "traffic" / "data")
    if options.kills:
        crashes = await crash(work / "crashes", options.kills, timeout_s=options.timeout)
        print(crashes, flush=True)
        _replay(work / "crashes" / "data")


def _replay(datadir: Path) -> None:
    done = run_openrollup("replay", "--datadir", datadir, timeout_s=3600)
    print(done.stdout.strip(), flush=True)
    assert done.returncode == 0, done.stderr


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--transactions", type=int, default=5_000)
    parser.add_argument("--deposits", type=int, default=12)
    parser.add_argument("--bulk", type=int, default=40, help="transactions of 90 kB")
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--l2-blocks", type=int, default=300, help="at least")
    parser.add_argument("--l1-blocks", type=int, default=60, help="at least")
    parser.add_argument("--l1-block-time", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=2, help="transactions of each user")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--timeout", type=float, default=1200, help="of each wait, in seconds")
    parser.add_argument("--keep", type=Path, help="work in this new folder and leave it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
