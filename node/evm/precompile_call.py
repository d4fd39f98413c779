"""What a precompile sees of the call that runs it, by the names that py-evm has for it.

The reference gives precompiles its frame. It has code, memory and a stack, which none of them looks
at and which take longer to make than many of them to run.
"""

from eth.exceptions import VMError

from node.evm.call_message import CallMessage
from node.evm.frame import ExecutionState, GasMeter


class PrecompileCall(GasMeter):
    """A call with its gas and, in the end, its output."""

    __slots__ = ("add_log_entry", "msg", "output", "state")

    def __init__(self, state: ExecutionState, message: CallMessage, gas: int) -> None:
        super().__init__(gas)
        self.state = state
        self.msg = message
        self.output = b""
        self.add_log_entry = state.add_log_entry

    def run(self) -> VMError | None:
        """Run the precompile at the called address; return the error that it ends with, if any."""
        try:
            self.state.rules.precompiles[self.msg.code_address](self)
        except VMError as error:
            return error
        return None
