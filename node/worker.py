"""Blocking work in a thread, never abandoned half-way."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")

# Not the event loop's own threads: a burst of JSON-RPC calls there must not delay a block.
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="work")


async def run_in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread and return what it returns.

    When the caller is cancelled, the cancellation waits for the thread's end: whoever closes a
    store after that knows that nobody is writing to it any more. Work that has not begun by then
    never will.
    """
    running = _threads.submit(work)
    outcome = asyncio.wrap_future(running)
    try:
        return await asyncio.shield(outcome)
    except asyncio.CancelledError:
        running.cancel()
        while not outcome.done():
            with contextlib.suppress(asyncio.CancelledError):  # we are being cancelled already
                await asyncio.wait([outcome])
        if not outcome.cancelled() and (error := outcome.exception()) is not None:
            _log.error("work that was under way at the stop failed: %s", error)
        raise
