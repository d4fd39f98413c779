"""Takes the steps of one run as they come, and compares them with those of another."""

from array import array
from collections import deque
from dataclasses import dataclass

from node.evm.frame import ExecutionState
from node.evm.tracing.step import Step, compared_stack, memory_sum

BEFORE = 5
AFTER = 3
"""Steps that are shown before and after the first that differs."""


class Enough(Exception):
    """Ends a run that has shown all that was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is: the opcode that comes next, and what it has."""

    position: int
    opcode: int
    gas: int
    depth: int
    stack: list[int]
    memory: bytearray
    return_data: bytes


class Recorder:
    """Counts opcodes in `count`, and hands on each step with the number of its first one.

    A step of the fast interpreter may be several opcodes; a step of the reference is one.
    `handed_over` is the number of the last one that the fast interpreter gave to the reference.
    """

    def __init__(self) -> None:
        self.count = 0
        self._journal: int | None = None
        self._at = (-1, -1, -1)
        self._opcodes = 1
        self.handed_over: int | None = None

    def look(self, state: ExecutionState, address: bytes, place: Place, opcodes: int = 1) -> None:
        """Take the next step, which is that many opcodes.

        What fails in the fast interpreter comes a second time, in the hands of the reference.
        """
        at = (place.position, place.gas, place.depth)
        if at == self._at:  # no opcode that goes on is free of charge
            self.count -= self._opcodes - 1
            self.handed_over = self.count - 1
            return
        self._at, self._opcodes, index = at, opcodes, self.count
        self.count += opcodes
        self._take(index, self._step(state, address, place))

    def _take(self, index: int, step: Step) -> None:
        raise NotImplementedError

    def _step(self, state: ExecutionState, address: bytes, place: Place) -> Step:
        return Step(
            position=place.position,
            opcode=place.opcode,
            gas=place.gas,
            depth=place.depth,
            address=address,
            height=len(place.stack),
            stack=compared_stack(place.stack),
            memory_size=len(place.memory),
            memory_sum=memory_sum(place.memory),
            return_data=place.return_data,
            refund=state.refund,
            logs=len(state.logs),
            log=state.logs[-1] if state.logs else None,
            destroyed=len(state.destroyed),
            writes=self._writes(state),
        )

    def _writes(self, state: ExecutionState) -> frozenset[tuple[tuple[object, ...], object]]:
        before, now = self._journal, state.world.record()
        self._journal = now
        if before is None or now <= before:  # nothing written, or something undone
            return frozenset()
        return frozenset(state.world.effects(before).items())


class Digests(Recorder):
    """Keeps of each step only 8 bytes: there may be millions."""

    def __init__(self) -> None:
        super().__init__()
        self.digests = array("q")

    def _take(self, index: int, step: Step) -> None:
        self.digests.append(hash(step))


class Comparison(Recorder):
    """Compares each step with the reference's digest, and ends soon after the first difference.

    `steps` are those around it, with the numbers of their first opcodes, and `last_equal` is the
    last one before it; `first_different` is None while all are equal.
    """

    def __init__(self, digests: "array[int]") -> None:
        super().__init__()
        self._digests = digests
        self.steps: deque[tuple[int, Step]] = deque(maxlen=BEFORE + AFTER)
        self.last_equal: int | None = None
        self.first_different: int | None = None
        self._left = AFTER

    def _take(self, index: int, step: Step) -> None:
        self.steps.append((index, step))
        if self.first_different is not None:
            if self._left == 1:
                raise Enough
            self._left -= 1
        elif index < len(self._digests) and self._digests[index] == hash(step):
            self.last_equal = index
        else:
            self.first_different = index


class Window(Recorder):
    """Keeps the steps from number `first` to `last`, and ends the run then."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self._first, self._last = first, last
        self.steps: list[tuple[int, Step]] = []

    def _take(self, index: int, step: Step) -> None:
        if index > self._last:
            raise Enough
        if index >= self._first:
            self.steps.append((index, step))
