"""Kills a node in the middle of its work, again and again: `python -m tests.crash --rounds 200`.

One store grows through all rounds, and another one that prunes its history. After each kill it has
to open at a commit that was made as a whole, with everything that any answer had shown before. Then
the power is cut, too, as far as a record of all writes allows. Exit code 1 if something is lost.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.crash.power_cut import cut_again_and_again
from tests.crash.rounds import Rounds
from tests.crash.shim import build, environment, loaded

_INSIDE = "--inside"


def main() -> int:
    """Start again with the shim, if it can be built, and run the rounds."""
    options = _options()
    if options.inside:
        return _run(options)
    with tempfile.TemporaryDirectory(prefix="openrollup-shim-") as folder:
        library = build(Path(folder))
        if library is None:
            print("crash: no C compiler, so kills hit commits by chance only")
        with_shim = environment(library)
        command = [sys.executable, "-m", "tests.crash", _INSIDE, *sys.argv[1:]]
        code = subprocess.run(command, env=with_shim, check=False).returncode
        if code == 0 and library is not None and options.power_cuts:
            code = _cut_power(Path(folder), with_shim, options.power_cuts, options.seed)
        return code


def _cut_power(folder: Path, with_shim: dict[str, str], cuts: int, seed: int) -> int:
    record = [sys.executable, "-m", "tests.crash.recorded", str(folder)]
    subprocess.run(record, env=with_shim, check=True)
    wrong = cut_again_and_again(folder, cuts, seed)
    print(f"{cuts} power cuts, each with any part of what was not synced: {wrong} with a loss")
    return 1 if wrong else 0


def _run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="openrollup-crash-") as temporary:
        folder = Path(temporary) if options.datadir is None else options.datadir
        code = _run_rounds(folder / "whole", options, options.rounds, None)
        if code == 0 and options.history:
            code = _run_rounds(
                folder / "pruned", options, max(4, options.rounds // 3), options.history
            )
    return code


def _run_rounds(
    path: Path, options: argparse.Namespace, count: int, kept_blocks: int | None
) -> int:
    print(f"history: {'all' if kept_blocks is None else f'{kept_blocks} blocks'}")
    rounds = Rounds(path, options.seed, loaded(), options.replay_every, kept_blocks)
    try:
        print(rounds.run(count), flush=True)
    except AssertionError as error:
        print(f"FAILED in round {rounds.figures.rounds + 1}: {error}")
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay-every", type=int, default=50, help="rounds")
    parser.add_argument("--history", type=int, default=16, help="blocks, in a third as many rounds")
    parser.add_argument("--power-cuts", type=int, default=200, help="at moments of a short run")
    parser.add_argument("--datadir", type=Path, help="a new folder that is left as it is")
    parser.add_argument(_INSIDE, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
