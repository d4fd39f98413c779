"""The fast interpreter's loop on programs that are looked at."""

from node.evm.call_message import CallMessage
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.calls import resume
from node.evm.fast.loop import run
from node.evm.fast.run import run_fast
from node.evm.frame import Ended, ExecutionState, TransactionContext
from node.evm.tracing.recorder import Recorder
from node.evm.tracing.traced_program import TracedProgram


class TracedFast:
    """Runs messages as `run_fast` does, and shows a recorder each step."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._programs: dict[bytes, TracedProgram] = {}

    def __call__(
        self, state: ExecutionState, message: CallMessage, context: TransactionContext
    ) -> Ended:
        """Run a message; a failure has been undone."""
        if not message.creates and message.code_address in state.rules.precompiles:
            return run_fast(state, message, context)  # no step to look at
        frame = CallFrame(state, context, message, self._program(message.code), None)
        frame.begin()
        while True:
            following = run(frame)
            if following is not None:
                frame = self._traced(following)
                continue
            frame.finish()
            if frame.parent is None:
                return Ended(frame.gas, frame.output, frame.error)
            resume(frame.parent, frame)
            frame = frame.parent

    def _traced(self, frame: CallFrame) -> CallFrame:
        """Give a frame that has not run yet a program that is looked at."""
        if not isinstance(frame.program, TracedProgram):
            frame.program = self._program(frame.message.code)
            frame.segment = frame.program.begin()
        return frame

    def _program(self, code: bytes) -> TracedProgram:
        program = self._programs.get(code)
        if program is None:
            program = self._programs[code] = TracedProgram(code, self._recorder)
        return program
