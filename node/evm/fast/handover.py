"""What the loop cannot go on with, the reference ends: it finds out how the frame fails."""

from eth.exceptions import VMError

from node.errors import CriticalError
from node.evm.fast.call_frame import CallFrame


def hand_over(frame: CallFrame, position: int, gas: int) -> None:
    """Run the frame from `position` with the gas that it had there to the error that awaits it.

    That is near: the fixed gas of the opcodes up to the next end of a segment, or what one of them
    costs beyond, or the stack, is known not to suffice, or one of them to be not allowed.
    """
    reference = frame.reference(position, gas)
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
