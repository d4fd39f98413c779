"""Blocking work in a thread, never abandoned half-way."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")


async def run_in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread and return what it returns.

    When the caller is cancelled, the cancellation waits for the thread's end: whoever closes a
    store after that knows that nobody is writing to it any more.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with contextlib.suppress(asyncio.CancelledError):  # we are being cancelled already
                await asyncio.wait([running])
        if not running.cancelled() and (error := running.exception()) is not None:
            _log.error("work that was under way at the stop failed: %s", error)
        raise
