"""Following L1: its three heads, and the next origins fetched before anybody asks for them."""

import asyncio
import logging
from dataclasses import dataclass

from consensus.block_refs import L1BlockRef
from consensus.l1.source import L1NotFound, L1Source, Label
from consensus.l1.window import L1Window
from node.clock import Clock
from node.errors import ResetError, TemporaryError
from node.types.block import BlockRef

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class L1Heads:
    """L1's heads; safe and finalized are None on a chain that has none yet."""

    latest: L1BlockRef
    safe: L1BlockRef | None
    finalized: L1BlockRef | None


class L1Watcher:
    """Polls L1 and remembers. Everything but `run`, `poll` and `change` answers from memory.

    `window` begins at the block given to `keep_from` and reaches `lookahead` blocks further, or to
    L1's head. While L1 is away, `heads` and `window` stay as they were last.
    """

    def __init__(
        self, l1: L1Source, clock: Clock, *, poll_interval_s: float, lookahead: int = 32
    ) -> None:
        self.window = L1Window()
        self._l1 = l1
        self._clock = clock
        self._poll_interval_s = poll_interval_s
        self._lookahead = lookahead
        self._base: BlockRef | None = None
        self._heads: L1Heads | None = None
        self._changed = asyncio.Event()
        self._hungry = asyncio.Event()
        self._grown = asyncio.Event()
        self._is_down = False

    @property
    def heads(self) -> L1Heads | None:
        """The heads of the last successful poll, None before the first."""
        return self._heads

    @property
    def is_down(self) -> bool:
        """Whether the last poll of `run` failed: what is not in memory may take long to come."""
        return self._is_down

    def keep_from(self, origin: BlockRef) -> None:
        """Let the window begin at `origin`."""
        if origin == self._base:
            return
        first = self.window.at(origin.number)
        if first is None or first.hash != origin.hash:
            self.window.clear()
        self.window.drop_below(origin.number)
        self._base = origin
        if self._missing(self._heads) > 0:
            self._hungry.set()

    async def change(self, seen: L1Heads | None) -> L1Heads:
        """Return the heads once they differ from `seen`."""
        while self._heads is None or self._heads == seen:
            self._changed.clear()
            await self._changed.wait()
        return self._heads

    async def growth(self) -> None:
        """Return when the window has got another block."""
        self._grown.clear()
        await self._grown.wait()

    async def run(self) -> None:
        """Poll until cancelled. An outage is logged when it begins and when it ends."""
        while True:
            try:
                await self.poll()
            except (TemporaryError, ResetError) as error:
                if not self._is_down:
                    _log.warning("L1 is not available, the last known heads stay: %s", error)
                self._is_down = True
            else:
                if self._is_down:
                    _log.info("L1 is available again")
                self._is_down = False
            await self._rest()

    async def poll(self) -> None:
        """Look at L1 once and bring heads and window up to date."""
        latest = await self._l1.block_ref_by_label("latest")
        heads = L1Heads(latest, await self._label("safe"), await self._label("finalized"))
        if heads != self._heads:
            self._heads = heads
            self._changed.set()
        if self._base is not None:
            await self._refresh_window(heads)

    async def _label(self, label: Label) -> L1BlockRef | None:
        try:
            return await self._l1.block_ref_by_label(label)
        except L1NotFound:
            return None

    async def _refresh_window(self, heads: L1Heads) -> None:
        await self._drop_orphans(heads.latest)
        while self._missing(heads) > 0 and self._base is not None:
            base, newest = self._base, self.window.newest
            number = base.number if newest is None else newest.number + 1
            ref = await self._l1.block_ref_by_number(number)
            header = await self._l1.header(ref.hash)
            receipts = await self._l1.receipts(ref.hash)
            if (self._base, self.window.newest) != (base, newest):
                continue  # the window moved while we waited for L1
            if self.window.append(header, receipts):
                self._grown.set()
            else:
                self.window.drop_newest()

    async def _drop_orphans(self, latest: L1BlockRef) -> None:
        while (newest := self.window.newest) is not None and newest != latest:
            if newest.number <= latest.number:
                canonical = await self._l1.block_ref_by_number(newest.number)
                if canonical == newest or self.window.newest != newest:
                    return
            self.window.drop_newest()

    def _missing(self, heads: L1Heads | None) -> int:
        """Return how many blocks the window could hold more."""
        if self._base is None or heads is None:
            return 0
        goal = min(heads.latest.number, self._base.number + self._lookahead)
        newest = self.window.newest
        return goal - (self._base.number - 1 if newest is None else newest.number)

    async def _rest(self) -> None:
        """Wait for the next poll, or for a window that runs empty."""
        pause = asyncio.ensure_future(
            self._clock.sleep_until(self._clock.now() + self._poll_interval_s)
        )
        hunger = asyncio.ensure_future(self._hungry.wait())
        try:
            waiting = {pause} if self._is_down else {pause, hunger}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            self._hungry.clear()
        finally:
            pause.cancel()
            hunger.cancel()
