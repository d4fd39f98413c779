"""What was shown survives a power cut at any moment; without syncing it would not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.shim import build, environment

_CUTS = 24
ROOT = Path(__file__).parents[2]


def test_nothing_shown_is_lost(tmp_path: Path) -> None:
    assert _losses(tmp_path) == 0


def test_a_store_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    assert _losses(tmp_path, "--unsynced") > _CUTS / 4


def _losses(folder: Path, *options: str) -> int:
    """Record a writer and cut its power; return after how many cuts something was lost."""
    library = build(folder)
    if library is None:
        pytest.skip("there is no C compiler to build tests/crash/shim.c with")
    _run("tests.crash.recorded", folder, *options, library=library)
    return int(_run("tests.crash.power_cut", folder, str(_CUTS), "11"))


def _run(module: str, folder: Path, *options: str, library: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder), *options],
        cwd=ROOT,
        env=environment(library),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
