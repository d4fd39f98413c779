"""The one way of consensus to the engine: one piece of work at a time, in a worker thread."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from node.engine import Engine

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
                await asyncio.wait([running])
                raise
