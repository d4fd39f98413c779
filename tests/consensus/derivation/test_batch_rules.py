"""Each rule for singular batches, and their order."""

from dataclasses import replace

import pytest

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.codec.batch import SingularBatch
from consensus.config import SEQUENCER_DRIFT_S, RollupConfig
from consensus.derivation.batch_rules import Judgement, Verdict, judge_batch
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, keccak256
from tests.consensus.rollup import rollup_config
from tests.fakes.l1_source import FakeL1

WINDOW = 10
T0 = 1_000_000
TX = b"\x02transaction"


def l1_block(number: int, timestamp: int | None = None) -> L1BlockRef:
    if timestamp is None:
        timestamp = T0 + 12 * number
    block_hash = keccak256(number.to_bytes(8, "big"))
    return L1BlockRef(block_hash, BlockNumber(number), keccak256(b"parent"), timestamp)


EPOCH, NEXT, SECOND_NEXT = l1_block(5), l1_block(6), l1_block(7)
PARENT = L2BlockRef(
    keccak256(b"parent"), BlockNumber(30), keccak256(b""), EPOCH.timestamp + 12, EPOCH.ref, 6
)
GOOD = SingularBatch(PARENT.hash, EPOCH.ref, PARENT.timestamp + 2, (TX,))


@pytest.fixture
def config() -> RollupConfig:
    return rollup_config(FakeL1(), seq_window_size=WINDOW)


def judge(
    config: RollupConfig,
    batch: SingularBatch,
    *,
    epochs: tuple[L1BlockRef, ...] = (EPOCH, NEXT),
    parent: L2BlockRef = PARENT,
    inclusion: L1BlockRef = SECOND_NEXT,
) -> Judgement:
    return judge_batch(config, epochs, parent, batch, inclusion)


@pytest.mark.parametrize(
    "batch",
    [
        GOOD,
        replace(GOOD, transactions=()),
        replace(GOOD, epoch=NEXT.ref),
        replace(GOOD, transactions=(TX, b"\xf8legacy", b"\x04set code", b"\x03blob", b"\x7f?")),
    ],
)
def test_good_batches(config: RollupConfig, batch: SingularBatch) -> None:
    assert judge(config, batch) == Judgement(Verdict.ACCEPT)


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (replace(GOOD, timestamp=GOOD.timestamp + 2), "got a later one"),
        (replace(GOOD, timestamp=GOOD.timestamp + 1), "got a later one"),
        (replace(GOOD, parent_hash=keccak256(b"?")), "expected parent"),
        (replace(GOOD, epoch=l1_block(4).ref), "expected epoch 5 or the next one, got 4"),
        (replace(GOOD, epoch=l1_block(7).ref), "expected epoch 5 or the next one, got 7"),
        (
            replace(GOOD, epoch=BlockRef(keccak256(b"?"), EPOCH.number)),
            "epoch 5: expected L1 block",
        ),
        (replace(GOOD, epoch=BlockRef(keccak256(b"?"), NEXT.number)), "epoch 6: expected L1 block"),
        (replace(GOOD, transactions=(TX, b"")), "transaction 1 is empty"),
        (replace(GOOD, transactions=(TX, b"\x7edeposit")), "transaction 1 is a deposit"),
    ],
)
def test_dropped_batches(config: RollupConfig, batch: SingularBatch, reason: str) -> None:
    judgement = judge(config, batch)
    assert judgement.verdict is Verdict.DROP
    assert reason in judgement.reason


@pytest.mark.parametrize("earlier", [1, 2, 3, 1000])
def test_past_batches(config: RollupConfig, earlier: int) -> None:
    # Whatever else is wrong with it: what is past is past.
    batch = replace(
        GOOD,
        timestamp=GOOD.timestamp - earlier,
        parent_hash=keccak256(b"?"),
        epoch=l1_block(1).ref,
        transactions=(b"",),
    )
    assert judge(config, batch).verdict is Verdict.PAST


def test_sequencing_window(config: RollupConfig) -> None:
    last = l1_block(EPOCH.number + WINDOW)
    assert judge(config, GOOD, inclusion=last).verdict is Verdict.ACCEPT
    late = judge(config, GOOD, inclusion=l1_block(last.number + 1))
    assert late.verdict is Verdict.DROP
    assert "its sequencing window of 10 L1 blocks is over" in late.reason
    assert (
        judge(config, replace(GOOD, epoch=NEXT.ref), inclusion=l1_block(last.number + 1)).verdict
        is Verdict.ACCEPT
    )


def test_time_before_the_origin(config: RollupConfig) -> None:
    young = l1_block(6, GOOD.timestamp + 1)
    judgement = judge(config, replace(GOOD, epoch=young.ref), epochs=(EPOCH, young))
    assert judgement.verdict is Verdict.DROP
    assert "expected one from that of epoch 6" in judgement.reason


def test_unknown_next_epoch(config: RollupConfig) -> None:
    judgement = judge(config, replace(GOOD, epoch=NEXT.ref), epochs=(EPOCH,))
    assert judgement == Judgement(Verdict.UNDECIDED, "epoch 6 is not known yet")


def test_set_code_before_isthmus() -> None:
    config = rollup_config(FakeL1(), isthmus=False)
    judgement = judge(config, replace(GOOD, transactions=(b"\x04set code",)))
    assert judgement.verdict is Verdict.DROP
    assert "type 4 is not active before Isthmus" in judgement.reason


def drifted(seconds: int) -> tuple[L2BlockRef, SingularBatch]:
    """Return a parent, and a batch that is `seconds` after the epoch."""
    parent = replace(PARENT, timestamp=EPOCH.timestamp + seconds - 2)
    return parent, replace(GOOD, timestamp=EPOCH.timestamp + seconds)


@pytest.mark.parametrize(
    ("seconds", "is_empty", "next_delay", "verdict"),
    [
        (SEQUENCER_DRIFT_S, False, 12, Verdict.ACCEPT),
        (SEQUENCER_DRIFT_S + 1, False, 12, Verdict.DROP),
        (SEQUENCER_DRIFT_S + 1, False, 5000, Verdict.DROP),
        (SEQUENCER_DRIFT_S + 1, True, 12, Verdict.DROP),
        (SEQUENCER_DRIFT_S + 1, True, SEQUENCER_DRIFT_S + 1, Verdict.DROP),
        (SEQUENCER_DRIFT_S + 1, True, SEQUENCER_DRIFT_S + 2, Verdict.ACCEPT),
        (SEQUENCER_DRIFT_S + 1, True, None, Verdict.UNDECIDED),
    ],
)
def test_drift_in_the_current_epoch(
    config: RollupConfig, seconds: int, is_empty: bool, next_delay: int | None, verdict: Verdict
) -> None:
    parent, batch = drifted(seconds)
    if is_empty:
        batch = replace(batch, transactions=())
    epochs: tuple[L1BlockRef, ...] = (EPOCH,)
    if next_delay is not None:
        epochs = (EPOCH, l1_block(6, EPOCH.timestamp + next_delay))
    assert judge(config, batch, parent=parent, epochs=epochs).verdict is verdict


@pytest.mark.parametrize(("is_empty", "verdict"), [(True, Verdict.ACCEPT), (False, Verdict.DROP)])
def test_drift_when_the_epoch_advances(
    config: RollupConfig, is_empty: bool, verdict: Verdict
) -> None:
    parent, batch = drifted(5000)
    transactions = () if is_empty else (TX,)
    batch = replace(batch, epoch=NEXT.ref, transactions=transactions)
    assert judge(config, batch, parent=parent).verdict is verdict
