import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_killed_writer_leaves_a_whole_store(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.node.crash_writer", str(tmp_path / "chain"), "12", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("head ")
