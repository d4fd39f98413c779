"""Commands that run until they are stopped, in this process."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest


class Output:
    """What a command prints on standard output, line by line, as it comes."""

    def __init__(self, command: "asyncio.Future[int]") -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self._command = command

    def write(self, text: str) -> int:
        for line in text.splitlines():
            self.lines.put_nowait(line)
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    async def line(self) -> str:
        """Return the next line; the command's error if it ends before."""
        getting = asyncio.ensure_future(self.lines.get())
        waits: list[asyncio.Future[Any]] = [getting, self._command]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if not getting.done():
            getting.cancel()
            raise AssertionError(f"ended with {self._command.result()}")
        return getting.result()

    async def event(self, name: str) -> dict[str, Any]:
        """Return the next line of JSON that tells of `name`."""
        while True:
            event = json.loads(await self.line())
            if event["event"] == name:
                assert isinstance(event, dict)
                return event


@asynccontextmanager
async def running_command(
    command: Coroutine[Any, Any, int], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Output]:
    """Run a command beside the block, and stop it after that, as Ctrl-C does."""
    task = asyncio.ensure_future(command)
    output = Output(task)
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", output)
        try:
            yield output
        finally:
            task.cancel()
            await asyncio.wait([task])
    if not task.cancelled():
        task.result()
