"""What `prove`, `finalize` and `status` have in common: a withdrawal, and how far it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from consensus.bridge.chain import Chain
from consensus.bridge.portal import Portal, Snapshot
from consensus.bridge.status import Stage, WithdrawalStatus, withdrawal_status
from node.errors import OperationRefused
from node.types.primitives import Address, Hash32
from openrollup.bridge.begun import Begun, find_begun
from openrollup.bridge.chains import check_pair, open_l1, open_l2
from openrollup.bridge.result import JsonResult
from openrollup.bridge.waiting import Awaited


@dataclass(frozen=True, slots=True)
class StepOptions:
    """`wait` is for a step whose time has not come: wait for it, rather than refuse."""

    l1_url: str
    l2_url: str
    addresses: Path | None
    portal: Address | None
    tx: Hash32
    index: int | None
    json: bool
    key_file: Path | None = None
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A withdrawal between its two chains."""

    portal: Portal
    l2: Chain
    begun: Begun

    async def look(self) -> tuple[Snapshot, WithdrawalStatus]:
        """Return what L1 holds now, and what stage that is."""
        held = await self.portal.snapshot(self.begun.withdrawal, self.begun.l2_block)
        return held, withdrawal_status(held)


@asynccontextmanager
async def open_step(options: StepOptions) -> AsyncIterator[Step]:
    """Connect to both chains and find the withdrawal."""
    async with (
        open_l1(options.l1_url, options.addresses, options.portal) as portal,
        open_l2(options.l2_url) as l2,
    ):
        await check_pair(portal, l2)
        begun = await find_begun(portal, l2, options.tx, options.index)
        yield Step(portal, l2, begun)


def awaited(begun: Begun, held: Snapshot, status: WithdrawalStatus) -> Awaited:
    """Say what a withdrawal in a waiting stage waits for."""
    if status.stage is Stage.WAITING_TO_PROVE:
        what = f"an output of L2 block {held.due_block} on L1 (it began in {begun.l2_block})"
        if held.due > held.time:
            return Awaited(what, status.wait_s)
        return Awaited(f"{what}, due as soon as that block is safe or, on most L1s, final")
    return Awaited("the proof and its output to be final on L1", status.wait_s)


def too_early(begun: Begun, held: Snapshot, status: WithdrawalStatus) -> OperationRefused:
    """Return the refusal of a step whose time has not come."""
    return OperationRefused(
        f"too early: the withdrawal waits for {awaited(begun, held, status)}: try again then, or "
        "add --wait"
    )


def shown_status(begun: Begun, status: WithdrawalStatus) -> JsonResult:
    """Return a withdrawal and its stage for a machine."""
    return {
        "withdrawalHash": "0x" + begun.withdrawal.hash.hex(),
        "l2Block": begun.l2_block,
        "status": status.stage.value,
        "waitSeconds": status.wait_s,
    }
