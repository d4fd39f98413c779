"""Runs the cases and prints the table, the slowest first."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.machine import machine
from bench.worst.calls import call_cases
from bench.worst.case import Case
from bench.worst.chain import Measured, WorstCaseChain
from bench.worst.cold_code import cold_code_cases
from bench.worst.opcodes import opcode_cases
from bench.worst.precompiles import precompile_cases, single_call_cases
from bench.worst.receipts import receipt_cases
from bench.worst.state import state_cases

AIM = 5_000_000
"""Gas a second that nothing should fall below."""
_LINE = "{:>8} {:>11} {:>9} {:>10}  {:<50} {}"


def all_cases() -> Sequence[Case]:
    """Return every case, by kind."""
    return [
        *opcode_cases(),
        *state_cases(),
        *call_cases(),
        *cold_code_cases(),
        *precompile_cases(),
        *single_call_cases(),
        *receipt_cases(),
    ]


def run_worst(only: Sequence[str], gas: int | None, directory: Path | None) -> Sequence[Measured]:
    """Run the cases whose names contain one of `only` (all if empty) and print what they took.

    `gas` bounds what each message has; None leaves each its own.
    """
    print(f"worst cases: {machine()}")
    print("state in LMDB; CPU time from the message to the state root; Mgas/s: millions a second\n")
    measured = []
    for case in all_cases():
        if not only or any(name.lower() in case.name.lower() for name in only):
            chosen = case if gas is None else replace(case, gas=min(case.gas, gas))
            measured.append(run_case(chosen, directory))
    measured.sort(key=lambda item: item.gas_per_second)
    _print(measured)
    return measured


def run_case(case: Case, directory: Path | None = None) -> Measured:
    """Run one on a chain of its own."""
    with tempfile.TemporaryDirectory(prefix="openrollup-worst-", dir=directory) as folder:
        chain = WorstCaseChain(case, Path(folder))
        try:
            return chain.run()
        finally:
            chain.close()


def _print(measured: Sequence[Measured]) -> None:
    print(_LINE.format("Mgas/s", "gas", "CPU ms", "longest ms", "case", "ends with").rstrip())
    is_below = True
    for item in measured:
        if is_below and item.gas_per_second >= AIM:
            is_below = False
            print(f"{AIM / 1e6:8.2f} {'-' * 40}  the aim: nothing above this line")
        row = _LINE.format(
            f"{item.gas_per_second / 1e6:.2f}",
            item.gas,
            f"{item.seconds * 1e3:.1f}",
            f"{item.longest_step * 1e3:.1f}",
            item.name,
            item.error or "",
        )
        print(row.rstrip())
    if not measured:
        print("no case has such a name")
        return
    worst = measured[0]
    longest = max(measured, key=lambda item: item.longest_step)
    print(f"\nworst: {worst.name}, {worst.gas_per_second / 1e6:.2f} Mgas/s")
    print(f"longest without an interrupt: {longest.name}, {longest.longest_step * 1e3:.0f} ms")
