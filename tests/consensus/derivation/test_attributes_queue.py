"""Attributes out of batches, and the fallback for invalid blocks."""

from dataclasses import replace

import pytest

from consensus.attributes import AttributesBuilder
from consensus.codec.batch import SingularBatch
from consensus.derivation.attributes_queue import AttributesQueue
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.derivation.outcomes import Drained
from node.errors import CriticalError, ResetError, TemporaryError
from node.types.primitives import keccak256
from tests.consensus.actors import Sequencer
from tests.consensus.derivation.stages import Stages, make_stages
from tests.consensus.rollup import L1_CHAIN, chain_config, publish, rollup_config
from tests.fakes.l1_source import FakeL1


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def sequencer(l1: FakeL1) -> Sequencer:
    return Sequencer(rollup_config(l1), l1)


@pytest.fixture
def stages(l1: FakeL1, sequencer: Sequencer) -> Stages:
    return make_stages(sequencer.config, l1)


@pytest.fixture
def queue(l1: FakeL1, sequencer: Sequencer, stages: Stages) -> AttributesQueue:
    config = sequencer.config
    attributes = AttributesBuilder(config, chain_config(config), L1_CHAIN, l1)
    return AttributesQueue(config, attributes, sequencer.l2, stages.validator)


async def first_attributes(
    queue: AttributesQueue, stages: Stages, sequencer: Sequencer
) -> DerivedAttributes:
    """Advance until there are attributes on genesis."""
    while True:
        derived = await queue.next_attributes(sequencer.l2.genesis)
        if isinstance(derived, DerivedAttributes):
            return derived
        await stages.traversal.advance()


async def test_attributes_of_a_batch(
    l1: FakeL1, queue: AttributesQueue, stages: Stages, sequencer: Sequencer
) -> None:
    batch = await sequencer.build(transactions=2)
    included = l1.mine(publish(sequencer.channel([batch])))
    derived = await first_attributes(queue, stages, sequencer)
    assert derived.derived_from == included
    assert (derived.parent, derived.epoch) == (sequencer.l2.genesis, batch.epoch)
    raws = tuple(tx.raw for tx in derived.attributes.transactions)
    assert raws[1:] == batch.transactions
    assert not derived.is_deposits_only
    sealed = sequencer.l2.seal(derived.parent, derived.attributes)
    assert sealed == sequencer.head
    assert await queue.next_attributes(sealed) == Drained(included)


async def test_invalidation(
    l1: FakeL1, queue: AttributesQueue, stages: Stages, sequencer: Sequencer
) -> None:
    batches = await sequencer.build_many(2)
    l1.mine(publish(sequencer.channel(batches)))
    derived = await first_attributes(queue, stages, sequencer)
    fallback = queue.invalidate()
    assert fallback == derived.deposits_only()
    assert fallback.is_deposits_only
    assert fallback.attributes.transactions == derived.attributes.transactions[:1]
    assert fallback.attributes.extra_data == derived.attributes.extra_data
    with pytest.raises(CriticalError, match="the block of L1's deposits alone is invalid"):
        queue.invalidate()
    sealed = sequencer.l2.seal(derived.parent, fallback.attributes)
    assert isinstance(await queue.next_attributes(sealed), Drained)


async def test_nothing_to_invalidate(queue: AttributesQueue) -> None:
    with pytest.raises(CriticalError, match="there are none"):
        queue.invalidate()


@pytest.mark.parametrize("garbage", [b"\x02garbage", b"\xc0", b"\x05", b"\xff", b"\x03\xc0"])
async def test_bytes_that_are_no_transaction(
    l1: FakeL1, queue: AttributesQueue, stages: Stages, sequencer: Sequencer, garbage: bytes
) -> None:
    batch, following = await sequencer.build_many(2)
    bad = replace(batch, transactions=(*batch.transactions, garbage))
    l1.mine(publish(sequencer.channel([bad, following])))
    derived = await first_attributes(queue, stages, sequencer)
    assert derived.is_deposits_only
    sealed = sequencer.l2.seal(derived.parent, derived.attributes)
    assert isinstance(await queue.next_attributes(sealed), Drained)


async def test_temporary_failure_loses_nothing(
    l1: FakeL1, queue: AttributesQueue, stages: Stages, sequencer: Sequencer
) -> None:
    batch = await sequencer.build()
    l1.mine(publish(sequencer.channel([batch])))
    assert isinstance(await queue.next_attributes(sequencer.l2.genesis), Drained)
    await stages.traversal.advance()
    for read in range(2):  # of the block with the channel, then of the origin's header
        l1.fail(1, after=read)
        with pytest.raises(TemporaryError):
            await queue.next_attributes(sequencer.l2.genesis)
    derived = await first_attributes(queue, stages, sequencer)
    assert tuple(tx.raw for tx in derived.attributes.transactions[1:]) == batch.transactions


async def test_batch_kept_for_another_parent(
    l1: FakeL1, queue: AttributesQueue, stages: Stages, sequencer: Sequencer
) -> None:
    batch: SingularBatch = await sequencer.build()
    l1.mine(publish(sequencer.channel([batch])))
    genesis = sequencer.l2.genesis
    await queue.next_attributes(genesis)
    await stages.traversal.advance()
    l1.fail(1, after=1)
    with pytest.raises(TemporaryError):
        await queue.next_attributes(genesis)
    with pytest.raises(ResetError, match="batch for L2 block 1: expected parent"):
        await queue.next_attributes(replace(genesis, hash=keccak256(b"other")))


async def test_reset(
    l1: FakeL1, queue: AttributesQueue, stages: Stages, sequencer: Sequencer
) -> None:
    batch = await sequencer.build()
    l1.mine(publish(sequencer.channel([batch])))
    derived = await first_attributes(queue, stages, sequencer)
    queue.reset(stages.start)
    assert queue.current_l1 == l1.genesis
    with pytest.raises(CriticalError, match="there are none"):
        queue.invalidate()
    assert await first_attributes(queue, stages, sequencer) == derived
