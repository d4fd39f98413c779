"""What a precompile sees of the call that runs it, by the names that py-evm has for it.

The reference gives precompiles its frame. It has code, memory and a stack, which none of them looks
at and which take longer to make than many of them to run.
"""

from eth.exceptions import VMError

from node.evm.call_message import CallMessage
from node.evm.frame import Ended, ExecutionState, GasMeter


class PrecompileCall(GasMeter):
    """A call with its gas and, in the end, its output."""

    __slots__ = ("add_log_entry", "msg", "output", "state")

    def __init__(self, state: ExecutionState, message: CallMessage) -> None:
        super().__init__(message.gas)
        self.state = state
        self.msg = message
        self.output = b""
        self.add_log_entry = state.add_log_entry


def run_precompile(state: ExecutionState, message: CallMessage) -> Ended:
    """Run the precompile that a message is for; a failure has been undone.

    An account that is delegated to a precompile runs nothing (EIP-7702).
    """
    snapshot = state.snapshot()
    state.transfer(message)
    if message.is_delegation:
        return Ended(message.gas, b"", None)
    call = PrecompileCall(state, message)
    try:
        state.rules.precompiles[message.code_address](call)
    except VMError as error:
        state.revert(snapshot)
        error.__traceback__ = None  # it would keep all that is here alive, the data too
        if error.burns_gas:
            return Ended(0, b"", error)
        return Ended(call.gas_remaining, call.output, error)
    return Ended(call.gas_remaining, call.output, None)
