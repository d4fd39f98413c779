import logging

import pytest

from consensus.l1.json_rpc import Unreachable
from node.errors import OperationRefused
from openrollup.bridge.waiting import Awaited, about, wait_for


class Leaping:
    """A clock that is there at once."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    async def sleep_until(self, deadline: float) -> None:
        self.time = deadline


class Answers:
    """What looking gives, one after the other."""

    def __init__(self, *answers: Awaited | Unreachable | OperationRefused | int) -> None:
        self._answers = iter(answers)

    async def look(self) -> Awaited | int:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_it_says_what_it_waits_for_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Leaping()
    answers = Answers(*(Awaited("rain", wait_s) for wait_s in range(40, 0, -1)), 7)
    assert await wait_for(answers.look, clock) == 7
    assert clock.time == 140.0
    assert [record.getMessage() for record in caplog.records] == [
        f"waiting for rain, about {wait_s} s (Ctrl-C loses nothing)" for wait_s in (40, 25, 10)
    ]


async def test_a_node_that_does_not_answer_only_delays() -> None:
    clock = Leaping()
    assert await wait_for(Answers(Unreachable("no"), Unreachable("no"), 7).look, clock) == 7
    assert clock.time == 102.0


async def test_a_refusal_ends_it() -> None:
    with pytest.raises(OperationRefused):
        await wait_for(Answers(Awaited("rain"), OperationRefused("never")).look, Leaping())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 1 s"),
        (119, "about 119 s"),
        (121, "about 2 min"),
        (7_199, "about 120 min"),
        (8_000, "about 2 h"),
        (604_800, "about 7 days"),
    ],
)
def test_durations(seconds: int, words: str) -> None:
    assert about(seconds) == words
