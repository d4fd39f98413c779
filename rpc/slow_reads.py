"""Where reads go that take long enough to make other callers wait."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SlowReads:
    """Runs blocking calls in worker threads, a few at a time.

    With no bound here, a burst of eth_call would take all threads of the event loop, and with them
    the interpreter from whoever builds blocks.
    """

    def __init__(self, at_once: int = 2) -> None:
        self._slots = asyncio.Semaphore(at_once)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns, once it had its turn."""
        async with self._slots:
            return await asyncio.to_thread(function, *args, **kwargs)
