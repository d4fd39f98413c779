"""One calm line that shows where the chains are."""

import shutil
import sys
from dataclasses import asdict, dataclass
from typing import TextIO

import orjson


@dataclass(frozen=True, slots=True)
class Status:
    """Block numbers: the head of L1, the three heads of L2, the last block with an output on L1,
    and how far the verifier agrees.
    """

    l1: int
    unsafe: int
    safe: int
    finalized: int
    proposed: int
    verified: int
    pending: int


class StatusLine:
    """Rewrites itself on a terminal; elsewhere it prints a line when enough has changed.

    `every` is how many blocks the unsafe head moves between two such lines.
    """

    def __init__(self, *, json: bool, out: TextIO | None = None, every: int = 30) -> None:
        self._out = sys.stdout if out is None else out
        self._json = json
        self._is_rewritten = self._out.isatty() and not json
        self._every = every
        self._shown: Status | None = None

    def show(self, status: Status) -> None:
        """Show the status if it differs from the one that is shown."""
        if status == self._shown:
            return
        if self._json:
            line = orjson.dumps({"event": "status", **asdict(status)}).decode() + "\n"
        elif self._is_rewritten:
            line = f"\r\x1b[2K{_fitting(_text(status))}"
        elif self._shown is None or abs(status.unsafe - self._shown.unsafe) >= self._every:
            line = _text(status) + "\n"
        else:
            return
        self._shown = status
        self._out.write(line)
        self._out.flush()

    def close(self) -> None:
        """Leave the cursor on a line of its own."""
        if self._shown is not None and self._is_rewritten:
            self._out.write("\n")
            self._out.flush()


def _fitting(text: str) -> str:
    """Cut a line to the terminal: one that wraps could not be rewritten."""
    return text[: shutil.get_terminal_size().columns - 1]


def _text(status: Status) -> str:
    return (
        f"L2 unsafe {status.unsafe}  safe {status.safe}  finalized {status.finalized}"
        f"  proposed {status.proposed}  |  verifier agrees to {status.verified}  |  L1 {status.l1}"
        f"  |  {status.pending} pending"
    )
