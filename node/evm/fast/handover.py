"""What the loop cannot go on with has failed; how, the reference finds out."""

from eth.exceptions import VMError

from node.errors import CriticalError
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.opcode_table import FIXED_GAS, PUSH0, PUSH32
from node.evm.fast.segment import Segment
from node.evm.frame import Frame
from node.evm.rules import Interpreter

_FAILURE = VMError("a call or creation failed")


def fail_at(frame: CallFrame, segment: Segment, position: int, gas: int) -> None:
    """End a frame with the failure of the opcode at `position`, or of one soon after it.

    `gas` is what the loop has left, the fixed gas of the whole segment being paid. It is known that
    the fixed gas of the opcodes up to the next end of a segment, or what one of them costs beyond,
    or the stack, does not suffice, or that one of them is not allowed.

    To a caller all failures that take all the gas are the same. Only a message's own is told from
    others: for that, the reference runs from `position` to the error that awaits it. (Where both
    interpreters are followed step by step, it always does.)
    """
    if frame.parent is not None and frame.state.rules.interpreter is not Interpreter.BOTH:
        frame.fail(_FAILURE)
        return
    gas += segment.gas - _gas_between(frame.message.code, segment.start, position)
    reference = Frame(frame.state, frame.message._replace(gas=gas).to_py_evm(), frame.transaction)
    reference.continue_at(position, frame.stack, frame.memory, frame.return_data)
    try:
        reference.run()
    except VMError as error:
        if error.burns_gas:
            frame.fail(error)
            return
    raise CriticalError(
        f"the interpreters differ: code of 0x{frame.message.code_address.hex()} was to fail soon "
        f"after byte {position} with {gas} gas left, and did not"
    )


def _gas_between(code: bytes, start: int, position: int) -> int:
    """Return the fixed gas of the opcodes from `start` to before `position`."""
    gas = 0
    while start < position:
        number = code[start] if start < len(code) else 0
        gas += FIXED_GAS[number]
        start += number - PUSH0 + 1 if PUSH0 <= number <= PUSH32 else 1
    return gas
