"""Looks at L1, sequencer and verifier once a second and judges what it sees."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.endurance.figures import Figures
from tests.integration.endurance.ledger import ShownBlock, ShownHeads, TornRead
from tests.integration.json_rpc import Rpc

GRACE_S = 30.0
"""What counts as right after a restart or reorg: ten L1 blocks of three seconds."""

REORG_BLAME_S = 60.0
"""How long after a reorg blocks may be taken back because of it."""

_PATIENCE_S = 30.0
_INTERVAL_S = 1.0
_MIB = 1024


@dataclass(slots=True)
class Disturbances:
    """When what happened last (monotonic seconds), and where the safe head was then."""

    last_at: float = field(default_factory=time.monotonic)
    reorg_at: float = float("-inf")
    waiting: list[tuple[str, float, int]] = field(default_factory=list)

    def note(self, name: str, safe: int, *, is_reorg: bool) -> None:
        """Note that something happens now."""
        self.last_at = time.monotonic()
        self.waiting.append((name, self.last_at, safe))
        if is_reorg:
            self.reorg_at = self.last_at

    def resume(self) -> None:
        """Note that the process is back: what follows is right after its restart."""
        self.last_at = time.monotonic()

    @property
    def is_settled(self) -> bool:
        """Whether nothing happened lately."""
        return time.monotonic() - self.last_at > GRACE_S

    @property
    def may_be_reorg(self) -> bool:
        """Whether what is taken back now may be a reorg's doing."""
        return time.monotonic() - self.reorg_at < REORG_BLAME_S


