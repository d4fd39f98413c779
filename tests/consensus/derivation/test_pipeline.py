"""Whole derivation: what a batcher publishes is what a verifier derives."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from consensus.codec.batch import SingularBatch
from consensus.codec.compression import Compression
from consensus.codec.frame import ChannelId
from consensus.config import RollupConfig
from consensus.derivation.l1_traversal import PipelineStart
from node.errors import TemporaryError
from node.types.primitives import BlockNumber, keccak256
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.rollup import batcher_transaction, publish, rollup_config
from tests.fakes.l1_source import FakeL1, Included


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def config(l1: FakeL1) -> RollupConfig:
    return rollup_config(l1)


@pytest.fixture
def sequencer(config: RollupConfig, l1: FakeL1) -> Sequencer:
    return Sequencer(config, l1)


@pytest.fixture
def verifier(config: RollupConfig, l1: FakeL1) -> Verifier:
    return Verifier(config, l1)


async def test_published_blocks_are_derived(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    l1.mine_empty(3)
    await sequencer.build_many(12)
    l1.mine(publish(sequencer.channel(sequencer.batches)))
    outcome = await verifier.derive()
    assert outcome.current_l1 == verifier.pipeline.current_l1 == l1.head
    assert verifier.safe_head == sequencer.head
    assert {d.derived_from for d in verifier.derived} == {l1.head}


@pytest.mark.parametrize("jovian", [False, True])
@pytest.mark.parametrize("isthmus", [False, True])
@pytest.mark.parametrize("algorithm", list(Compression))
async def test_every_profile(
    l1: FakeL1, isthmus: bool, jovian: bool, algorithm: Compression
) -> None:
    config = rollup_config(l1, isthmus=isthmus or jovian, jovian=jovian)
    sequencer, verifier = Sequencer(config, l1), Verifier(config, l1)
    l1.mine_empty(2)
    batches = await sequencer.build_many(13)
    l1.mine(publish(sequencer.channel(batches, compression=algorithm)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


async def test_channel_over_several_transactions_and_blocks(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    frames = sequencer.channel(await sequencer.build_many(6), max_frame_size=100)
    assert len(frames) > 6
    l1.mine(*(publish([frame]) for frame in frames[:3]))
    l1.mine(publish(frames[3:5]))
    l1.mine_empty(2)
    l1.mine(publish(frames[5:]))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    assert verifier.derived[0].derived_from == l1.head


@pytest.mark.parametrize("order", [[2, 1, 0], [0, 2, 1], [1, 2, 0]])
async def test_disordered_frames_are_lost(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier, order: list[int]
) -> None:
    frames = sequencer.channel(await sequencer.build_many(2), max_frame_size=140)
    assert len(frames) == 3
    l1.mine(*(publish([frames[n]]) for n in order))
    await verifier.derive()
    assert verifier.safe_head == verifier.l2.genesis


async def test_frame_zero_again_restarts_the_channel(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    frames = sequencer.channel(await sequencer.build_many(2), max_frame_size=140)
    l1.mine(*(publish([frames[n]]) for n in (0, 1, 0, 2)))
    await verifier.derive()
    assert verifier.safe_head == verifier.l2.genesis
    l1.mine(*(publish([frames[n]]) for n in (0, 1, 0, 1, 2)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


async def test_duplicate_frames_are_ignored(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    frames = sequencer.channel(await sequencer.build_many(2), max_frame_size=140)
    l1.mine(*(publish([frames[n]]) for n in (0, 1, 1, 2, 2)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


@pytest.mark.parametrize(
    ("order", "derived"),
    [
        ([1, 2, 3], 3),
        ([1, 3, 2], 1),
        ([2, 1, 3], 0),
        ([1, 1, 2, 3], 3),
        ([2, 2, 1, 3], 0),
        ([1, 2, 1, 3], 3),
        ([3, 2, 1], 0),
    ],
)
async def test_order_of_batches_in_a_channel(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier, order: list[int], derived: int
) -> None:
    batches = await sequencer.build_many(3)
    l1.mine(publish(sequencer.channel([batches[n - 1] for n in order])))
    await verifier.derive()
    assert verifier.safe_head.number == derived
    assert verifier.user_transactions() == [list(b.transactions) for b in batches[:derived]]


@pytest.mark.parametrize(
    ("order", "derived"),
    [([1, 2, 3], 3), ([1, 3, 2], 2), ([2, 1, 3], 1), ([1, 1, 2, 3], 3), ([2, 2, 1, 3], 1)],
)
async def test_order_of_channels(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier, order: list[int], derived: int
) -> None:
    # A dropped batch takes its own channel with it and no other.
    batches = await sequencer.build_many(3)
    l1.mine(*(publish(sequencer.channel([batches[n - 1]])) for n in order))
    await verifier.derive()
    assert verifier.safe_head.number == derived


async def test_lost_batches_can_be_published_again(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    batches = await sequencer.build_many(3)
    l1.mine(publish(sequencer.channel([batches[0], batches[2]])))
    await verifier.derive()
    assert verifier.safe_head.number == 1
    l1.mine(publish(sequencer.channel(batches)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


@pytest.mark.parametrize(
    "spoil",
    [
        lambda batch: replace(batch, parent_hash=keccak256(b"wrong")),
        lambda batch: replace(batch, epoch=replace(batch.epoch, hash=keccak256(b"wrong"))),
        lambda batch: replace(batch, epoch=replace(batch.epoch, number=BlockNumber(99))),
        lambda batch: replace(batch, epoch=replace(batch.epoch, number=BlockNumber(102))),
        lambda batch: replace(batch, timestamp=batch.timestamp + 2),
        lambda batch: replace(batch, timestamp=batch.timestamp + 1),
        lambda batch: replace(batch, transactions=(b"",)),
        lambda batch: replace(batch, transactions=(b"\x7e\xc0",)),
    ],
)
async def test_invalid_batch_drops_the_rest(
    l1: FakeL1,
    sequencer: Sequencer,
    verifier: Verifier,
    spoil: Callable[[SingularBatch], SingularBatch],
) -> None:
    l1.mine_empty(1)
    one, two, three = await sequencer.build_many(3)
    l1.mine(publish(sequencer.channel([one, spoil(two), two, three])))
    await verifier.derive()
    assert verifier.safe_head.number == 1
    l1.mine(publish(sequencer.channel([two, three])))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


async def test_invalid_block_becomes_deposits_only(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    one, two, three = await sequencer.build_many(3)
    verifier.refused_transactions.update(two.transactions)
    l1.mine(publish(sequencer.channel([one, two, three])))
    l1.mine(publish(sequencer.channel([three])))
    await verifier.derive()
    # The third batch builds on the second's real block, which does not exist.
    assert verifier.user_transactions() == [list(one.transactions), []]
    assert verifier.derived[-1].derived_from == l1.at(101)


async def test_garbage(l1: FakeL1, sequencer: Sequencer, verifier: Verifier) -> None:
    good = sequencer.channel(await sequencer.build_many(2))
    garbage = [b"", b"\x00", b"\x00garbage", b"\x01", bytes(100), b"\xff" * 50]
    frames = [replace(good[0], channel_id=ChannelId(bytes(16)), data=data) for data in garbage]
    l1.mine(
        *(Included(batcher_transaction(data)) for data in garbage),
        *(publish([frame]) for frame in frames),
        publish(good),
    )
    await verifier.derive()
    assert verifier.safe_head == sequencer.head


async def test_empty_l1_blocks(l1: FakeL1, sequencer: Sequencer, verifier: Verifier) -> None:
    assert (await verifier.derive()).current_l1 == l1.genesis
    l1.mine_empty(5)
    assert (await verifier.derive()).current_l1 == l1.head
    assert verifier.derived == []


async def test_waiting_can_be_repeated(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    for _ in range(6):
        batches = await sequencer.build_many(2)
        l1.mine(publish(sequencer.channel(batches)))
        await verifier.derive()
        await verifier.derive()
        assert verifier.safe_head == sequencer.head


async def test_failing_l1_changes_nothing(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    for _ in range(4):
        l1.mine(publish(sequencer.channel(await sequencer.build_many(6))))
    failures = 0
    while True:
        l1.fail_every(3)
        try:
            await verifier.derive()
            break
        except TemporaryError:
            failures += 1
    assert failures > 10
    assert verifier.safe_head == sequencer.head


async def test_reset_gives_the_same_again(
    l1: FakeL1, sequencer: Sequencer, verifier: Verifier
) -> None:
    for _ in range(4):
        l1.mine(publish(sequencer.channel(await sequencer.build_many(6))))
    await verifier.derive()
    first = list(verifier.derived)
    start = PipelineStart(l1.genesis, sequencer.config.genesis.system_config)
    verifier.pipeline.reset(start)
    assert verifier.pipeline.current_l1 == l1.genesis
    verifier.safe_head = verifier.l2.genesis
    verifier.derived.clear()
    await verifier.derive()
    assert verifier.derived == first


async def test_reset_in_the_middle(l1: FakeL1, sequencer: Sequencer, verifier: Verifier) -> None:
    for _ in range(4):
        l1.mine(publish(sequencer.channel(await sequencer.build_many(6))))
    await verifier.derive()
    middle = verifier.derived[10].parent
    start = PipelineStart(l1.genesis, sequencer.config.genesis.system_config)
    verifier.pipeline.reset(start)
    verifier.safe_head = middle
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
