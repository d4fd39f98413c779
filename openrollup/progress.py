"""A progress bar on a terminal, a line now and then elsewhere; a counter if no end is known."""

import sys
import time
from typing import Self, TextIO

_WIDTH = 30


class Progress:
    """Shows how many blocks are done, of `total` if it is known; writes to standard error.

    `interval_s` lies between two looks; by default 0.1 on a terminal, 10 elsewhere.
    """

    def __init__(
        self,
        what: str,
        total: int | None,
        out: TextIO | None = None,
        *,
        interval_s: float | None = None,
    ) -> None:
        self._what = what
        self._total = total
        self._out = sys.stderr if out is None else out
        self._is_terminal = self._out.isatty()
        if interval_s is None:
            interval_s = 0.1 if self._is_terminal else 10.0
        self._interval_s = interval_s
        self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_terminal:
            self._out.write("\r\x1b[2K")  # the command's own words say how it ended
            self._out.flush()

    def show(self, done: int, total: int | None = None) -> None:
        """Show that `done` blocks are done; cheap enough to be called for each.

        `total` says that the end has moved, or is known now.
        """
        self._total = self._total if total is None else total
        now = time.monotonic()
        if now - self._shown_at < self._interval_s:
            return
        self._shown_at = now
        text = f"{self._what} {done} blocks"
        if self._total is not None:
            filled = _WIDTH * done // max(self._total, 1)
            text = f"{self._what} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{self._total}"
        self._out.write(f"\r\x1b[2K{text}" if self._is_terminal else text + "\n")
        self._out.flush()
