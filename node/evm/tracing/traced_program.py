"""Code as the fast interpreter runs it, with a look before each of its steps.

The steps stay what they are, joined ones too: a fault in joining would not show otherwise. A look
is a step of its own kind that the loop has already, a rare opcode's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from node.evm.fast.call_frame import CallFrame
from node.evm.fast.opcode_table import FIXED_GAS, JUMPDEST, PUSH0, PUSH32
from node.evm.fast.program import BRANCH, BRANCH_UNLESS, GOTO, Program, Segment
from node.evm.fast.steps import RARE_STEP, Opcode, Place, Step, make_steps
from node.evm.tracing import recorder as recording
from node.evm.tracing.recorder import Recorder


@dataclass(frozen=True, slots=True)
class _Group:
    """Opcodes that are one step, none (a label), or the end of a segment."""

    first: Opcode
    count: int
    step: Step | None


class TracedProgram(Program):
    """One code whose steps a recorder sees."""

    def __init__(self, code: bytes, recorder: Recorder) -> None:
        super().__init__(code)
        self._recorder = recorder

    def _decode(self, start: int) -> Segment:
        segment = super()._decode(start)
        steps: list[Step] = []
        for group in _groups(self.code, segment):
            steps.append(self._look(group, segment.gas))
            if group.step is not None:
                steps.append(group.step)
        segment.steps = tuple(steps)
        return segment

    def _look(self, group: _Group, segment_gas: int) -> Step:
        number, position, gas_before = group.first
        # The gas that the loop knows is what is left when the whole segment has been paid.
        gas_ahead = segment_gas - gas_before
        return RARE_STEP, Place(
            position, gas_ahead, _looking(self._recorder, position, number, gas_ahead, group.count)
        )


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


def _groups(code: bytes, segment: Segment) -> Iterator[_Group]:
    opcodes = _opcodes(code, segment)
    inside, at_end = _split(code, opcodes, segment)
    steps = segment.steps
    made = 0
    pending: list[Opcode] = []
    for index, opcode in enumerate(inside):
        count = len(make_steps(code, inside[: index + 1], segment.gas))
        if opcode[0] == JUMPDEST:
            yield _Group(opcode, 1, None)
        elif count > made:
            if pending:
                yield _Group(pending[0], len(pending), steps[made - 1])
            pending = [opcode]
        else:
            pending.append(opcode)
        made = count
    if pending:
        yield _Group(pending[0], len(pending), steps[made - 1])
    if at_end:
        yield _Group(at_end[0], len(at_end), None)


def _opcodes(code: bytes, segment: Segment) -> list[Opcode]:
    """Return all opcodes up to the one that ends the segment."""
    found: list[Opcode] = []
    position, gas = segment.start, 0
    while position < segment.place.position:
        number = code[position]
        found.append((number, position, gas))
        gas += FIXED_GAS[number]
        position += number - PUSH0 + 1 if PUSH0 <= number <= PUSH32 else 1
    return found


def _split(
    code: bytes, opcodes: list[Opcode], segment: Segment
) -> tuple[list[Opcode], list[Opcode]]:
    """Tell the opcodes that are steps from those that are the segment's end."""
    gas = sum(FIXED_GAS[number] for number, _, _ in opcodes)
    position = segment.place.position
    if segment.end == GOTO and gas == segment.gas:  # it goes on with the opcode that follows
        return opcodes, []
    end = (code[position] if position < len(code) else 0, position, gas)
    joined = {GOTO: 1, BRANCH: 1, BRANCH_UNLESS: 2}.get(segment.end, 0)
    inside = len(opcodes) - joined
    return opcodes[:inside], [*opcodes[inside:], end]