class Watch:
    """Watches one life of the process `pid`. The figures and the disturbances outlive it."""

    def __init__(
        self,
        figures: Figures,
        disturbances: Disturbances,
        pid: int,
        l1: Rpc,
        sequencer: Rpc,
        verifier: Rpc,
    ) -> None:
        self._figures = figures
        self._disturbances = disturbances
        self._pid = pid
        self._l1 = l1
        self._sequencer = sequencer
        self._verifier = verifier
        self._torn_since: float | None = None
        self._differs_since: float | None = None
        self._head = 0
        self._head_at = time.monotonic()

    async def run(self) -> None:
        """Look once a second until cancelled; Unreachable once the process is gone."""
        while True:
            await self.look()
            await asyncio.sleep(_INTERVAL_S)

    async def look(self) -> None:
        """Look at everything once."""
        status = await self._sequencer.call("optimism_syncStatus")
        await self._measure_lag(status)
        self._measure_pause(status["unsafe_l2"]["number"])
        self._measure_memory()
        self._note_recoveries(status["safe_l2"]["number"])
        try:
            await self._read_blocks(status)
        except TornRead as torn:
            # The next look reads again, unless something final is not where it was.
            self._torn_since = self._torn_since or time.monotonic()
            if time.monotonic() - self._torn_since > _PATIENCE_S:
                self._figures.add_problem(f"no chain on what was final: {torn}")
            return
        self._torn_since = None
        await self._compare(status)

    async def check_final(self, newest: int | None = None) -> None:
        """Ask for everything that was final once: blocks at both nodes, receipts.

        `newest` is how many of either are enough; None for all.
        """
        ledger = self._figures.ledger
        numbers = sorted(ledger.final_blocks)[-newest if newest else 0 :]
        shown = [ledger.final_blocks[number] for number in numbers]
        for rpc in (self._sequencer, self._verifier):
            last = await rpc.head("finalized")
            reached = [number for number in numbers if number <= last]
            for number, now, was in zip(reached, await rpc.hashes(reached), shown, strict=False):
                if now != was:
                    self._figures.add_problem(f"block {number} at {rpc.url}: final {was}, is {now}")
        hashes = list(ledger.final_transactions)[-newest if newest else 0 :]
        receipts = await self._sequencer.batch("eth_getTransactionReceipt", [(h,) for h in hashes])
        for entry, receipt in zip(hashes, receipts, strict=True):
            if receipt is None:
                self._figures.add_problem(f"transaction {entry} was final and has no receipt")
            elif receipt["blockHash"] != ledger.final_transactions[entry]:
                self._figures.add_problem(f"transaction {entry} was final and is elsewhere")

    async def _measure_lag(self, status: Mapping[str, Any]) -> None:
        head = await self._l1.head()
        self._figures.l1_blocks = head
        lag = head - status["safe_l2"]["l1origin"]["number"]
        is_settled = self._disturbances.is_settled
        (self._figures.settled_lag if is_settled else self._figures.disturbed_lag).append(lag)

    def _measure_pause(self, head: int) -> None:
        now = time.monotonic()
        if self._disturbances.is_settled:
            pause_s = now - self._head_at
            self._figures.longest_pause_s = max(self._figures.longest_pause_s, pause_s)
        if head != self._head or not self._disturbances.is_settled:
            self._head, self._head_at = head, now

    def _measure_memory(self) -> None:
        status = (Path("/proc") / str(self._pid) / "status").read_text()
        values = dict(line.split(":", 1) for line in status.splitlines())
        for name, series in (
            ("VmRSS", self._figures.memory_mib),
            ("RssAnon", self._figures.anonymous_mib),
        ):
            if name in values:  # not of a process that is ending
                series.append(int(values[name].split()[0]) // _MIB)

    def _note_recoveries(self, safe: int) -> None:
        now, waiting = time.monotonic(), self._disturbances.waiting
        for name, began, before in [entry for entry in waiting if safe > entry[2]]:
            waiting.remove((name, began, before))
            self._figures.recovery_s.setdefault(name, []).append(now - began)

    async def _read_blocks(self, status: Mapping[str, Any]) -> None:
        ledger = self._figures.ledger
        heads = ShownHeads(
            *(status[name]["number"] for name in ("unsafe_l2", "safe_l2", "finalized_l2"))
        )
        numbers = range(ledger.first_open, heads.unsafe + 1)
        if heads.finalized < numbers.start - 1:
            self._figures.add_problem(f"finalized went back from {numbers.start - 1}: {heads}")
            return
        params = [(hex(number), False) for number in numbers]
        raw = await self._sequencer.batch("eth_getBlockByNumber", params)
        taken_back = ledger.see(_shown(raw), heads)
        if taken_back.is_empty:
            return
        if not self._disturbances.may_be_reorg:
            self._figures.add_problem(f"without a reorg: {taken_back} near block {heads.safe}")
        self._figures.reorged.append(taken_back)

    async def _compare(self, status: Mapping[str, Any]) -> None:
        """Compare the safe chains. In a reorg one node may be ahead of the other for a while."""
        derived = await self._verifier.call("optimism_syncStatus")
        last = min(status["safe_l2"]["number"], derived["safe_l2"]["number"])
        ledger = self._figures.ledger
        first = min(max(ledger.first_open - 1, 1), last)
        numbers = range(first, last + 1)
        hashes = await self._verifier.hashes(numbers)
        differing = [
            number
            for number, now in zip(numbers, hashes, strict=True)
            if ledger.block_hash(number) not in (None, now)
        ]
        if not differing:
            self._differs_since = None
            self._figures.compared = max(self._figures.compared, last)
            return
        self._differs_since = self._differs_since or time.monotonic()
        if time.monotonic() - self._differs_since > _PATIENCE_S:
            self._figures.add_problem(
                f"divergence: verifier and sequencer differ from block {differing[0]} on"
            )


def _shown(raw: Sequence[Any]) -> list[ShownBlock]:
    if any(block is None for block in raw):
        raise TornRead("a block below the head is not there")
    return [
        ShownBlock(
            int(block["number"], 16),
            block["hash"],
            block["parentHash"],
            tuple(block["transactions"][1:]),
        )
        for block in raw
    ]
