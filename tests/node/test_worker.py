import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.worker import run_in_thread


async def test_the_result_comes_from_another_thread() -> None:
    assert await run_in_thread(threading.get_ident) != threading.get_ident()


async def test_an_error_is_raised() -> None:
    def fail() -> None:
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        await run_in_thread(fail)


class Work:
    """Work that goes on until it is told to end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.is_done = False
        self._error = error

    def __call__(self) -> None:
        self.started.set()
        assert self.go_on.wait(30)
        self.is_done = True
        if self._error is not None:
            raise self._error


async def begin(work: Work) -> "asyncio.Task[None]":
    task = asyncio.create_task(run_in_thread(work))
    await asyncio.to_thread(work.started.wait)
    return task


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_cancellation_waits_for_the_end_of_the_work() -> None:
    work = Work()
    task = await begin(work)
    for _ in range(3):  # impatience changes nothing
        task.cancel()
        await turns()
        assert not task.done()
    work.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.is_done


async def test_an_error_after_the_cancellation_is_told(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(OSError("disk full"))
    task = await begin(work)
    task.cancel()
    await turns()
    work.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "work that was under way at the stop failed: disk full" in caplog.text


async def test_a_cancellation_before_the_work_begins_starts_nothing() -> None:
    work = Work()
    task = asyncio.create_task(run_in_thread(work))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not work.started.is_set()


async def test_a_cancellation_as_the_work_ends_keeps_its_outcome_quiet() -> None:
    work = Work()
    task = await begin(work)
    work.go_on.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.is_done


async def test_work_that_waits_for_a_thread_is_never_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ThreadPoolExecutor(max_workers=1) as threads:
        monkeypatch.setattr("node.worker._threads", threads)
        first, second = Work(), Work()
        running = await begin(first)
        waiting = asyncio.create_task(run_in_thread(second))
        await turns()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        first.go_on.set()
        await running
    assert first.is_done
    assert not second.started.is_set()


async def test_the_threads_of_the_event_loop_are_not_needed() -> None:
    asyncio.get_running_loop().set_default_executor(busy := ThreadPoolExecutor(max_workers=1))
    hog = Work()
    hogging = asyncio.get_running_loop().run_in_executor(busy, hog)
    try:
        assert await run_in_thread(lambda: 5) == 5
    finally:
        hog.go_on.set()
        await hogging
