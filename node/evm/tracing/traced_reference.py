"""The reference's opcodes, each of which is looked at before it runs."""

from typing import Any

from node.evm.opcodes import Opcode
from node.evm.tracing.recorder import Place, Recorder


def traced_opcodes(opcodes: tuple[Opcode, ...], recorder: Recorder) -> tuple[Opcode, ...]:
    """Return a table of opcodes that do the same and show the recorder what they find."""
    return tuple(_traced(number, opcode, recorder) for number, opcode in enumerate(opcodes))


def _traced(number: int, opcode: Opcode, recorder: Recorder) -> Opcode:
    def run(frame: Any) -> Any:
        message = frame.msg
        if not message.code and message.depth and not message.is_create:
            return opcode(frame)  # the fast one knows that a call of nothing is over
        place = Place(
            position=frame.code.program_counter - 1,
            opcode=number,
            gas=frame.get_gas_remaining(),
            depth=frame.msg.depth,
            stack=frame._stack.values,
            memory=frame._memory._bytes,
            return_data=frame.return_data,
        )
        recorder.look(frame.state, message.code_address or message.storage_address, place)
        return opcode(frame)

    return run
