import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from node.errors import NodeError
from openrollup.run import run_beside, run_command, run_until_stopped

LONG_S = 60.0


def send_signal(number: signal.Signals) -> None:
    """As the terminal does: the main thread handles it, whatever it is doing."""
    os.kill(os.getpid(), number)


class End:
    """Instead of the end of the process."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.asked = threading.Event()

    def __call__(self, code: int) -> None:
        self.codes.append(code)
        self.asked.set()


def run(command: Coroutine[Any, Any, int], end: End | None = None, grace_s: float = LONG_S) -> int:
    end_process = end or End()
    code = run_command(command, code_when_stopped=7, grace_s=grace_s, end_process=end_process)
    if end is None:
        assert isinstance(end_process, End)
        assert not end_process.codes
    return code


def test_the_command_s_code_is_returned() -> None:
    async def command() -> int:
        return 5

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert run(command()) == 5
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_the_command_s_error_is_raised() -> None:
    async def command() -> int:
        raise NodeError("no")

    with pytest.raises(NodeError, match="no"):
        run(command())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_command_and_lets_it_clean_up(number: signal.Signals) -> None:
    said: list[str] = []

    async def command() -> int:
        try:
            asyncio.get_running_loop().call_soon(send_signal, number)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            said.append("cleaned up")
        return 0

    with pytest.raises(KeyboardInterrupt):
        run(command())
    assert said == ["cleaned up"]


def test_a_signal_while_the_loop_is_busy_is_heeded_at_the_next_wait() -> None:
    reached: list[str] = []

    async def command() -> int:
        send_signal(signal.SIGINT)
        reached.append("the rest of the work")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reached.append("beyond")
        return 0

    with pytest.raises(KeyboardInterrupt):
        run(command())
    assert reached == ["the rest of the work"]


def test_a_second_signal_ends_at_once() -> None:
    end = End()

    async def command() -> int:
        try:
            send_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            send_signal(signal.SIGINT)
            assert end.codes == [7]
        return 0

    with pytest.raises(KeyboardInterrupt):
        run(command(), end)


def test_a_stop_that_takes_too_long_is_cut_short() -> None:
    end = End()

    async def command() -> int:
        try:
            send_signal(signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            assert end.asked.wait(LONG_S)  # blocks the loop, as a bug would
        return 0

    with pytest.raises(KeyboardInterrupt):
        run(command(), end, grace_s=0.001)
    assert end.codes == [7]


def test_an_error_while_stopping_is_raised() -> None:
    async def command() -> int:
        try:
            send_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            raise NodeError("the store cannot be closed")

    with pytest.raises(NodeError, match="cannot be closed"):
        run(command())


def test_tasks_that_are_left_are_cancelled_and_threads_are_not_waited_for() -> None:
    ended: list[str] = []
    go_on = threading.Event()

    async def left_over() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def command() -> int:
        task = asyncio.create_task(left_over())
        reading = asyncio.get_running_loop().run_in_executor(None, go_on.wait, LONG_S)
        await asyncio.sleep(0)
        assert not task.done()
        assert not reading.done()
        return 3

    assert run(command()) == 3
    assert ended == ["task"]
    go_on.set()


class Part:
    """A part that runs until it is cancelled, and notes its end."""

    def __init__(self, ended: list[str], name: str) -> None:
        self.started = asyncio.Event()
        self._ended = ended
        self._name = name

    async def run(self) -> None:
        try:
            self.started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self._ended.append(self._name)


async def failing(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


async def test_a_failing_part_stops_the_others_and_its_error_is_raised() -> None:
    ended: list[str] = []
    parts = [Part(ended, "a").run(), failing(NodeError("disk")), Part(ended, "b").run()]
    with pytest.raises(NodeError, match="disk"):
        await run_until_stopped(parts)
    assert ended == ["a", "b"]


async def test_a_part_may_not_just_end() -> None:
    async def done() -> None:
        pass

    ended: list[str] = []
    with pytest.raises(NodeError, match="ended without being asked to"):
        await run_until_stopped([Part(ended, "a").run(), done()])
    assert ended == ["a"]


async def test_a_stop_ends_all_parts() -> None:
    ended: list[str] = []
    parts = [Part(ended, "a"), Part(ended, "b")]
    running = asyncio.ensure_future(run_until_stopped([part.run() for part in parts]))
    for part in parts:
        await part.started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == ["a", "b"]


async def test_without_parts_it_waits_for_the_stop() -> None:
    running = asyncio.ensure_future(run_until_stopped([]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_an_error_in_the_wake_of_a_stop_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def cannot_stop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise NodeError("a second thing is wrong")

    with pytest.raises(NodeError, match="the first"):
        await run_until_stopped([failing(NodeError("the first")), cannot_stop()])
    assert "a part failed as it was stopped: a second thing is wrong" in caplog.text
    assert "the first" not in caplog.text


async def test_work_beside_parts_returns_and_ends_them() -> None:
    ended: list[str] = []

    async def work() -> int:
        await asyncio.sleep(0)
        return 4

    assert await run_beside(work(), [Part(ended, "a").run()]) == 4
    assert ended == ["a"]


async def test_work_is_given_up_if_what_it_needs_fails() -> None:
    ended: list[str] = []
    with pytest.raises(NodeError, match="disk"):
        await run_beside(Part(ended, "work").run(), [failing(NodeError("disk"))])
    assert ended == ["work"]


async def test_failing_work_ends_its_parts(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []
    with pytest.raises(NodeError, match="no funds"):
        await run_beside(failing(NodeError("no funds")), [Part(ended, "a").run()])
    assert ended == ["a"]
    assert not caplog.text
