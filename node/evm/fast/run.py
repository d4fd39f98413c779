"""Frames in turn: a call suspends its caller, and nothing recurses however deep calls are."""

from node.evm.call_message import CallMessage
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.calls import resume, run_precompile
from node.evm.fast.loop import run
from node.evm.fast.program import Program
from node.evm.fast.program_cache import program_of
from node.evm.frame import Ended, ExecutionState, TransactionContext


def run_fast(state: ExecutionState, message: CallMessage, context: TransactionContext) -> Ended:
    """Run a message with our own loop; a failure has been undone."""
    program = Program(message.code) if message.creates else program_of(message.code)
    first = CallFrame(state, context, message, program, None)
    first.begin()
    if not message.creates and message.code_address in state.rules.precompiles:
        run_precompile(first)
        first.finish()
    else:
        _run_to_end(first)
    return Ended(first.gas, first.output, first.error)


def _run_to_end(frame: CallFrame) -> None:
    while True:
        following = run(frame)
        if following is not None:
            frame = following
            continue
        frame.finish()
        if frame.parent is None:
            return
        resume(frame.parent, frame)
        frame = frame.parent
