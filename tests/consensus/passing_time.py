"""Virtual time that passes while something is awaited."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from node.clock import VirtualClock

T = TypeVar("T")

_TURNS = 25
_QUIET_ROUNDS = 4


class JumpingClock(VirtualClock):
    """Jumps over each wait, and keeps how long it would have been."""

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self.waits: list[float] = []

    async def sleep_until(self, deadline: float) -> None:
        wait = max(0.0, deadline - self.now())
        self.waits.append(wait)
        self.advance(wait)
        await asyncio.sleep(0)


async def let_time_pass(
    clock: VirtualClock,
    awaited: Coroutine[Any, Any, T],
    *,
    each_second: Callable[[int], None] = lambda second: None,
    limit_s: int = 10_000,
) -> T:
    """Await something, second by second; `each_second` gets the number of seconds gone."""
    task = asyncio.ensure_future(awaited)
    for second in range(limit_s):
        await settle(task)
        if task.done():
            return task.result()
        clock.advance(1)
        each_second(second + 1)
    task.cancel()
    raise AssertionError(f"still waiting after {limit_s} virtual seconds")


async def settle(task: asyncio.Future[Any] | None = None) -> None:
    """Let everything run that can run without time passing (worker threads aside)."""
    for _ in range(_TURNS):
        if task is not None and task.done():
            return
        await asyncio.sleep(0)


class WatchedThreads(ThreadPoolExecutor):
    """Threads that tell whether they are at work."""

    def __init__(self) -> None:
        super().__init__(max_workers=16)
        self.at_work = 0

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        self.at_work += 1
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._note_end)
        return future

    async def quiet(self) -> None:
        """Let everything run that can run without time passing, threads included."""
        idle = 0
        while idle < _QUIET_ROUNDS:
            idle = 0 if self.at_work else idle + 1
            await settle()

    def _note_end(self, _: "Future[Any]") -> None:
        self.at_work -= 1
