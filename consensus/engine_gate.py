"""The one way of consensus to the engine: one piece of work at a time, in a worker thread."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar

from node.engine import Engine

_log = logging.getLogger(__name__)
T = TypeVar("T")


class EngineGate:
    """Runs work on the engine in the order of the calls.

    A piece of work is never abandoned half-way: when the caller is cancelled, the gate stays closed
    until the thread has come to its end, and only then the cancellation goes on.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[[Engine], T]) -> T:
        """Call `work` with the engine and return what it returns."""
        async with self._turn:
            running = asyncio.ensure_future(asyncio.to_thread(work, self._engine))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                await _ended(running)
                raise


async def _ended(running: asyncio.Future[T]) -> None:
    while not running.done():
        with contextlib.suppress(asyncio.CancelledError):  # the caller is being cancelled already
            await asyncio.wait([running])
    if not running.cancelled() and (error := running.exception()) is not None:
        _log.error("work that was under way at the stop failed: %s", error)
