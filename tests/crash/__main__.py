"""Kills a node in the middle of its work, again and again: `python -m tests.crash --rounds 200`.

One store grows through all rounds. After each kill it has to open at a commit that was made as a
whole, with everything that any answer had shown before. Exit code 1 if it does not.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

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
        command = [sys.executable, "-m", "tests.crash", _INSIDE, *sys.argv[1:]]
        return subprocess.run(command, env=environment(library), check=False).returncode


def _run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="openrollup-crash-") as folder:
        path = Path(folder) / "chain" if options.datadir is None else options.datadir
        rounds = Rounds(path, options.seed, loaded(), options.replay_every)
        try:
            print(rounds.run(options.rounds))
        except AssertionError as error:
            print(f"FAILED in round {rounds.figures.rounds + 1}: {error}")
            return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay-every", type=int, default=50, help="rounds")
    parser.add_argument("--datadir", type=Path, help="a new folder that is left as it is")
    parser.add_argument(_INSIDE, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
