"""Running the parts of a node side by side until one fails or somebody says stop."""

import asyncio
import signal
from collections.abc import Coroutine, Iterable
from typing import Any

from node.errors import NodeError


async def run_until_stopped(parts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all parts until SIGINT or SIGTERM, then cancel them and wait for their end.

    A part that fails stops the others, and its error is raised.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    tasks = [asyncio.create_task(part) for part in parts]
    waiting = asyncio.create_task(_wait(stop))
    try:
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            _raise_failure(task)
    finally:
        for task in (waiting, *tasks):
            task.cancel()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(signal_number)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


def _raise_failure(task: "asyncio.Task[None]") -> None:
    error = task.exception()
    if error is not None:
        raise error
    raise NodeError("a part of the node ended without being asked to")
