"""Gas a second of each opcode and precompile at its worst, the worst first."""

from bench.worst.table import all_cases, run_case, run_worst

__all__ = ["all_cases", "run_case", "run_worst"]
