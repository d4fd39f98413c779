"""What a few bytes on L1 can make a node do: neither fill its memory nor hold up everything."""

import subprocess
import sys

import pytest

from tests.consensus.fuzz.bombs import STREAMS

# A node at rest takes 60 MB, and what makes the bombs up to 400.
PEAK_MB = 600


def run(name: str) -> tuple[int, int]:
    """Derive from a bomb in another process; return the peak of its memory, and others' turns."""
    command = [sys.executable, "-m", "tests.consensus.fuzz.bombs", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    peak, turns = done.stdout.split()
    return int(peak), int(turns)


@pytest.mark.parametrize("name", [*STREAMS, "endless_channel"])
def test_memory_is_bounded(name: str) -> None:
    peak, _ = run(name)
    assert peak < PEAK_MB


def test_what_takes_seconds_leaves_others_their_turn() -> None:
    _, turns = run("empty_blocks")
    assert turns > 5
