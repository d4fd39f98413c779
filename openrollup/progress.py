"""A progress bar on a terminal, a line now and then elsewhere; a counter if no end is known."""

import sys
import time
from typing import TextIO

_WIDTH = 30


class Progress:
    """Shows how many blocks are done, of `total` if it is known; writes to standard error."""

    def __init__(self, what: str, total: int | None, out: TextIO = sys.stderr) -> None:
        self._what = what
        self._total = total
        self._out = out
        self._shown_at = 0.0
        self._interval_s = 0.1 if out.isatty() else 10.0

    def show(self, done: int) -> None:
        """Show that `done` blocks are done; cheap enough to be called for each."""
        now = time.monotonic()
        if now - self._shown_at < self._interval_s and done != self._total:
            return
        self._shown_at = now
        text = f"{self._what} {done} blocks"
        if self._total is not None:
            filled = _WIDTH * done // max(self._total, 1)
            text = f"{self._what} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{self._total}"
        self._out.write(f"\r\x1b[2K{text}" if self._out.isatty() else text + "\n")
        self._out.flush()

    def close(self) -> None:
        """Leave the cursor on a line of its own."""
        if self._out.isatty():
            self._out.write("\n")
