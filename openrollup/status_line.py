"""One calm line that shows where the chains are."""

import sys
from dataclasses import asdict, dataclass
from typing import TextIO

import orjson


@dataclass(frozen=True, slots=True)
class Status:
    """Block numbers: the head of L1, the three heads of L2, and how far the verifier agrees."""

    l1: int
    unsafe: int
    safe: int
    finalized: int
    verified: int
    pending: int


class StatusLine:
    """Rewrites itself on a terminal; elsewhere it prints a line when enough has changed."""

    def __init__(self, *, json: bool, out: TextIO = sys.stdout, every: int = 30) -> None:
        self._json = json
        self._out = out
        self._every = every
        self._shown: Status | None = None

    def show(self, status: Status) -> None:
        """Show the status if it differs from the one that is shown."""
        if status == self._shown:
            return
        if self._json:
            line = orjson.dumps({"event": "status", **asdict(status)}).decode() + "\n"
        elif self._out.isatty():
            line = f"\r\x1b[2K{_text(status)}"
        elif self._shown is None or status.unsafe - self._shown.unsafe >= self._every:
            line = _text(status) + "\n"
        else:
            return
        self._shown = status
        self._out.write(line)
        self._out.flush()

    def close(self) -> None:
        """Leave the cursor on a line of its own."""
        if self._shown is not None and self._out.isatty() and not self._json:
            self._out.write("\n")


def _text(status: Status) -> str:
    return (
        f"L2 unsafe {status.unsafe}  safe {status.safe}  finalized {status.finalized}"
        f"  |  verifier agrees to {status.verified}  |  L1 {status.l1}"
        f"  |  {status.pending} pending"
    )
