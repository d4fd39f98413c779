"""The only clock: real time for a running node, virtual time for tests."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock seconds since the Unix epoch, and waiting for them to pass."""

    def now(self) -> float:
        """Return the current time in seconds since the epoch."""
        ...

    async def sleep_until(self, deadline: float) -> None:
        """Return once `now()` is at least `deadline`."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    async def sleep_until(self, deadline: float) -> None:
        while (remaining := deadline - time.time()) > 0:  # noqa: ASYNC110 - time is the condition
            await asyncio.sleep(remaining)


class VirtualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: float) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep_until(self, deadline: float) -> None:
        if deadline <= self._now:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (deadline, next(self._order), woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move time forward and wake the sleepers whose deadline has passed."""
        if seconds < 0:
            raise ValueError(f"time moves forward only: {seconds}")
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
