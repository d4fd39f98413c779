"""What a replay has found so far, and what it says in the end."""

import sys
import time
from dataclasses import dataclass, field

import orjson

from node.difference import BlockReport
from node.errors import NodeError


@dataclass(slots=True)
class ReplayResult:
    """Counts equal blocks, and keeps the one that differs."""

    blocks: int = 0
    transactions: int = 0
    gas: int = 0
    failed: BlockReport | None = None
    _started: float = field(default_factory=time.monotonic)

    def add(self, report: BlockReport) -> None:
        """Count a block."""
        if report.difference is not None:
            self.failed = report
            return
        self.blocks += 1
        self.transactions += report.transaction_count
        self.gas += report.gas_used

    def show(self, *, json: bool) -> None:
        """Print the result on standard output; NodeError names the difference if there is one."""
        seconds = max(time.monotonic() - self._started, 1e-6)
        text = self._as_json(seconds) if json else self._as_text(seconds)
        sys.stdout.write(text + "\n")
        if self.failed is not None:
            raise NodeError(f"block {self.failed.number} differs: {self.failed.difference}")

    def _as_text(self, seconds: float) -> str:
        return (
            f"{self.blocks} blocks equal ({self.transactions} transactions, {self.gas} gas) "
            f"in {seconds:.1f} s: {self.blocks / seconds:.1f} blocks/s, "
            f"{self.gas / seconds / 1e6:.2f} Mgas/s"
        )

    def _as_json(self, seconds: float) -> str:
        result: dict[str, object] = {
            "blocks": self.blocks,
            "transactions": self.transactions,
            "gas": self.gas,
            "seconds": round(seconds, 3),
            "blocksPerSecond": round(self.blocks / seconds, 1),
            "gasPerSecond": round(self.gas / seconds),
            "equal": self.failed is None,
        }
        if self.failed is not None and self.failed.difference is not None:
            difference = self.failed.difference
            result["difference"] = {
                "block": self.failed.number,
                "transaction": difference.transaction_index,
                "field": difference.field,
                "expected": _shown(difference.expected),
                "actual": _shown(difference.actual),
                "text": str(difference),
            }
        return orjson.dumps(result).decode()


def _shown(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
