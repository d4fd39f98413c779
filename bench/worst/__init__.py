"""Gas a second of each opcode and precompile at its worst, the worst first."""

from bench.worst.table import run_worst

__all__ = ["run_worst"]
