"""The program looks for cycles seldom, and the importers of its parts as often as they like."""

import subprocess
import sys


def threshold_after(code: str) -> str:
    script = f"import gc\n{code}\nprint(gc.get_threshold()[0])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_only_the_program_changes_the_collector() -> None:
    usual = threshold_after("")
    assert threshold_after("import openrollup.cli, openrollup.collector, node.engine") == usual
    program = """
import os, sys
from openrollup import cli
os._exit = lambda code: None
sys.argv = ["openrollup", "--version"]
cli.main()
"""
    assert threshold_after(program).splitlines()[-1] == "50000"
