"""How far a withdrawal has come, decided from what L1 holds about it."""

from dataclasses import dataclass
from enum import Enum

from consensus.bridge.portal import Snapshot


class Stage(Enum):
    """The steps of a withdrawal after it has begun on L2, in viem's words."""

    WAITING_TO_PROVE = "waiting-to-prove"
    READY_TO_PROVE = "ready-to-prove"
    WAITING_TO_FINALIZE = "waiting-to-finalize"
    READY_TO_FINALIZE = "ready-to-finalize"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True)
class WithdrawalStatus:
    """`wait_s` is about how long the next step has to wait, in seconds; 0 if it need not.

    `is_proof_void` says that it had been proven, and the output that it was proven against has
    been deleted or replaced since.
    """

    stage: Stage
    wait_s: int
    is_proof_void: bool


def withdrawal_status(held: Snapshot) -> WithdrawalStatus:
    """Return the stage of the withdrawal that `held` is about."""
    if held.is_finalized:
        return WithdrawalStatus(Stage.FINALIZED, 0, is_proof_void=False)
    proven, output = held.proven, held.proven_output
    if proven is not None and output is not None and output.root == proven.output_root:
        # Both periods count: an output may be younger than a proof if it was proposed again. Final
        # is what is older than the period, not as old.
        final_at = max(proven.timestamp, output.timestamp) + held.finalization_period_s + 1
        wait_s = max(0, final_at - held.time)
        stage = Stage.WAITING_TO_FINALIZE if wait_s else Stage.READY_TO_FINALIZE
        return WithdrawalStatus(stage, wait_s, is_proof_void=False)
    is_proof_void = proven is not None
    if held.covering is not None:
        return WithdrawalStatus(Stage.READY_TO_PROVE, 0, is_proof_void)
    return WithdrawalStatus(Stage.WAITING_TO_PROVE, max(1, held.due - held.time), is_proof_void)
