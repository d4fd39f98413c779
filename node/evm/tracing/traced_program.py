"""Code as the fast interpreter runs it, with a look before each of its steps.

The steps stay what they are, joined ones too: a fault in joining would not show otherwise. A look
is a step of its own kind that the loop has already, a rare opcode's.
"""

from collections.abc import Callable, Iterator

from node.evm.fast.call_frame import CallFrame
from node.evm.fast.opcode_table import FIXED_GAS, PUSH0, PUSH32
from node.evm.fast.program import Program
from node.evm.fast.segment import GOTO, Segment, decode
from node.evm.fast.steps import RARE_STEP, Step
from node.evm.tracing import recorder as recording
from node.evm.tracing.recorder import Recorder

_Opcode = tuple[int, int, int]
"""A number, its position, and the fixed gas of what comes before it in the segment."""


class TracedProgram(Program):
    """One code whose steps a recorder sees."""

    def __init__(self, code: bytes, recorder: Recorder) -> None:
        super().__init__(code)
        self._recorder = recorder

    def _decode(self, start: int) -> Segment:
        segment = super()._decode(start)
        opcodes = _opcodes(self._code, segment)
        looks = list(_looks(self._code, segment, len(opcodes)))
        ends = [*looks[1:], (len(segment.steps), len(opcodes))]
        steps: list[Step] = []
        for (at, index), (next_at, next_index) in zip(looks, ends, strict=True):
            steps.append(self._look(opcodes[index], segment.gas, next_index - index))
            steps += segment.steps[at:next_at]
        segment.steps = tuple(steps)
        return segment

    def _look(self, opcode: _Opcode, segment_gas: int, count: int) -> Step:
        number, position, gas_before = opcode
        # The gas that the loop knows is what is left when the whole segment has been paid.
        gas_ahead = segment_gas - gas_before
        looking = _looking(self._recorder, position, number, gas_ahead, count)
        return RARE_STEP, (looking, position)


def _looking(
    recorder: Recorder, position: int, number: int, gas_ahead: int, count: int
) -> Callable[[CallFrame, int], int]:
    def look(frame: CallFrame, gas: int) -> int:
        place = recording.Place(
            position=position,
            opcode=number,
            gas=gas + gas_ahead,
            depth=frame.message.depth,
            stack=frame.stack,
            memory=frame.memory,
            return_data=frame.return_data,
        )
        recorder.look(frame.state, frame.message.code_address, place, count)
        return gas

    return look


def _opcodes(code: bytes, segment: Segment) -> list[_Opcode]:
    """Return all opcodes of a segment, the one that ends it too."""
    found: list[_Opcode] = []
    position, gas = segment.start, 0
    while position < segment.stop:
        number = code[position]
        found.append((number, position, gas))
        gas += FIXED_GAS[number]
        position += number - PUSH0 + 1 if PUSH0 <= number <= PUSH32 else 1
    if segment.end != GOTO or gas != segment.gas:  # or else it goes on with the opcode that follows
        found.append((code[position], position, gas))
    return found


def _looks(code: bytes, segment: Segment, count: int) -> Iterator[tuple[int, int]]:
    """Yield between which steps one can look, and before which opcode that is, both ascending.

    It is where what comes before gives the same steps when it is decoded alone.
    """
    found: list[tuple[int, int]] = []
    limit = len(segment.steps)
    for index in reversed(range(count)):
        before = decode(code, segment.start, lambda _: False, range(index)).steps
        if len(before) <= limit and segment.steps[: len(before)] == before:
            limit = len(before)
            found.append((limit, index))
    return reversed(found)
