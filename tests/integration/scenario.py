"""A rollup's life: traffic, restarts, and at the end a stranger who derives it all again."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.chains import assert_derived_again, transactions_by_channel, wait_for_head
from tests.integration.json_rpc import Rpc, Unreachable
from tests.integration.nodes import DevNode
from tests.integration.traffic import Acknowledged, Traffic


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. `l1_url` and `key_file` name an L1 outside of the node."""

    transactions: int
    deposits: int
    bulk: int = 0
    restarts: int = 0
    in_flight: int = 12
    """Transactions that each user has waiting at a time."""
    least_l2_blocks: int = 0
    least_l1_blocks: int = 0
    l1_block_time_s: int = 1
    l1_url: str | None = None
    key_file: Path | None = None
    timeout_s: float = 60.0

    def start(self, work: Path) -> DevNode:
        """Start the node, or start it again; each life has a log of its own in `work`."""
        work.mkdir(parents=True, exist_ok=True)
        lives = len(list(work.glob("node-*.log")))
        return DevNode(
            work / "files",
            datadir=work / "data",
            l1_block_time_s=self.l1_block_time_s,
            l1_url=self.l1_url,
            key_file=self.key_file,
            log=work / f"node-{lives}.log",
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened."""

    acknowledged: Acknowledged
    l2_blocks: int
    l1_blocks: int
    restarts: int
    channels: int
    longest_channel: int
    """The most L1 transactions over which a channel is spread."""
    traffic_s: float
    total_s: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.acknowledged.kinds.items())
        return (
            f"{len(self.acknowledged.transactions)} transactions ({kinds}) "
            f"in {self.traffic_s:.0f} s\n"
            f"{self.l2_blocks} L2 blocks, {self.l1_blocks} L1 blocks, deposits in "
            f"{len(self.acknowledged.deposit_epochs)} epochs, {self.restarts} restarts\n"
            f"{self.channels} channels, the longest over {self.longest_channel} L1 transactions"
            f"\na fresh verifier derived the same hash at each height; {self.total_s:.0f} s in all"
        )


@contextlib.asynccontextmanager
async def connected(node: DevNode) -> AsyncIterator[tuple[Rpc, Rpc]]:
    """Connections to L1 and L2 of a node."""
    async with Rpc(node.started.l1_url) as l1, Rpc(node.started.l2_url) as l2:
        yield l1, l2


async def live(plan: Plan, work: Path) -> Figures:
    """Live through a plan; AssertionError at the first thing that is not as promised."""
    began = time.monotonic()
    phases = plan.restarts + 1
    traffic: Traffic | None = None
    for phase in range(phases):
        with plan.start(work) as node:
            async with connected(node) as (l1, l2):
                if traffic is None:
                    traffic = Traffic(node.started, l1, l2, in_flight=plan.in_flight)
                    await traffic.prepare()
                    traffic_began = time.monotonic()
                else:
                    traffic.connect(node.started, l1, l2)
                    await assert_remembered(l2, traffic.acknowledged)
                    await traffic.resynchronise()
                async with watching(traffic):
                    await traffic.run(*_share(plan, phase))
                if phase == phases - 1:
                    traffic_s = time.monotonic() - traffic_began
                    return await _conclude(plan, work, node, traffic, began, traffic_s)
            assert node.stop() == 0, node.errors
    raise AssertionError("unreachable: the last phase returns")


def _share(plan: Plan, phase: int) -> tuple[int, int, int]:
    """Return the transactions, deposits and bulk of a phase; the first takes what is left over."""
    phases = plan.restarts + 1

    def share(total: int) -> int:
        return total // phases + (total % phases if phase == 0 else 0)

    return share(plan.transactions), share(plan.deposits), share(plan.bulk)


async def _conclude(
    plan: Plan, work: Path, node: DevNode, traffic: Traffic, began: float, traffic_s: float
) -> Figures:
    acknowledged = traffic.acknowledged
    async with connected(node) as (l1, l2), Rpc(node.started.verifier_url) as own_verifier:
        await wait_for_head(l2, "latest", plan.least_l2_blocks, plan.timeout_s)
        await wait_for_head(l1, "latest", plan.least_l1_blocks, plan.timeout_s)
        last = max(acknowledged.head, plan.least_l2_blocks)
        await wait_for_head(l2, "safe", last, plan.timeout_s)
        await wait_for_head(own_verifier, "safe", last, plan.timeout_s)
        await assert_remembered(l2, acknowledged)
        await assert_derived_again(
            l2, node.started.files, node.started.l1_url, work, last, plan.timeout_s
        )
        l1_blocks = await l1.head()
        channels = await transactions_by_channel(l1, node.started.files)
    assert node.stop() == 0, node.errors
    return Figures(
        acknowledged=acknowledged,
        l2_blocks=last,
        l1_blocks=l1_blocks,
        restarts=plan.restarts,
        channels=len(channels),
        longest_channel=max(channels.values()),
        traffic_s=traffic_s,
        total_s=time.monotonic() - began,
    )


@contextlib.asynccontextmanager
async def watching(traffic: Traffic) -> AsyncIterator[None]:
    """Note each new head while the body runs; a node that goes away ends only the watch."""
    watch = asyncio.create_task(traffic.watch())
    try:
        yield
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError, Unreachable):
            await watch


async def assert_remembered(rpc: Rpc, acknowledged: Acknowledged) -> None:
    """Check that each block and each receipt that was shown is still there, unchanged."""
    numbers = sorted(acknowledged.blocks)
    for number, now in zip(numbers, await rpc.hashes(numbers), strict=True):
        shown = acknowledged.blocks[number]
        assert now == shown, f"block {number}: {shown} was shown, now {now}"
    hashes = list(acknowledged.transactions)
    receipts = await rpc.batch("eth_getTransactionReceipt", [(entry,) for entry in hashes])
    for transaction_hash, receipt in zip(hashes, receipts, strict=True):
        assert receipt is not None, f"{transaction_hash} was included and is gone"
        assert receipt["blockHash"] == acknowledged.transactions[transaction_hash]
