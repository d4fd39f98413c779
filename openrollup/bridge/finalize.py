"""`openrollup bridge finalize`: pay a proven withdrawal out on L1."""

from consensus.bridge.chain import Inclusion
from consensus.bridge.portal import WITHDRAWAL_FINALIZED_TOPIC, finalize_call
from consensus.bridge.status import Stage, WithdrawalStatus
from node.clock import Clock, SystemClock
from node.errors import ConfigError, OperationRefused
from node.types.primitives import checksum_address
from openrollup.bridge.account import Account
from openrollup.bridge.arguments import open_text
from openrollup.bridge.result import show
from openrollup.bridge.step import Step, StepOptions, awaited, open_step, shown_status, too_early
from openrollup.bridge.waiting import Awaited, wait_for
from openrollup.datadir import read_key


async def run_finalize(options: StepOptions, clock: Clock | None = None) -> int:
    """Finalize a withdrawal; done already is done. 1 if what it was to call on L1 failed."""
    clock = clock or SystemClock()
    if options.key_file is None:
        raise ConfigError("--key-file: expected the key that pays on L1")
    key = read_key(options.key_file)
    async with open_step(options) as step:
        account = Account(step.portal.l1, key, clock, layer="L1", coin="ether")
        status = await _turn(options, step, clock)
        if status.stage is Stage.FINALIZED:
            show(shown_status(step.begun, status), ["already finalized"], json=options.json)
            return 0
        data = finalize_call(step.begun.withdrawal)
        sent, inclusion = await account.send("finalizing the withdrawal", step.portal.address, data)
        _, status = await step.look()
    is_success = _is_success(step, inclusion)
    result = shown_status(step.begun, status)
    result |= {"l1Transaction": "0x" + sent.hex(), "success": is_success}
    withdrawal = step.begun.withdrawal
    paid = f"{open_text(withdrawal.value)} OPEN at {checksum_address(withdrawal.target)} on L1"
    if not is_success:
        paid += "; the call that came with them failed, and is not repeated"
    show(result, [f"L1 transaction  0x{sent.hex()}", paid], json=options.json)
    return 0 if is_success else 1


async def _turn(options: StepOptions, step: Step, clock: Clock) -> WithdrawalStatus:
    """Return how things stand once the withdrawal can be finalized, or has been."""

    async def look() -> WithdrawalStatus | Awaited:
        held, status = await step.look()
        if status.stage in (Stage.WAITING_TO_PROVE, Stage.READY_TO_PROVE):
            if status.is_proof_void:
                raise OperationRefused(
                    "the output that the withdrawal was proven against has been deleted: prove "
                    "it again (openrollup bridge prove)"
                )
            raise OperationRefused("not proven yet: openrollup bridge prove comes first")
        if status.stage is not Stage.WAITING_TO_FINALIZE:
            return status
        if not options.wait:
            raise too_early(step.begun, held, status)
        return awaited(step.begun, held, status)

    return await wait_for(look, clock)


def _is_success(step: Step, inclusion: Inclusion) -> bool:
    """Return whether the call that came with the payment succeeded, if there was one."""
    expected = (WITHDRAWAL_FINALIZED_TOPIC, step.begun.withdrawal.hash)
    for placed in inclusion.logs:
        if placed.log.address == step.portal.address and placed.log.topics == expected:
            return any(placed.log.data)
    raise OperationRefused("the portal has not said that it finalized the withdrawal: see status")
