"""The rules that a singular batch must meet to become the next L2 block.

Source: specs/protocol/derivation, "Batch Queue", as changed by Holocene.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.codec.batch import SingularBatch
from consensus.config import SEQUENCER_DRIFT_S, RollupConfig
from node.types.transaction import DEPOSIT, SET_CODE


class Verdict(Enum):
    """What becomes of a batch."""

    ACCEPT = "accept"
    PAST = "past"
    """It is for a block that is already safe: skip it, the channel goes on."""

    DROP = "drop"
    """It is invalid, and with it what is left of its channel."""

    UNDECIDED = "undecided"
    """An L1 or L2 block must be known first."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict; `reason` is empty for an accepted batch."""

    verdict: Verdict
    reason: str = ""


ACCEPTED = Judgement(Verdict.ACCEPT)


def judge_batch(
    config: RollupConfig,
    epochs: Sequence[L1BlockRef],
    parent: L2BlockRef,
    batch: SingularBatch,
    inclusion: L1BlockRef,
) -> Judgement:
    """Judge a batch that would follow `parent` and whose channel ended in L1 block `inclusion`.

    `epochs` begins with the current epoch, then the L1 blocks after it as far as they are known.
    """
    return (
        _judge_place(config, parent, batch)
        or _judge_epoch(config, epochs, batch, inclusion)
        or _judge_drift(epochs, batch)
        or _judge_transactions(config, batch)
        or ACCEPTED
    )


def _judge_place(
    config: RollupConfig, parent: L2BlockRef, batch: SingularBatch
) -> Judgement | None:
    expected = parent.timestamp + config.block_time
    if batch.timestamp > expected:
        return dropped(f"expected timestamp {expected}, got a later one, {batch.timestamp}")
    if batch.timestamp < expected:
        return Judgement(
            Verdict.PAST, f"expected timestamp {expected}, got an earlier one, {batch.timestamp}"
        )
    if batch.parent_hash != parent.hash:
        return dropped(f"expected parent 0x{parent.hash.hex()}, got 0x{batch.parent_hash.hex()}")
    return None


def _judge_epoch(
    config: RollupConfig,
    epochs: Sequence[L1BlockRef],
    batch: SingularBatch,
    inclusion: L1BlockRef,
) -> Judgement | None:
    current, number = epochs[0], batch.epoch.number
    if number + config.seq_window_size < inclusion.number:
        return dropped(
            f"epoch {number}: its sequencing window of {config.seq_window_size} L1 blocks is over "
            f"at L1 block {inclusion.number}"
        )
    if not current.number <= number <= current.number + 1:
        return dropped(f"expected epoch {current.number} or the next one, got {number}")
    if number == current.number + 1 and len(epochs) < 2:
        return Judgement(Verdict.UNDECIDED, f"epoch {number} is not known yet")
    origin = epochs[number - current.number]
    if batch.epoch.hash != origin.hash:
        return dropped(
            f"epoch {number}: expected L1 block 0x{origin.hash.hex()}, "
            f"got 0x{batch.epoch.hash.hex()}"
        )
    if batch.timestamp < origin.timestamp:
        return dropped(
            f"timestamp {batch.timestamp}: expected one from that of epoch {number}, "
            f"{origin.timestamp}"
        )
    return None


def _judge_drift(epochs: Sequence[L1BlockRef], batch: SingularBatch) -> Judgement | None:
    current = epochs[0]
    origin = epochs[batch.epoch.number - current.number]
    if batch.timestamp <= origin.timestamp + SEQUENCER_DRIFT_S:
        return None
    if batch.transactions:
        return dropped(
            f"timestamp {batch.timestamp}: more than {SEQUENCER_DRIFT_S} s after epoch "
            f"{origin.number} ({origin.timestamp}), and the batch is not empty"
        )
    if origin.number != current.number:
        return None
    if len(epochs) < 2:
        return Judgement(Verdict.UNDECIDED, f"epoch {current.number + 1} is not known yet")
    if batch.timestamp >= epochs[1].timestamp:
        return dropped(
            f"timestamp {batch.timestamp}: beyond the sequencer drift, expected the batch to adopt "
            f"epoch {epochs[1].number} ({epochs[1].timestamp})"
        )
    return None


def _judge_transactions(config: RollupConfig, batch: SingularBatch) -> Judgement | None:
    for index, raw in enumerate(batch.transactions):
        if not raw:
            return dropped(f"transaction {index} is empty")
        if raw[0] == DEPOSIT:
            return dropped(f"transaction {index} is a deposit")
        if raw[0] == SET_CODE and not config.is_isthmus(batch.timestamp):
            return dropped(f"transaction {index}: type 4 is not active before Isthmus")
    return None


def dropped(reason: str) -> Judgement:
    """Return the verdict on an invalid batch."""
    return Judgement(Verdict.DROP, reason)
