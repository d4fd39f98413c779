"""Span batches through the whole pipeline: what they mean, and what becomes of bad ones."""

from dataclasses import replace

import pytest

from consensus.codec.batch import SingularBatch
from consensus.codec.channel import Batch
from consensus.codec.span_batch import RawSpanBatch
from consensus.config import RollupConfig
from consensus.derivation.l1_traversal import PipelineStart
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.rollup import publish, rollup_config
from tests.fakes.l1_source import FakeL1


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1(block_time=4)


@pytest.fixture
def config(l1: FakeL1) -> RollupConfig:
    return rollup_config(l1)


@pytest.fixture
def sequencer(config: RollupConfig, l1: FakeL1) -> Sequencer:
    return Sequencer(config, l1)


@pytest.fixture
def verifier(config: RollupConfig, l1: FakeL1) -> Verifier:
    return Verifier(config, l1)


async def derived(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier, *batches: Batch
) -> list[int]:
    """Publish one channel, derive, and return how many user transactions each block has."""
    l1.mine(publish(sequencer.channel(batches)))
    before = len(verifier.derived)
    await verifier.derive()
    return [len(raws) for raws in verifier.user_transactions()[before:]]


async def test_a_span_is_its_singular_batches(
    l1: FakeL1, config: RollupConfig, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(4)
    batches = await sequencer.build_many(9)
    l1.mine(publish(sequencer.channel([sequencer.span(batches)])))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    other = Verifier(config, l1)
    await other.derive()
    assert other.safe_head == sequencer.head


async def test_spans_and_singular_batches_in_turn(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(8)
    contents = [sequencer.span(b[:3]), b[3], sequencer.span(b[4:5]), b[5], sequencer.span(b[6:])]
    l1.mine(publish(sequencer.channel(contents)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


async def test_overlapping_span(l1: FakeL1, sequencer: Sequencer, verifier: Verifier) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(8)
    assert await derived(l1, sequencer, verifier, *b[:3]) == [1, 1, 1]
    assert await derived(l1, sequencer, verifier, sequencer.span(b[:6])) == [1, 1, 1]
    assert await derived(l1, sequencer, verifier, sequencer.span(b[5:])) == [1, 1]
    assert verifier.safe_head == sequencer.head


async def test_past_span_leaves_the_channel_alone(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(5)
    await derived(l1, sequencer, verifier, *b[:3])
    past = sequencer.span(b[:3])
    assert await derived(l1, sequencer, verifier, past, sequencer.span(b[3:])) == [1, 1]


def broken(sequencer: Sequencer, batches: list[SingularBatch]) -> dict[str, RawSpanBatch]:
    """Return spans that are each wrong in one way."""
    span, later = sequencer.span(batches), sequencer.span(batches[1:])
    return {
        "future": later,
        "misaligned": replace(span, relative_timestamp=span.relative_timestamp - 1),
        "parent": replace(span, parent_check=bytes(20)),
        "last origin": replace(span, l1_origin_check=bytes(20)),
        "far epoch": replace(span, last_epoch=span.last_epoch + 3, l1_origin_check=bytes(20)),
    }


@pytest.mark.parametrize("fault", ["future", "misaligned", "parent", "last origin", "far epoch"])
async def test_a_bad_span_takes_its_channel_with_it(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier, fault: str
) -> None:
    l1.mine_empty(6)
    b = await sequencer.build_many(6)
    bad = broken(sequencer, b)[fault]
    assert await derived(l1, sequencer, verifier, bad, sequencer.span(b)) == []
    assert await derived(l1, sequencer, verifier, sequencer.span(b)) == [1] * 6
    assert verifier.safe_head == sequencer.head


async def test_unknown_last_epoch_skips_the_span_alone(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(2)
    b = await sequencer.build_many(6)
    span = sequencer.span(b)
    ahead = replace(span, last_epoch=l1.head.number + 4, origin_bits=0b111110)
    assert await derived(l1, sequencer, verifier, ahead, span) == [1] * 6


async def test_a_span_of_an_old_epoch(l1: FakeL1, sequencer: Sequencer, verifier: Verifier) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(6)
    await derived(l1, sequencer, verifier, *b[:4])
    span = sequencer.span(b[4:])
    # Its last epoch is known and fits, its first one is older than the parent's.
    epoch = b[3].epoch
    old = replace(span, origin_bits=0b11, last_epoch=epoch.number, l1_origin_check=epoch.hash[:20])
    assert await derived(l1, sequencer, verifier, old, sequencer.span(b[4:])) == []
    assert await derived(l1, sequencer, verifier, sequencer.span(b[4:])) == [1, 1]


async def test_a_span_that_ends_in_an_old_epoch_is_skipped_alone(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(6)
    await derived(l1, sequencer, verifier, *b[:4])
    old = sequencer.span([replace(b[4], epoch=b[0].epoch)])
    assert await derived(l1, sequencer, verifier, old, sequencer.span(b[4:])) == [1, 1]


async def test_a_span_after_its_window(
    l1: FakeL1, config: RollupConfig, sequencer: Sequencer, verifier: Verifier
) -> None:
    b = await sequencer.build_many(2)
    l1.mine_empty(config.seq_window_size)
    assert (await derived(l1, sequencer, verifier, sequencer.span(b)))[:2] == [0, 0]


async def test_a_bad_block_ends_its_span_and_not_what_came_before(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(6)
    verifier.refused_transactions = set(b[2].transactions)
    # Block 3 is replaced by its deposits, blocks 4 to 6 no longer follow anything.
    contents = [sequencer.span(b[:4]), sequencer.span(b[4:])]
    assert await derived(l1, sequencer, verifier, *contents) == [1, 1, 0]


async def test_a_block_beyond_the_drift_ends_its_span(
    l1: FakeL1, config: RollupConfig, verifier: Verifier
) -> None:
    sequencer = Sequencer(config, l1)
    origin = l1.genesis.ref
    b = [await sequencer.build(epoch=origin) for _ in range(902)]
    l1.mine(timestamp=l1.head.timestamp + 4000)
    counts = await derived(l1, sequencer, verifier, sequencer.span(b))
    assert counts == [1] * 900


async def test_a_span_up_to_the_block_that_includes_it(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(1)
    b = await sequencer.build_many(4)
    assert b[-1].epoch == l1.head.ref
    # The next L1 block is known to the pipeline before its batches are judged.
    assert await derived(l1, sequencer, verifier, sequencer.span(b)) == [1] * 4


async def test_a_parent_before_genesis_is_passed_over(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(3)
    span = sequencer.span(b)
    counts = (0, *span.tx_counts)
    early = replace(span, relative_timestamp=0, tx_counts=counts, origin_bits=span.origin_bits << 1)
    assert await derived(l1, sequencer, verifier, early, span) == [1, 1, 1]


async def test_invalidated_span_does_not_come_back_after_a_reset(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(4)
    b = await sequencer.build_many(4)
    l1.mine(publish(sequencer.channel([sequencer.span(b)])))
    first = None
    while first is None or not hasattr(first, "attributes"):
        first = await verifier.pipeline.next_attributes(verifier.safe_head)
    start = PipelineStart(l1.genesis, sequencer.config.genesis.system_config)
    verifier.pipeline.reset(start)
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
