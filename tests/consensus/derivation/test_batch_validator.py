"""The batches that continue the safe chain, and the empty ones that L1 forces."""

from dataclasses import replace

import pytest

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.codec.batch import SingularBatch
from consensus.config import RollupConfig
from consensus.derivation.outcomes import Drained
from node.errors import CriticalError, ResetError
from node.types.primitives import BlockNumber, keccak256
from tests.consensus.actors import Sequencer
from tests.consensus.derivation.stages import Stages, make_stages
from tests.consensus.rollup import publish, rollup_config
from tests.fakes.l1_source import FakeL1

WINDOW = 4


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1(block_time=4)


@pytest.fixture
def config(l1: FakeL1) -> RollupConfig:
    return rollup_config(l1, seq_window_size=WINDOW)


@pytest.fixture
def stages(config: RollupConfig, l1: FakeL1) -> Stages:
    return make_stages(config, l1)


@pytest.fixture
def sequencer(config: RollupConfig, l1: FakeL1) -> Sequencer:
    return Sequencer(config, l1)


def child(parent: L2BlockRef, batch: SingularBatch) -> L2BlockRef:
    """Return what the block of a batch looks like to the validator."""
    same = batch.epoch == parent.l1_origin
    return L2BlockRef(
        keccak256(batch.encode()),
        BlockNumber(parent.number + 1),
        parent.hash,
        batch.timestamp,
        batch.epoch,
        parent.sequence_number + 1 if same else 0,
    )


async def derive(
    stages: Stages, parent: L2BlockRef, *, advance: bool = True
) -> tuple[list[SingularBatch], L2BlockRef]:
    """Take all batches that L1 yields, one on the other."""
    found = []
    while True:
        batch = await stages.validator.next_batch(parent)
        if isinstance(batch, SingularBatch):
            found.append(batch)
            parent = child(parent, batch)
        elif not advance or not isinstance(await stages.traversal.advance(), L1BlockRef):
            return found, parent


async def test_batches_follow_each_other(l1: FakeL1, stages: Stages, sequencer: Sequencer) -> None:
    l1.mine_empty(2)
    await sequencer.build_many(5)
    l1.mine(publish(sequencer.channel(sequencer.batches)))
    heads = sorted(sequencer.l2.refs.values(), key=lambda ref: ref.number)
    found = []
    for parent in heads[:-1]:
        while isinstance(batch := await stages.validator.next_batch(parent), Drained):
            await stages.traversal.advance()
        found.append(batch)
    assert found == sequencer.batches
    assert await stages.validator.next_batch(heads[-1]) == Drained(l1.head)


async def test_batches_up_to_the_parents_origin_are_discarded(
    l1: FakeL1, stages: Stages, sequencer: Sequencer
) -> None:
    first = await sequencer.build()
    l1.mine(publish(sequencer.channel([first])))
    parent = replace(sequencer.l2.genesis, l1_origin=l1.head.ref)
    assert isinstance(await stages.validator.next_batch(parent), Drained)
    await stages.traversal.advance()
    # Timestamp and parent would fit, but the batch does not lie after its parent's origin.
    assert await stages.validator.next_batch(parent) == Drained(l1.head)


async def test_window_expiry_forces_empty_batches(
    l1: FakeL1, stages: Stages, sequencer: Sequencer
) -> None:
    l1.mine_empty(WINDOW - 1)
    found, parent = await derive(stages, sequencer.l2.genesis)
    assert found == []
    last = l1.mine()
    found, parent = await derive(stages, parent)
    # 4 s of L1 time per epoch are two L2 blocks; genesis is the first of its epoch.
    assert [batch.epoch for batch in found] == [l1.genesis.ref]
    assert found[0].transactions == ()
    assert found[0].timestamp == l1.genesis.timestamp + 2
    assert stages.validator.current_l1 == last
    l1.mine()
    found, parent = await derive(stages, parent)
    assert [batch.epoch.number for batch in found] == [101, 101]
    assert [batch.timestamp for batch in found] == [l1.at(101).timestamp, l1.at(101).timestamp + 2]
    l1.mine_empty(3)
    found, parent = await derive(stages, parent)
    assert [batch.epoch.number for batch in found] == [102, 102, 103, 103, 104, 104]


async def test_every_epoch_gets_a_block_when_l1_is_faster(l1: FakeL1) -> None:
    config = rollup_config(l1, seq_window_size=WINDOW)
    stages = make_stages(config, l1)
    for _ in range(WINDOW + 5):
        l1.mine(timestamp=l1.head.timestamp + 1)
    genesis = Sequencer(config, l1).l2.genesis
    found, _ = await derive(stages, genesis)
    numbers = [batch.epoch.number for batch in found]
    assert numbers == sorted(set(numbers))
    assert numbers == list(range(101, 101 + len(numbers)))


async def test_batch_in_the_last_block_of_its_window(
    l1: FakeL1, stages: Stages, sequencer: Sequencer
) -> None:
    l1.mine_empty(WINDOW - 1)
    batch = await sequencer.build()
    l1.mine(publish(sequencer.channel([batch])))
    found, _ = await derive(stages, sequencer.l2.genesis)
    assert found == [batch]
    assert found[0].transactions != ()


async def test_batch_after_its_window(l1: FakeL1, stages: Stages, sequencer: Sequencer) -> None:
    l1.mine_empty(WINDOW)
    batch = await sequencer.build()
    l1.mine(publish(sequencer.channel([batch])))
    found, _ = await derive(stages, sequencer.l2.genesis)
    assert found[0] == replace(batch, transactions=())


async def test_invalid_batch_drops_its_channel_only(
    l1: FakeL1, stages: Stages, sequencer: Sequencer
) -> None:
    one, two = await sequencer.build_many(2)
    bad = replace(one, transactions=(b"",))
    l1.mine(publish(sequencer.channel([bad, one, two])), publish(sequencer.channel([one])))
    found, _ = await derive(stages, sequencer.l2.genesis)
    assert found == [one]


async def test_epochs_that_do_not_fit_the_parent(
    l1: FakeL1, stages: Stages, sequencer: Sequencer
) -> None:
    l1.mine_empty(2)
    genesis = sequencer.l2.genesis
    other = replace(genesis.l1_origin, hash=keccak256(b"another block 100"))
    await derive(stages, genesis)
    with pytest.raises(ResetError, match="expected an L1 origin at block 100"):
        await stages.validator.next_batch(replace(genesis, l1_origin=other))
    older = replace(genesis.l1_origin, number=BlockNumber(90))
    with pytest.raises(ResetError, match="expected an L1 origin at block 100"):
        await stages.validator.next_batch(replace(genesis, l1_origin=older))


async def test_pipeline_started_too_late(l1: FakeL1, stages: Stages, sequencer: Sequencer) -> None:
    late = l1.mine_empty(3)
    stages.validator.reset(replace(stages.start, current_l1=late))
    with pytest.raises(CriticalError, match="expected to have passed the origin 100"):
        await stages.validator.next_batch(sequencer.l2.genesis)


async def test_reset(l1: FakeL1, stages: Stages, sequencer: Sequencer) -> None:
    l1.mine_empty(2)
    await sequencer.build_many(3)
    l1.mine(publish(sequencer.channel(sequencer.batches)))
    genesis = sequencer.l2.genesis
    while isinstance(first := await stages.validator.next_batch(genesis), Drained):
        await stages.traversal.advance()
    stages.validator.reset(stages.start)
    assert stages.validator.current_l1 == l1.genesis
    assert await stages.validator.next_batch(genesis) == Drained(l1.genesis)
    found, _ = await derive(stages, genesis)
    assert found[:1] == [first]
