"""Frames in turn: a call suspends its caller, and nothing recurses however deep calls are."""

from node.evm.call_message import CallMessage
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.calls import resume
from node.evm.fast.loop import run
from node.evm.fast.program import Program
from node.evm.fast.program_cache import program_of
from node.evm.frame import Ended, ExecutionState, TransactionContext
from node.evm.precompile_call import run_precompile


def run_fast(state: ExecutionState, message: CallMessage, context: TransactionContext) -> Ended:
    """Run a message with our own loop; a failure has been undone."""
    if message.creates:
        program = Program(message.code)
    elif message.code_address in state.rules.precompiles:
        return run_precompile(state, message)
    else:
        program = program_of(state.get_code_hash(message.code_address), message.code)
    frame = CallFrame(state, context, message, program, None)
    frame.begin()
    _run_to_end(frame)
    return Ended(frame.gas, frame.output, frame.error)


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
