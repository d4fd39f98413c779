"""The oracle as seen from here: a process that is asked one case after the other."""

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).parents[3]
PYTHON = _ROOT / ".venv-oracle/bin/python"
"""Its interpreter; `make oracle` creates the environment."""
_SCRIPT = Path(__file__).with_name("specs_process.py")


class Oracle:
    """The Python execution specs. A question can be asked before it is waited for."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-I", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, request: dict[str, Any]) -> None:
        """Send a case; the answers come in the same order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the oracle ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer
