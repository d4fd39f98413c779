"""Gas a second of `append` at its worst, beside the ordinary opcodes that are the slowest."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bench.attribution.figure import Bound, Figure
from bench.worst import all_cases, run_case
from bench.worst.case import Case
from bench.worst.chain import Measured
from bench.worst.receipts import receipt_cases

SLOWEST = (
    "cold code, a jump to each JUMPDEST",
    "cold code, jumps backwards",
    "code that runs four times, a jump to each JUMPDEST",
)
"""The last ones in the table of all opcodes (`bench worst`), code that runs once or a few times."""
SLOWEST_IN_LOOPS = ("BLOCKHASH", "NOT", "ECMUL", "SDIV")
"""The last ones of those in loops, where the interpreter is at its best."""
_GAS = 6_000_000
_RUNS = 2


@dataclass(frozen=True, slots=True)
class SpeedMeasured:
    """The figure and the three cases that it is about."""

    figure: Figure
    append: Measured
    ordinary: Measured
    in_loops: Measured


def measure_speed() -> SpeedMeasured:
    """Run all cases of `append` and the slowest others; the faster of two runs counts."""
    known = {case.name: case for case in all_cases()}
    append = _worst(receipt_cases())
    ordinary = _worst(known[name] for name in SLOWEST)
    in_loops = _worst(known[name] for name in SLOWEST_IN_LOOPS)
    figure = Figure(
        "worst gas per second of append / of the worst ordinary opcodes",
        Bound.AT_LEAST,
        1,
        append.gas_per_second / min(ordinary.gas_per_second, in_loops.gas_per_second),
        f"CPU time; {_said(append)}; {_said(ordinary)}; {_said(in_loops)}",
        is_timing=True,
    )
    return SpeedMeasured(figure, append, ordinary, in_loops)


def _worst(cases: Iterable[Case]) -> Measured:
    return min((_fastest(case) for case in cases), key=lambda run: run.gas_per_second)


def _fastest(case: Case) -> Measured:
    limited = replace(case, gas=min(case.gas, _GAS))
    runs = [run_case(limited) for _ in range(_RUNS)]
    return max(runs, key=lambda run: run.gas_per_second)


def _said(run: Measured) -> str:
    return f"{run.name}: {run.gas_per_second / 1e6:.1f} Mgas/s"
