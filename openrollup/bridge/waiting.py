"""Waiting for a chain, and saying for what and about how long."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from consensus.l1.json_rpc import Unreachable
from node.clock import Clock

_log = logging.getLogger(__name__)
T = TypeVar("T")

_POLL_S = 1.0
_SAY_AGAIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """What has to happen, and in about how many seconds it should have, if that is known."""

    what: str
    wait_s: int | None = None

    def __str__(self) -> str:
        return self.what if self.wait_s is None else f"{self.what}, {about(self.wait_s)}"


async def wait_for(look: Callable[[], Awaitable[T | Awaited]], clock: Clock) -> T:
    """Look every second until something else comes than what is awaited.

    A node that does not answer for a while only delays.
    """
    said, said_at = "", 0.0
    while True:
        try:
            found = await look()
        except Unreachable as error:
            found = Awaited(f"an answer of {error}")
        if not isinstance(found, Awaited):
            return found
        now = clock.now()
        if not said or (str(found) != said and now >= said_at + _SAY_AGAIN_S):
            said, said_at = str(found), now
            _log.info("waiting for %s (Ctrl-C loses nothing)", said)
        await clock.sleep_until(now + _POLL_S)


def about(seconds: int) -> str:
    """Say a duration as a person would."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"about {round(seconds / size)} {unit}"
    return f"about {max(1, seconds)} s"
