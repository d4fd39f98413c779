"""The control loop of a rollup node: it derives and sequences, and acts on every error by severity.

This is the one place that maps severity to action: temporary errors are retried, reset errors start
derivation again from the safe head, anything else stops the node.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from consensus.block_refs import L1BlockRef
from consensus.derivation.outcomes import NeedsL1
from consensus.deriver import Deriver
from consensus.l1.watcher import L1Watcher
from consensus.l2_chain import L2Chain
from consensus.sequencer.origin_selector import NoOrigin
from consensus.sequencer.sequencer import Sequencer
from consensus.sequencer.switch import SequencerSwitch
from consensus.status import SyncStatus
from consensus.unsafe_follower import UnsafeFollower
from node.clock import Clock
from node.errors import ResetError, TemporaryError
from node.reader import Reader

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DriverSettings:
    """How long to wait after a failure, in seconds: doubled each time, up to a maximum.

    A wait for an L1 block is logged when it lasts longer than `patience_s`.
    """

    first_retry_s: float = 0.5
    last_retry_s: float = 8.0
    origin_poll_s: float = 0.25
    patience_s: float = 5.0


class Driver:
    """Runs a verifier, or a sequencer node if there is a `sequencer`; a verifier with a `follower`
    knows unsafe blocks too.

    The sequencer builds while `switch` is on. `on_critical` is called once, with the error that
    stopped the loops.
    """

    def __init__(
        self,
        deriver: Deriver,
        watcher: L1Watcher,
        l2: L2Chain,
        reader: Reader,
        clock: Clock,
        on_critical: Callable[[Exception], None],
        *,
        sequencer: Sequencer | None = None,
        switch: SequencerSwitch | None = None,
        follower: UnsafeFollower | None = None,
        settings: DriverSettings | None = None,
    ) -> None:
        self._deriver = deriver
        self._watcher = watcher
        self._l2 = l2
        self._reader = reader
        self._clock = clock
        self._on_critical = on_critical
        self._sequencer = sequencer
        self._switch = switch or SequencerSwitch(reader)
        self._follower = follower
        self._settings = settings or DriverSettings()
        self._reset_wanted = asyncio.Event()
        self._reset_wanted.set()
        self._caught_up = asyncio.Event()
        self._settled = asyncio.Event()
        self._waiting_since: float | None = None
        self._is_wait_told = False
        self._went_on_at: tuple[L1BlockRef, L1BlockRef] | None = None

    async def run(self) -> None:
        """Derive (and sequence) until cancelled or until a critical error."""
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._attend("derivation", self.derivation_step))
                if self._sequencer is not None:
                    loops.create_task(self._attend("sequencer", self.sequencing_step))
                if self._follower is not None:
                    loops.create_task(self._attend("unsafe blocks", self.following_step))
        except* Exception as errors:  # noqa: BLE001 - the boundary of both tasks
            first = errors.exceptions[0]
            _log.critical("the node cannot go on: %s", first)
            self._on_critical(first)

    async def caught_up(self) -> None:
        """Return once derivation has used up L1 for the first time."""
        await self._caught_up.wait()

    def current_l1(self) -> L1BlockRef | None:
        """How far derivation has read L1, None before it has begun."""
        return self._deriver.current_l1

    def request_reset(self) -> None:
        """Let derivation start again from the safe head."""
        self._settled.clear()
        self._reset_wanted.set()

    def sync_status(self) -> SyncStatus:
        """Return what this node knows of both layers."""
        heads, l1 = self._reader.heads(), self._watcher.heads
        unsafe, safe, finalized = (
            self._l2.ref(ref.hash) for ref in (heads.unsafe, heads.safe, heads.finalized)
        )
        return SyncStatus(
            current_l1=self._deriver.current_l1,
            current_l1_finalized=None if l1 is None else l1.finalized,
            head_l1=None if l1 is None else l1.latest,
            safe_l1=None if l1 is None else l1.safe,
            finalized_l1=None if l1 is None else l1.finalized,
            unsafe_l2=unsafe,
            safe_l2=safe,
            finalized_l2=finalized,
            pending_safe_l2=safe,
            cross_unsafe_l2=unsafe,
            local_safe_l2=safe,
        )

    async def derivation_step(self) -> None:
        """Reset if that is due, derive one block, finalize; wait for L1 if it has no more."""
        if self._reset_wanted.is_set():
            # A block that is built while we look for the heads would be taken back for nothing.
            async with self._switch.turn:
                await self._deriver.reset()
                self._reset_wanted.clear()
                self._settled.set()
        heads = self._watcher.heads
        if heads is not None and heads.finalized is not None:
            await self._deriver.finalize(heads.finalized)
        outcome = await self._deriver.step()
        if isinstance(outcome, NeedsL1):
            self._caught_up.set()
            await self._wait_for_l1(outcome.current_l1)

    async def sequencing_step(self) -> None:
        """Build the next unsafe block when its time has come."""
        assert self._sequencer is not None
        # Blocks that L1 already knows come first: a sequencer that starts from an old store, or an
        # empty one, must not build a second history beside them.
        await self._caught_up.wait()
        await self._switch.activated()
        await self._settled.wait()
        head = await self._sequencer.wait_until_due()
        async with self._switch.turn:
            is_other_head = self._reader.heads().unsafe != head.ref
            if is_other_head or not (self._switch.is_active and self._settled.is_set()):
                return
            outcome = await self._sequencer.step()
        if isinstance(outcome, NoOrigin):
            self._note_wait(outcome)
            again_at = self._clock.now() + self._settings.origin_poll_s
            await _first_of(self._clock.sleep_until(again_at), self._watcher.growth())
            return
        if self._is_wait_told:
            _log.info("the sequencer goes on: L1 has what it waited for")
        self._waiting_since, self._is_wait_told = None, False

    async def following_step(self) -> None:
        """Take unsafe blocks, once the heads are what L1 supports."""
        assert self._follower is not None
        await self._settled.wait()
        await self._follower.step()

    def _note_wait(self, outcome: NoOrigin) -> None:
        """Tell once of a wait that is longer than fetching a block takes."""
        now = self._clock.now()
        if self._waiting_since is None:
            self._waiting_since = now
        if now - self._waiting_since >= self._settings.patience_s and not self._is_wait_told:
            _log.warning("the sequencer waits for L1: %s", outcome.reason)
            self._is_wait_told = True

    async def _wait_for_l1(self, current_l1: L1BlockRef) -> None:
        heads = self._watcher.heads
        if heads is not None:
            latest = heads.latest
            if latest.number == current_l1.number and latest.hash != current_l1.hash:
                raise ResetError(
                    f"L1 reorg: block {latest.number} was 0x{current_l1.hash.hex()}, "
                    f"it is 0x{latest.hash.hex()} now"
                )
            if latest.number > current_l1.number and self._went_on_at != (current_l1, latest):
                self._went_on_at = (current_l1, latest)
                return  # it came while we were reading
        await _first_of(self._watcher.change(heads), self._reset_wanted.wait())

    async def _attend(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step for ever, and act on its errors by their severity."""
        failures = 0
        while True:
            try:
                await step()
                if failures:
                    _log.info("%s: goes on after %d failures", name, failures)
                failures = 0
                continue
            except TemporaryError as error:
                # An outage is told once: the attempts after the first differ in nothing.
                level = logging.DEBUG if failures else logging.WARNING
                _log.log(level, "%s: trying again until it works: %s", name, error)
            except ResetError as error:
                _log.warning("%s: starting again from the safe head: %s", name, error)
                self.request_reset()
            retry_s = self._settings.first_retry_s * 2 ** min(failures, 16)
            failures += 1
            pause_s = min(retry_s, self._settings.last_retry_s)
            await self._clock.sleep_until(self._clock.now() + pause_s)


async def _first_of(*awaited: Coroutine[Any, Any, object]) -> None:
    """Return when one of them has ended; the others are cancelled."""
    waits = [asyncio.ensure_future(one) for one in awaited]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
