"""Killing a node under load and looking at what it remembers."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from tests.integration.chains import assert_derived_again, wait_for_head
from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc, Unreachable
from tests.integration.nodes import DevNode
from tests.integration.scenario import Plan, assert_remembered, connected, watching
from tests.integration.traffic import Acknowledged, Traffic

_ENDLESS = 100_000


@dataclass(frozen=True, slots=True)
class CrashFigures:
    """What was shown before the kills, all of which was found again."""

    kills: int
    acknowledged: Acknowledged
    l2_blocks: int

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {len(self.acknowledged.transactions)} receipts and "
            f"{len(self.acknowledged.blocks)} blocks shown, none lost; the {self.l2_blocks} "
            "blocks at the end are what a fresh verifier derives"
        )


async def crash(work: Path, kills: int, seed: int = 1, timeout_s: float = 60.0) -> CrashFigures:
    """Kill a node `kills` times under load; AssertionError if it forgets what it has shown."""
    plan = Plan(transactions=_ENDLESS, deposits=0)
    chance = random.Random(seed)
    traffic: Traffic | None = None
    for _ in range(kills):
        with plan.start(work) as node:
            traffic = await _resume(node, traffic)
            async with connected(node) as (l1, l2):
                traffic.connect(node.started, l1, l2)
                await traffic.resynchronise()
                await _load_and_kill(node, traffic, chance)
    assert traffic is not None
    with plan.start(work) as node:
        await _resume(node, traffic)
        async with connected(node) as (_, l2):
            last = await l2.head()
            await wait_for_head(l2, "safe", last, timeout_s)
            await assert_remembered(l2, traffic.acknowledged)
            files, l1_url = node.started.files, node.started.l1_url
            await assert_derived_again(l2, files, l1_url, work, last, timeout_s)
        assert node.stop() == 0, node.errors
    return CrashFigures(kills, traffic.acknowledged, last)


async def _resume(node: DevNode, traffic: Traffic | None) -> Traffic:
    """Start the traffic, or check that the node still knows what it has shown."""
    async with connected(node) as (l1, l2):
        if traffic is None:
            traffic = Traffic(node.started, l1, l2)
            await traffic.prepare()
        await assert_remembered(l2, traffic.acknowledged)
        await _check_progress(l2)
    return traffic


async def _check_progress(l2: Rpc) -> None:
    """Wait for a block that the node makes after its start."""
    await wait_for_head(l2, "latest", await l2.head() + 1)


async def _load_and_kill(node: DevNode, traffic: Traffic, chance: random.Random) -> None:
    before = len(traffic.acknowledged.transactions)
    enough = before + chance.randrange(10, 80)

    async def loaded() -> bool:
        return len(traffic.acknowledged.transactions) >= enough

    load = asyncio.create_task(_load(traffic))
    try:
        await wait_until(loaded, f"{enough - before} more receipts")
        # Anywhere in the life of a block, not always just after its receipts were read.
        await asyncio.sleep(chance.random())
        await asyncio.to_thread(node.kill)
        await load
    finally:
        load.cancel()


async def _load(traffic: Traffic) -> None:
    """Send until the node is gone."""
    gone = False
    try:
        async with watching(traffic):
            await traffic.run(_ENDLESS)
    except* Unreachable:
        gone = True
    assert gone, "the node was not killed"
