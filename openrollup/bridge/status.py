"""`openrollup bridge status`: how far a transfer is, in either direction."""

from consensus.bridge.chain import Chain
from consensus.bridge.deposits import deposits_of
from consensus.bridge.portal import Portal, Snapshot
from consensus.bridge.status import Stage, WithdrawalStatus
from node.types.primitives import checksum_address
from openrollup.bridge.arguments import open_text
from openrollup.bridge.begun import Begun, chosen, find_begun
from openrollup.bridge.chains import check_pair, open_l1, open_l2
from openrollup.bridge.deposit import arrived
from openrollup.bridge.result import JsonResult, show
from openrollup.bridge.step import Step, StepOptions, awaited, shown_status


async def run_status(options: StepOptions) -> int:
    """Tell the stage of a withdrawal (by its L2 transaction) or a deposit (by its L1 one)."""
    async with (
        open_l1(options.l1_url, options.addresses, options.portal) as portal,
        open_l2(options.l2_url) as l2,
    ):
        await check_pair(portal, l2)
        result = await _deposit_status(options, portal, l2)
        if result is None:
            begun = await find_begun(portal, l2, options.tx, options.index)
            held, status = await Step(portal, l2, begun).look()
            result = shown_status(begun, status), _lines(begun, held, status)
    show(*result, json=options.json)
    return 0


async def _deposit_status(
    options: StepOptions, portal: Portal, l2: Chain
) -> tuple[JsonResult, list[str]] | None:
    on_l1 = await portal.l1.inclusion(options.tx)
    deposits = () if on_l1 is None else deposits_of(on_l1, portal.address)
    if not deposits:
        return None
    deposit = deposits[chosen(len(deposits), options.index, f"--tx: 0x{options.tx.hex()}")]
    found = await l2.inclusion(deposit.hash)
    if found is not None:
        return arrived(options.tx, deposit, found)
    result: JsonResult = {
        "l1Transaction": "0x" + options.tx.hex(),
        "l2Transaction": "0x" + deposit.hash.hex(),
        "l2Block": None,
    }
    return result, [
        f"L2 transaction  0x{deposit.hash.hex()}",
        f"deposited on L1, not on L2 yet: {open_text(deposit.mint)} OPEN are on their way",
    ]


def _lines(begun: Begun, held: Snapshot, status: WithdrawalStatus) -> list[str]:
    withdrawal = begun.withdrawal
    lines = [
        f"withdrawal  0x{withdrawal.hash.hex()}",
        f"            {open_text(withdrawal.value)} OPEN to {checksum_address(withdrawal.target)}, "
        f"from L2 block {begun.l2_block}",
        f"status      {status.stage.value}",
    ]
    if status.is_proof_void:
        lines.append("            the output that it was proven against has been deleted")
    if status.stage in (Stage.WAITING_TO_PROVE, Stage.WAITING_TO_FINALIZE):
        lines.append(f"            for {awaited(begun, held, status)}")
    elif status.stage is not Stage.FINALIZED:
        step = "prove" if status.stage is Stage.READY_TO_PROVE else "finalize"
        lines.append(f"next: openrollup bridge {step}")
    return lines
