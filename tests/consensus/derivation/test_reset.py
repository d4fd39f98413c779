"""Where to start deriving after L1 has changed."""

from dataclasses import replace

import pytest

from consensus.block_refs import L2BlockRef
from consensus.config import CHANNEL_TIMEOUT, RollupConfig
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.reset import SyncStart, pipeline_start, sync_start
from consensus.l1.source import L1BlockGone
from node.errors import CriticalError, ResetError, TemporaryError
from node.types.primitives import keccak256
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.rollup import config_log, publish, rollup_config, with_logs, word
from tests.fakes.l1_source import FakeL1
from tests.fakes.l2_chain import FakeL2

WINDOW = 5


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1(block_time=4)


@pytest.fixture
def config(l1: FakeL1) -> RollupConfig:
    return rollup_config(l1, seq_window_size=WINDOW)


@pytest.fixture
def sequencer(config: RollupConfig, l1: FakeL1) -> Sequencer:
    return Sequencer(config, l1)


def at(l2: FakeL2, number: int, tip: L2BlockRef) -> L2BlockRef:
    """Return the ancestor of `tip` with a number."""
    while tip.number > number:
        tip = l2.refs[tip.parent_hash]
    return tip


def first_of(l2: FakeL2, l1_number: int, tip: L2BlockRef) -> L2BlockRef:
    """Return the first block of an epoch below `tip`."""
    while tip.l1_origin.number != l1_number or tip.sequence_number != 0:
        tip = l2.refs[tip.parent_hash]
    return tip


async def find(
    sequencer: Sequencer, *, safe: L2BlockRef | None = None, finalized: L2BlockRef | None = None
) -> SyncStart:
    genesis = sequencer.l2.genesis
    return await sync_start(
        sequencer.config,
        sequencer.l1,
        sequencer.l2,
        sequencer.head,
        safe or genesis,
        finalized or genesis,
    )


async def test_fresh_chain(l1: FakeL1, sequencer: Sequencer) -> None:
    genesis = sequencer.l2.genesis
    start = PipelineStart(l1.genesis, sequencer.config.genesis.system_config)
    assert await find(sequencer) == SyncStart(genesis, genesis, genesis, start)


