from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.bridge.portal import ProposedOutput, ProvenWithdrawal, Snapshot
from consensus.bridge.status import Stage, WithdrawalStatus, withdrawal_status
from node.types.primitives import Hash32

ROOT, OTHER = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)
PERIOD_S = 100
BEGUN = Snapshot(
    time=1_000,
    finalization_period_s=PERIOD_S,
    is_finalized=False,
    proven=None,
    proven_output=None,
    covering=None,
    due_block=20,
    due=1_012,
)
COVERED = replace(BEGUN, covering=(1, ProposedOutput(ROOT, 1_015, 20)))
PROVEN = replace(
    COVERED,
    time=1_030,
    proven=ProvenWithdrawal(ROOT, 1_020, 1),
    proven_output=ProposedOutput(ROOT, 1_015, 20),
)


def test_the_stages_in_their_order() -> None:
    assert withdrawal_status(BEGUN) == WithdrawalStatus(Stage.WAITING_TO_PROVE, 12, False)
    assert withdrawal_status(COVERED) == WithdrawalStatus(Stage.READY_TO_PROVE, 0, False)
    assert withdrawal_status(PROVEN) == WithdrawalStatus(Stage.WAITING_TO_FINALIZE, 91, False)
    ripe = replace(PROVEN, time=1_121)
    assert withdrawal_status(ripe) == WithdrawalStatus(Stage.READY_TO_FINALIZE, 0, False)
    done = replace(ripe, is_finalized=True)
    assert withdrawal_status(done) == WithdrawalStatus(Stage.FINALIZED, 0, False)


def test_a_period_is_over_when_it_is_exceeded() -> None:
    on_the_dot = replace(PROVEN, time=1_120)
    assert withdrawal_status(on_the_dot) == WithdrawalStatus(Stage.WAITING_TO_FINALIZE, 1, False)


def test_a_late_output_still_takes_a_second() -> None:
    late = replace(BEGUN, time=5_000)
    assert withdrawal_status(late) == WithdrawalStatus(Stage.WAITING_TO_PROVE, 1, False)


@pytest.mark.parametrize(
    ("proven_output", "covering", "stage"),
    [
        (None, None, Stage.WAITING_TO_PROVE),
        (None, (0, ProposedOutput(OTHER, 1_050, 20)), Stage.READY_TO_PROVE),
        (
            ProposedOutput(OTHER, 1_050, 20),
            (1, ProposedOutput(OTHER, 1_050, 20)),
            Stage.READY_TO_PROVE,
        ),
    ],
    ids=["deleted", "deleted, and another", "replaced"],
)
def test_a_proof_against_an_output_that_is_gone(
    proven_output: ProposedOutput | None, covering: tuple[int, ProposedOutput] | None, stage: Stage
) -> None:
    held = replace(PROVEN, time=2_000, proven_output=proven_output, covering=covering)
    status = withdrawal_status(held)
    assert (status.stage, status.is_proof_void) == (stage, True)


def test_an_output_that_was_proposed_again_is_younger_than_the_proof() -> None:
    again = replace(PROVEN, proven_output=ProposedOutput(ROOT, 1_029, 20))
    assert withdrawal_status(again) == WithdrawalStatus(Stage.WAITING_TO_FINALIZE, 100, False)


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 1_000), st.integers(0, 5_000))
def test_it_is_ready_once_the_wait_is_over(
    proof_time: int, output_time: int, period_s: int, time: int
) -> None:
    held = replace(
        PROVEN,
        time=time,
        finalization_period_s=period_s,
        proven=ProvenWithdrawal(ROOT, proof_time, 1),
        proven_output=ProposedOutput(ROOT, output_time, 20),
    )
    status = withdrawal_status(held)
    assert (status.wait_s == 0) == (status.stage is Stage.READY_TO_FINALIZE)
    later = withdrawal_status(replace(held, time=time + status.wait_s))
    assert later.stage is Stage.READY_TO_FINALIZE
    if status.wait_s:
        before = withdrawal_status(replace(held, time=time + status.wait_s - 1))
        assert before.stage is Stage.WAITING_TO_FINALIZE
