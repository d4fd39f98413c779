"""A run from the first start to the last comparison."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.chains import assert_derived_again, assert_equal, wait_for_head
from tests.integration.conditions import wait_until
from tests.integration.endurance.figures import Figures
from tests.integration.endurance.plan import Plan, Programs, open_programs
from tests.integration.endurance.traffic import SteadyTraffic
from tests.integration.endurance.watch import Disturbances, Watch
from tests.integration.json_rpc import Rpc, RpcFailure, Unreachable
from tests.integration.nodes import DevNode
from tests.integration.processes import ProcessFailed
from tests.integration.traffic import Traffic

_TICK_S = 0.5
_SOON_S = 3.0
_CATCH_UP_S = 300.0
_CHECKED_AFTER_RESTART = 500


@dataclass(slots=True)
class _Due:
    """When the next reorg and the next restart are due, in monotonic seconds."""

    reorg: float
    restart: float


@dataclass(frozen=True, slots=True)
class _Connections:
    l1: Rpc
    sequencer: Rpc
    verifier: Rpc


class Endurance:
    """Runs a plan in a folder. `figures` are there at any time, whatever becomes of it."""

    def __init__(self, plan: Plan, work: Path, figures: Figures) -> None:
        self._plan = plan
        self._work = work
        self._figures = figures
        self._chance = random.Random(plan.seed)
        self._disturbances = Disturbances()
        self._traffic: Traffic | None = None
        self._began = time.monotonic()
        self._due = _Due(float("inf"), float("inf"))

    async def run(self) -> None:
        """Live through it all; what is wrong goes into the figures."""
        try:
            with open_programs(self._plan, self._work) as programs:
                while not await self._live(programs):
                    pass
            self._figures.is_complete = True
        except (AssertionError, Unreachable, RpcFailure) as error:
            self._figures.add_problem(str(error))
        finally:
            self._figures.duration_s = time.monotonic() - self._began

    async def _live(self, programs: Programs) -> bool:
        """Let the node live once, until it is restarted (False) or until all is done (True)."""
        with programs.start() as node:
            async with _connected(node) as connections:
                await self._begin(node, connections)
                watch = Watch(
                    self._figures,
                    self._disturbances,
                    node.pid,
                    connections.l1,
                    connections.sequencer,
                    connections.verifier,
                )
                await watch.check_final(_CHECKED_AFTER_RESTART)
                self._disturbances.resume()
                async with _beside(watch, self._steady()):
                    is_over = await self._until_restart(node, programs, connections)
                    if not is_over:
                        await self._note("restart", connections.sequencer)
                if is_over:
                    await self._conclude(node, programs, watch, connections)
                    return True
            await self._end(node)
            self._figures.ledger.note_restart()
            return False

    async def _begin(self, node: DevNode, connections: _Connections) -> None:
        if self._traffic is not None:
            self._traffic.connect(node.started, connections.l1, connections.sequencer)
            return
        self._traffic = Traffic(
            node.started, connections.l1, connections.sequencer, seed=self._plan.seed
        )
        await self._traffic.prepare()
        await self._traffic.allow_deposits()
        # What the traffic calls must not be taken back: the first reorg comes after it is final.
        await wait_for_head(
            connections.sequencer, "finalized", await connections.sequencer.head(), 120.0
        )
        self._began = now = time.monotonic()
        self._due = _Due(self._next(now, self._plan.reorg_every_s), now)
        self._due.restart = self._next(now, self._plan.restart_every_s)

    def _steady(self) -> SteadyTraffic:
        assert self._traffic is not None
        return SteadyTraffic(self._traffic, self._figures, self._plan.rate, self._chance)

    async def _until_restart(
        self, node: DevNode, programs: Programs, connections: _Connections
    ) -> bool:
        """Make the reorgs that are due; return at the next restart, or True if time is up."""
        while True:
            if not node.running:
                raise ProcessFailed(f"the node has ended by itself:\n{node.errors[-4000:]}")
            now = time.monotonic()
            self._figures.duration_s = now - self._began
            if now - self._began >= self._plan.duration_s:
                return True
            if now >= self._due.restart:
                self._due.restart = self._next(now, self._plan.restart_every_s)
                return False
            if now >= self._due.reorg and await self._reorg(programs, connections):
                self._due.reorg = self._next(now, self._plan.reorg_every_s)
                if self._plan.restart_every_s and self._chance.random() < 0.25:
                    # In the middle of its reaction.
                    self._due.restart = now + self._chance.uniform(0.0, _SOON_S)
            await asyncio.sleep(_TICK_S)

    async def _reorg(self, programs: Programs, connections: _Connections) -> bool:
        """Return whether there was one; L1 may be too young, or finality may come in between."""
        head, finalized = await connections.l1.head(), await connections.l1.head("finalized")
        depth = min(self._chance.randint(1, self._plan.deepest_reorg), head - finalized)
        if depth < 1:
            return False
        await self._note("reorg", connections.sequencer)
        try:
            await programs.reorg(connections.l1, depth)
        except RpcFailure as error:
            if error.code == -32601:
                raise
            return False
        self._figures.reorg_depths.append(depth)
        return True

    async def _note(self, name: str, sequencer: Rpc) -> None:
        self._disturbances.note(name, await sequencer.head("safe"), is_reorg=name == "reorg")

    async def _end(self, node: DevNode) -> None:
        if self._chance.random() < 0.5:
            self._figures.events["SIGKILL"] += 1
            await asyncio.to_thread(node.kill)
            return
        self._figures.events["SIGTERM"] += 1
        code = await asyncio.to_thread(node.stop)
        if code != 0:
            self._figures.add_problem(f"SIGTERM: expected exit code 0, got {code}")

    async def _conclude(
        self, node: DevNode, programs: Programs, watch: Watch, connections: _Connections
    ) -> None:
        """Wait until all that was shown is safe, then compare everything, and derive it again."""
        sequencer, verifier = connections.sequencer, connections.verifier
        # An L1 block after the last reorg, so that nothing shown is on its way out.
        await self._wait_until_settled(connections)
        last = await sequencer.head()
        await wait_for_head(sequencer, "safe", last, _CATCH_UP_S)
        await wait_for_head(verifier, "safe", last, _CATCH_UP_S)
        await assert_equal(sequencer, verifier, last)
        await watch.check_final()
        started = node.started
        await assert_derived_again(
            sequencer,
            started.files,
            started.l1_url,
            self._work / "again",
            last,
            _CATCH_UP_S,
            programs.l1_options,
        )
        self._figures.derived_again = last
        for entry in sorted(self._figures.lost_transactions()):
            self._figures.add_problem(f"transaction {entry} was taken back, and is in no block")
        code = await asyncio.to_thread(node.stop)
        if code != 0:
            self._figures.add_problem(f"SIGTERM at the end: expected exit code 0, got {code}")

    async def _wait_until_settled(self, connections: _Connections) -> None:
        target = await connections.l1.head() + self._plan.deepest_reorg

        async def read() -> bool:
            status = await connections.sequencer.call("optimism_syncStatus")
            return int(status["current_l1"]["number"]) >= target

        await wait_until(read, f"L1 block {target} is read", _CATCH_UP_S)

    def _next(self, now: float, every_s: float) -> float:
        return now + every_s * self._chance.uniform(0.7, 1.3) if every_s else float("inf")


@contextlib.asynccontextmanager
async def _connected(node: DevNode) -> AsyncIterator[_Connections]:
    started = node.started
    async with (
        Rpc(started.l1_url) as l1,
        Rpc(started.l2_url) as sequencer,
        Rpc(started.verifier_url) as verifier,
    ):
        yield _Connections(l1, sequencer, verifier)


@contextlib.asynccontextmanager
async def _beside(watch: Watch, traffic: SteadyTraffic) -> AsyncIterator[None]:
    """Let both run while the body does; the first error of either ends the body."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(watch.run()), tasks.create_task(traffic.run())]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
