"""All state tests of the archive: `python -m tests.conformance [--evm fast]`.

Compared are the state root, the hash of the logs and the refusal. The exit code says whether all
passed; without the archive nothing is run, and the reason is printed.
"""

import argparse
import sys
import time
import traceback
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from tests.conformance.archive import PATH_VARIABLE, archive_path, state_test_files
from tests.conformance.state_test import FORK, FileReport, Verdict, run_file


def main() -> int:
    """Run what the options ask for."""
    options = _options()
    path = archive_path(options.archive)
    if not path.exists():
        print(f"conformance: skipped, there are no state tests at {path}; set {PATH_VARIABLE}")
        return 0
    started = time.monotonic()
    files = [file for file in state_test_files(path) if options.only in file[0]]
    run, failed, other_forks = 0, 0, 0
    with Pool(options.processes) as pool:
        for report in pool.imap_unordered(partial(_run, Interpreter(options.evm)), files):
            run += len(report.verdicts)
            other_forks += report.other_forks
            for verdict in report.verdicts:
                if verdict.problem:
                    failed += 1
                    print(f"FAILED {verdict.file}: {verdict.case}: {verdict.problem}", flush=True)
    print(f"left out: {other_forks} cases, the post-states of other forks than {FORK}")
    print(
        f"conformance, {options.evm} interpreter: {run} cases of {len(files)} files run, "
        f"{run - failed} passed, {failed} failed, in {time.monotonic() - started:.0f} s"
    )
    return 1 if failed or not run else 0


def _run(interpreter: Interpreter, file: tuple[str, bytes]) -> FileReport:
    name, raw = file
    try:
        return run_file(name, raw, interpreter)
    except Exception:  # noqa: BLE001 - whatever it is, it is this file's failure, not the run's
        return FileReport((Verdict(name, "not finished", traceback.format_exc()),), 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    names = [interpreter.value for interpreter in Interpreter]
    parser.add_argument("--evm", choices=names, default=DEFAULT_INTERPRETER.value)
    parser.add_argument("--archive", type=Path, help=f"or in {PATH_VARIABLE}")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="files with this in their name")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