async def test_safe_head_goes_back_by_a_window(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(20)
    await sequencer.build_to(120)
    found = await find(sequencer, safe=sequencer.head)
    assert found.unsafe == sequencer.head
    # Epoch 114 is the newest that is more than a window older than epoch 120.
    first = first_of(sequencer.l2, 114, sequencer.head)
    assert found.safe.hash == first.parent_hash
    assert found.safe.l1_origin.number == 113


async def test_safe_head_never_advances(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(20)
    await sequencer.build_to(120)
    old_safe = first_of(sequencer.l2, 108, sequencer.head)
    found = await find(sequencer, safe=old_safe)
    assert found.safe.hash == old_safe.parent_hash
    inside = at(sequencer.l2, old_safe.number + 1, sequencer.head)
    assert (await find(sequencer, safe=inside)).safe == found.safe


async def test_finalized_block_is_the_floor(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(20)
    await sequencer.build_to(120)
    floor = first_of(sequencer.l2, 117, sequencer.head)
    found = await find(sequencer, safe=sequencer.head, finalized=floor)
    assert (found.safe, found.finalized) == (floor, floor)


async def test_orphaned_origins_are_left(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(20)
    await sequencer.build_to(120)
    l1.fork(116)
    l1.mine_empty(6)
    found = await find(sequencer, safe=sequencer.head)
    assert found.unsafe.hash == first_of(sequencer.l2, 117, sequencer.head).parent_hash
    assert found.unsafe.l1_origin == l1.at(116).ref
    assert found.safe.l1_origin.number == 116 - WINDOW - 2
    l1.forget_orphans()
    assert await find(sequencer, safe=sequencer.head) == found


async def test_origins_ahead_of_l1_stay_plausible(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(20)
    await sequencer.build_to(120)
    l1.fork(116)
    found = await find(sequencer, safe=sequencer.head)
    assert found.unsafe == sequencer.head
    # What L1 has shown counts: the window is measured from the newest confirmed block.
    assert found.safe.l1_origin.number == 116 - WINDOW - 2


async def test_origins_ahead_of_an_orphan_are_left(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(20)
    await sequencer.build_to(120)
    l1.fork(116)
    l1.mine_empty(2)
    found = await find(sequencer, safe=sequencer.head)
    assert found.unsafe.l1_origin == l1.at(116).ref


async def test_reorg_below_the_finalized_block(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(10)
    await sequencer.build_to(110)
    floor = first_of(sequencer.l2, 108, sequencer.head)
    l1.fork(105)
    with pytest.raises(TemporaryError, match="L1 has not reached block 108"):
        await find(sequencer, safe=sequencer.head, finalized=floor)
    l1.mine_empty(10)
    with pytest.raises(CriticalError, match="the origin of the finalized L2 block"):
        await find(sequencer, safe=sequencer.head, finalized=floor)


async def test_another_l1(sequencer: Sequencer) -> None:
    other = FakeL1(timestamp=1)
    with pytest.raises(CriticalError, match="L1 has another block there"):
        await sync_start(
            sequencer.config,
            other,
            sequencer.l2,
            sequencer.head,
            sequencer.l2.genesis,
            sequencer.l2.genesis,
        )


async def test_finalized_block_of_another_chain(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(3)
    await sequencer.build_to(103)
    floor = replace(at(sequencer.l2, 2, sequencer.head), hash=keccak256(b"another"))
    with pytest.raises(CriticalError, match="L2 block 2 is final as"):
        await find(sequencer, finalized=floor)


async def test_another_genesis(l1: FakeL1, sequencer: Sequencer) -> None:
    genesis = sequencer.l2.genesis
    other = replace(genesis, hash=keccak256(b"another"))
    with pytest.raises(CriticalError, match="L2 genesis block: expected"):
        await sync_start(sequencer.config, l1, sequencer.l2, other, other, other)


@pytest.mark.parametrize("sequence_number", [7, 0])
async def test_places_must_follow_each_other(
    l1: FakeL1, sequencer: Sequencer, sequence_number: int
) -> None:
    l1.mine_empty(3)
    await sequencer.build_to(102)
    await sequencer.build()
    assert sequencer.head.sequence_number == 1
    sequencer.head = replace(sequencer.head, sequence_number=sequence_number)
    with pytest.raises(CriticalError, match="does not follow its parent"):
        await find(sequencer)


async def test_epochs_must_follow_each_other(l1: FakeL1, sequencer: Sequencer) -> None:
    l1.mine_empty(5)
    await sequencer.build_to(102)
    sequencer.head = replace(sequencer.head, l1_origin=l1.at(104).ref)
    with pytest.raises(CriticalError, match="does not follow its parent"):
        await find(sequencer)


async def test_pipeline_starts_a_channel_timeout_earlier(l1: FakeL1, config: RollupConfig) -> None:
    sequencer = Sequencer(config, l1)
    l1.mine_empty(5)
    l1.mine(with_logs(config_log(2, word(77))))
    l1.mine_empty(CHANNEL_TIMEOUT + 20)
    await sequencer.build_to(l1.head.number)
    start = await pipeline_start(config, l1, sequencer.l2, sequencer.head)
    assert start.current_l1 == l1.at(l1.head.number - CHANNEL_TIMEOUT)
    assert start.system_config.gas_limit == 77
    early = first_of(sequencer.l2, 100 + CHANNEL_TIMEOUT, sequencer.head)
    start = await pipeline_start(config, l1, sequencer.l2, early)
    assert start.current_l1 == l1.genesis
    assert start.system_config.gas_limit == 30_000_000
    genesis = sequencer.l2.genesis
    start = await pipeline_start(config, l1, sequencer.l2, genesis)
    assert start == PipelineStart(l1.genesis, config.genesis.system_config)


async def test_pipeline_start_off_the_canonical_chain(l1: FakeL1, config: RollupConfig) -> None:
    sequencer = Sequencer(config, l1)
    l1.mine_empty(CHANNEL_TIMEOUT + 20)
    await sequencer.build_to(l1.head.number)
    l1.fork(110)
    l1.mine_empty(CHANNEL_TIMEOUT + 20)
    with pytest.raises(ResetError, match="L1 block 120: expected"):
        await pipeline_start(config, l1, sequencer.l2, sequencer.head)


async def resume(verifier: Verifier, sequencer: Sequencer) -> None:
    """Reset a verifier as its driver would."""
    genesis = verifier.l2.genesis
    found = await sync_start(
        verifier.config, verifier.l1, verifier.l2, verifier.safe_head, verifier.safe_head, genesis
    )
    verifier.pipeline.reset(found.pipeline)
    verifier.safe_head = found.safe
    sequencer.head = at(sequencer.l2, found.unsafe.number, sequencer.head)


@pytest.mark.parametrize("depth", [1, 3, WINDOW + 4])
async def test_derivation_goes_on_after_a_reorg(l1: FakeL1, depth: int) -> None:
    config = rollup_config(l1, seq_window_size=WINDOW)
    sequencer, verifier = Sequencer(config, l1), Verifier(config, l1)
    for _ in range(20):
        number = len(sequencer.batches)
        await sequencer.build_to(l1.head.number)
        await sequencer.build()
        l1.mine(publish(sequencer.channel(sequencer.batches[number:])))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    l1.fork(l1.head.number - depth)
    l1.mine_empty(depth + 1)
    with pytest.raises(ResetError):
        await verifier.derive()
    await resume(verifier, sequencer)
    # A fresh verifier, which has never seen the orphans, agrees.
    await verifier.derive()
    fresh = Verifier(config, l1)
    await fresh.derive()
    assert fresh.safe_head == verifier.safe_head
    sequencer.l2, sequencer.head = verifier.l2, verifier.safe_head
    batches = await sequencer.build_many(4)
    l1.mine(publish(sequencer.channel(batches)))
    await verifier.derive()
    await fresh.derive()
    assert fresh.safe_head == verifier.safe_head == sequencer.head


async def test_reorg_while_attributes_are_made(l1: FakeL1) -> None:
    config = rollup_config(l1, seq_window_size=WINDOW)
    sequencer, verifier = Sequencer(config, l1), Verifier(config, l1)
    l1.mine()
    await sequencer.build_to(101)
    l1.mine(publish(sequencer.channel(sequencer.batches)))
    derived = await verifier.pipeline.next_attributes(verifier.safe_head)
    l1.fork(100)
    l1.mine_empty(3)
    l1.forget_orphans()
    assert isinstance(derived, DerivedAttributes)
    parent = verifier.l2.seal(derived.parent, derived.attributes)
    with pytest.raises(L1BlockGone):
        await verifier.pipeline.next_attributes(parent)
