"""The rules that a span batch must meet as a whole, before its blocks are judged one by one.

Source: specs/protocol/holocene/derivation, "Span Batches": only the prefix is checked, so that a
bad block takes the rest of its span with it, and not what comes before it.
"""

from collections.abc import Sequence

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.codec.span_batch import CHECK_SIZE, SpanBatch
from consensus.config import RollupConfig
from consensus.derivation.batch_rules import ACCEPTED, Judgement, Verdict, dropped


def judge_span_place(config: RollupConfig, safe: L2BlockRef, span: SpanBatch) -> Judgement:
    """Judge by its timestamps alone whether a span batch can go on from the safe chain."""
    expected = safe.timestamp + config.block_time
    if span.first_timestamp > expected:
        return dropped(f"expected first timestamp {expected} at most, got {span.first_timestamp}")
    if span.last_timestamp < expected:
        return Judgement(
            Verdict.PAST, f"expected last timestamp {expected} or more, got {span.last_timestamp}"
        )
    if (expected - span.first_timestamp) % config.block_time:
        return dropped(
            f"timestamp {span.first_timestamp}: expected one that is a multiple of "
            f"{config.block_time} s before {expected}"
        )
    return ACCEPTED


def span_overlap(config: RollupConfig, safe: L2BlockRef, span: SpanBatch) -> int:
    """Return how many of the first blocks of a span, whose place is right, are safe already."""
    return (safe.timestamp + config.block_time - span.first_timestamp) // config.block_time


def judge_span(
    config: RollupConfig,
    epochs: Sequence[L1BlockRef],
    safe: L2BlockRef,
    parent: L2BlockRef,
    span: SpanBatch,
    inclusion: L1BlockRef,
) -> Judgement:
    """Judge a span batch whose place is right, on `parent`, the safe block before its first one.

    `safe` is the safe head, `epochs` and `inclusion` are what `judge_batch` takes.
    """
    return (
        _judge_span_parent(parent, span)
        or _judge_span_epochs(config, epochs, parent, span, inclusion)
        or _judge_span_expansion(config, epochs, safe, span)
        or ACCEPTED
    )


def _judge_span_parent(parent: L2BlockRef, span: SpanBatch) -> Judgement | None:
    if span.parent_check != parent.hash[:CHECK_SIZE]:
        return dropped(
            f"expected a parent 0x{parent.hash[:CHECK_SIZE].hex()}.., "
            f"got 0x{span.parent_check.hex()}.."
        )
    return None


def _judge_span_epochs(
    config: RollupConfig,
    epochs: Sequence[L1BlockRef],
    parent: L2BlockRef,
    span: SpanBatch,
    inclusion: L1BlockRef,
) -> Judgement | None:
    first, last, origin = span.first_epoch, span.last_epoch, parent.l1_origin
    if first + config.seq_window_size < inclusion.number:
        return dropped(
            f"epoch {first}: its sequencing window of {config.seq_window_size} L1 blocks is over "
            f"at L1 block {inclusion.number}"
        )
    if first > origin.number + 1:
        return dropped(f"expected epoch {origin.number} or the next one, got {first}")
    if not epochs[0].number <= last <= epochs[-1].number:
        return Judgement(
            Verdict.UNDECIDED,
            f"expected a last epoch of {epochs[0].number} to {epochs[-1].number}, got {last}",
        )
    known = epochs[last - epochs[0].number]
    if span.l1_origin_check != known.hash[:CHECK_SIZE]:
        return dropped(
            f"epoch {last}: expected L1 block 0x{known.hash[:CHECK_SIZE].hex()}.., "
            f"got 0x{span.l1_origin_check.hex()}.."
        )
    if first < origin.number:
        return dropped(f"expected epoch {origin.number} or the next one, got {first}")
    return None


def _judge_span_expansion(
    config: RollupConfig, epochs: Sequence[L1BlockRef], safe: L2BlockRef, span: SpanBatch
) -> Judgement | None:
    """All epochs of the new blocks must be at hand; that the last one is has been checked."""
    first = span.epoch_at(span_overlap(config, safe, span))
    if first < epochs[0].number:
        return dropped(f"expected epoch {epochs[0].number} or a later one, got {first}")
    return None
