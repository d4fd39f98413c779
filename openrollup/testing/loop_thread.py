"""An event loop in a thread of its own, for those who are not asynchronous."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from openrollup.testing.errors import DevnetError

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads; `close` it in the end."""

    def __init__(self, name: str) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, what: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the coroutine's result; `what` names the call in the error of an async caller."""
        if _is_in_event_loop():
            raise DevnetError(
                f"{what} blocks, and this thread runs an event loop: write the test as a plain "
                f"`def`, or call `await asyncio.to_thread({what.partition('(')[0]}, ...)`"
            )
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def close(self) -> None:
        """Cancel what is left, and end the thread."""
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _cancel_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
