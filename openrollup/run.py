"""Running a command and its parts, until it ends, one of them fails or somebody says stop."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable
from types import FrameType
from typing import Any, NoReturn, TypeVar

import uvloop

from node.errors import NodeError

_log = logging.getLogger(__name__)
T = TypeVar("T")

GRACE_S = 2.5
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_command(
    command: Coroutine[Any, Any, int],
    *,
    code_when_stopped: int,
    grace_s: float = GRACE_S,
    end_process: Callable[[int], object] = os._exit,
) -> int:
    """Return the command's exit code; KeyboardInterrupt if SIGINT or SIGTERM stopped it.

    The first signal cancels the command, which closes what it has open. A second one, or a command
    that still works after `grace_s` seconds, ends the process at once: nothing is lost by that,
    since all that was ever shown is on the disk.
    """
    loop = uvloop.new_event_loop()
    task = loop.create_task(command)
    stop = _Stop(loop, task, lambda: end_process(code_when_stopped), grace_s)
    previous = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        return loop.run_until_complete(task)
    except asyncio.CancelledError:
        if stop.is_wanted:
            raise KeyboardInterrupt from None
        raise
    finally:
        _finish(loop)
        stop.succeeded()
        for number, handler in previous.items():
            signal.signal(number, handler)
        # Threads that only read are not waited for; those that write were, by their callers.
        loop.close()


async def run_until_stopped(parts: Iterable[Coroutine[Any, Any, None]]) -> NoReturn:
    """Run all parts until cancelled. One that fails stops the others, and its error is raised."""
    await run_beside(asyncio.Event().wait(), parts)
    raise AssertionError("waiting for nothing has no end")


async def run_beside(work: Coroutine[Any, Any, T], parts: Iterable[Coroutine[Any, Any, None]]) -> T:
    """Return what `work` returns; the parts run beside it, and are cancelled when it is done.

    A part that fails stops everything, and its error is raised. All have ended when this returns.
    """
    working = asyncio.ensure_future(work)
    running = [asyncio.ensure_future(part) for part in parts]
    everything: list[asyncio.Future[Any]] = [working, *running]
    raised: BaseException | None = None
    try:
        done, _ = await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        ended = next((part for part in running if part in done), None)
        raised = _error_of(working) if ended is None else _reason(ended)
        if raised is not None:
            raise raised
        return working.result()
    finally:
        for task in everything:
            task.cancel()
        await asyncio.wait(everything)
        for task in everything:
            if (error := _error_of(task)) is not None and error is not raised:
                _log.warning("a part failed as it was stopped: %s", error)


class _Stop:
    """What to do when a signal comes. Runs between two instructions of the main thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        task: "asyncio.Task[int]",
        end_process: Callable[[], object],
        grace_s: float,
    ) -> None:
        self.is_wanted = False
        self._loop = loop
        self._task = task
        self._end_process = end_process
        self._patience = threading.Timer(grace_s, end_process)
        self._patience.daemon = True

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.is_wanted:
            self._end_process()
            return
        self.is_wanted = True
        self._patience.start()
        self._loop.call_soon_threadsafe(self._task.cancel)

    def succeeded(self) -> None:
        """Everything has ended in time."""
        self._patience.cancel()


def _reason(part: "asyncio.Future[None]") -> BaseException:
    return _error_of(part) or NodeError("a part of the node ended without being asked to")


def _error_of(task: "asyncio.Future[Any]") -> BaseException | None:
    return None if task.cancelled() else task.exception()


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left, as asyncio.run does, without waiting for threads."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.run_until_complete(loop.shutdown_asyncgens())
