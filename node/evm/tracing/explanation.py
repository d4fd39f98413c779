"""Where two interpreters that came to different results began to differ."""

from collections.abc import Callable
from dataclasses import replace

from node.errors import CriticalError
from node.evm.call_message import CallMessage
from node.evm.frame import Ended, ExecutionState, TransactionContext, run_reference
from node.evm.rules import Rules
from node.evm.tracing.recorder import AFTER, BEFORE, Comparison, Digests, Enough, Recorder, Window
from node.evm.tracing.step import Step
from node.evm.tracing.traced_fast import TracedFast
from node.evm.tracing.traced_reference import traced_opcodes

Run = Callable[[ExecutionState, CallMessage, TransactionContext], Ended]
"""Runs a message and says how its frame ended; a failure has been undone."""

RunAgain = Callable[[Rules, Run], object]
"""Runs the message from the state that it had at first, and undoes it."""

BROKEN = (CriticalError, ArithmeticError, BufferError, LookupError, TypeError, ValueError)
"""What an interpreter with a fault may raise rather than come to a wrong result."""


def explain(rules: Rules, run_again: RunAgain) -> tuple[str, str]:
    """Return the step in which the interpreters differ first, in words, and a trace around it."""
    digests = Digests()
    _run(rules, run_again, digests, run_reference)
    comparison = Comparison(digests.digests)
    broken = _run(rules, run_again, comparison, TracedFast(comparison))
    different = _first_different(comparison, broken)
    window = Window(different - BEFORE, different + AFTER - 1)
    _run(rules, run_again, window, run_reference)
    culprit = _culprit(window.steps, comparison.last_equal, different)
    ending = (
        "" if broken is None else f"\nthe fast one then fails: {type(broken).__name__}: {broken}"
    )
    shown = [(index, step) for index, step in comparison.steps if index >= different - BEFORE]
    return culprit, _trace(window.steps, shown, different) + ending


def _run(rules: Rules, run_again: RunAgain, recorder: Recorder, run: Run) -> Exception | None:
    """Run with a recorder; what a fault raised is returned."""
    traced = replace(rules, opcodes=traced_opcodes(rules.opcodes, recorder))
    try:
        run_again(traced, run)
    except Enough:
        return None
    except BROKEN as error:
        return error
    return None


def _first_different(comparison: Comparison, broken: Exception | None) -> int:
    if comparison.first_different is not None:
        return comparison.first_different
    if isinstance(broken, CriticalError) and comparison.handed_over is not None:
        # What the fast one took for a failure is none: the reference went on to the end.
        comparison.last_equal = comparison.handed_over
        return comparison.handed_over + 1
    return comparison.count  # one has more steps than the other, or only the end differs


def _culprit(reference: list[tuple[int, Step]], equal: int | None, end: int) -> str:
    """Name the opcodes between the last state that is equal and the first that is not."""
    steps = [step for index, step in reference if equal is not None and equal <= index < end]
    if not steps:
        return "what comes before the first step"
    first = steps[0]
    return (
        f"{' '.join(step.name for step in steps)} at byte {first.position} of the code of "
        f"0x{first.address.hex()}, depth {first.depth + 1}, with {first.gas} gas"
    )


def _trace(reference: list[tuple[int, Step]], fast: list[tuple[int, Step]], different: int) -> str:
    lines = []
    for name, steps in (("reference", reference), ("fast", fast)):
        lines.append(f"{name}:")
        for index, step in steps:
            mark = ">" if index >= different else " "
            lines.append(f"{mark} {step}")
        if not steps or steps[-1][0] < different:
            lines.append("> (the message ends)")
    return "\n".join(lines)
