"""The one way of consensus to the engine: one piece of work at a time, in a worker thread."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from node.engine import Engine
from node.worker import run_in_thread

T = TypeVar("T")


class EngineGate:
    """Runs work on the engine in the order of the calls; none is abandoned half-way."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[[Engine], T]) -> T:
        """Call `work` with the engine and return what it returns."""
        async with self._turn:
            return await run_in_thread(partial(work, self._engine))
