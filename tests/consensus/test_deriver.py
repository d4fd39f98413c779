from collections.abc import Iterator
from dataclasses import replace

import pytest

from consensus.batcher.channel_builder import batch_of
from consensus.block_refs import L2BlockRef
from consensus.codec.batch import SingularBatch
from node.errors import CriticalError, ResetError, TemporaryError
from node.safe_heads import SafeHead, safe_head_at
from node.storage.schema import Table
from node.types.block import Block, BlockRef
from node.types.primitives import keccak256
from tests.consensus.rollup import make_channel, publish
from tests.consensus.rollup_node import (
    RollupNode,
    user_transactions,
    user_transfer,
)
from tests.consensus.scene import Scene
from tests.fakes.l1_source import FakeL1


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


def _batches(blocks: list[Block]) -> list[SingularBatch]:
    return [batch_of(block) for block in blocks]


def _last(refs: list[L2BlockRef]) -> BlockRef:
    return refs[-1].ref


async def test_a_verifier_derives_what_was_sequenced(scene: Scene) -> None:
    scene.sequencer.send(0)
    blocks = await scene.sequence()
    scene.publish(_batches(blocks))
    derived = await scene.verifier.derive()
    assert [ref.hash for ref in derived] == [block.hash for block in blocks]
    heads = scene.verifier.reader.heads()
    assert heads.safe == heads.unsafe == blocks[-1].header.ref


async def test_held_blocks_become_safe_without_being_built_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = await scene.sequence()
    scene.publish(_batches(blocks[:3]))
    inserted: list[object] = []
    scene.sequencer.engine.subscribe(inserted.append)
    derived = await scene.sequencer.derive()
    assert _last(derived) == blocks[2].header.ref
    heads = scene.sequencer.reader.heads()
    assert (heads.safe, heads.unsafe) == (blocks[2].header.ref, blocks[-1].header.ref)
    assert all(not change.added and not change.removed for change in inserted)  # type: ignore[attr-defined]


async def test_l1_overrules_unsafe_blocks(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.sequencer.send(0)
    blocks = await scene.sequence()
    first = batch_of(blocks[0])
    scene.publish([replace(first, transactions=())])
    derived = await scene.sequencer.derive()
    assert len(derived) == 1
    heads = scene.sequencer.reader.heads()
    assert heads.unsafe == heads.safe == _last(derived) != blocks[0].header.ref
    assert "L1 replaces unsafe block 1: its transactions differs" in caplog.text
    # The sequencer goes on from what L1 decided; the transaction was not lost.
    assert len(user_transactions(await scene.sequencer.build())) == 1


async def test_a_block_that_cannot_be_built_keeps_its_deposits_only(scene: Scene) -> None:
    blocks = await scene.sequence()
    good, bad, after = _batches(blocks[:3])
    bad = replace(bad, transactions=(user_transfer(7),))
    scene.publish([good, bad, after])
    derived = await scene.verifier.derive()
    assert len(derived) == 2
    block = scene.verifier.chain()[1]
    assert user_transactions(block) == []
    # The rest of the channel was dropped; a new one continues.
    following = replace(after, parent_hash=derived[-1].hash)
    scene.publish([following])
    assert len(await scene.verifier.derive()) == 1


async def test_an_expired_window_brings_empty_blocks(scene: Scene) -> None:
    scene.l1.mine_empty(14)
    derived = await scene.verifier.derive()
    assert derived
    assert all(not user_transactions(block) for block in scene.verifier.chain())
    assert derived[-1].l1_origin.number >= 103


async def test_the_store_names_the_l1_block_of_the_safe_head(scene: Scene) -> None:
    blocks = await scene.sequence()
    scene.publish(_batches(blocks))
    inclusion = scene.l1.head.ref
    scene.l1.mine_empty(3)
    await scene.verifier.derive()
    with scene.verifier.reader.snapshot() as snapshot:
        entry = safe_head_at(snapshot, inclusion.number + 3)
    assert entry == SafeHead(scene.verifier.reader.heads().safe, inclusion)


async def test_a_restart_goes_on_from_the_safe_head(scene: Scene) -> None:
    first = await scene.sequence()
    scene.publish(_batches(first))
    await scene.verifier.derive()
    restarted = scene.restart(scene.verifier)
    second = await scene.sequence()
    scene.publish(_batches(second))
    derived = await restarted.derive()
    assert [ref.hash for ref in derived] == [block.hash for block in second]


async def test_a_restart_in_the_middle_of_a_channel_goes_on_in_it(scene: Scene) -> None:
    blocks = await scene.sequence(2)
    scene.publish(_batches(blocks))
    await scene.verifier.deriver.reset()
    for _ in range(4):
        await scene.verifier.deriver.step()
    restarted = scene.restart(scene.verifier)
    derived = await restarted.derive()
    assert [ref.hash for ref in derived] == [block.hash for block in blocks[4:]]


@pytest.mark.parametrize("in_one_block", [False, True])
@pytest.mark.parametrize("restarts_at", [1, 2, 3])
async def test_a_batch_that_came_too_early_stays_dropped_after_a_restart(
    scene: Scene, in_one_block: bool, restarts_at: int
) -> None:
    """Its L1 block is read again, now that the safe head is where the batch would fit."""
    batches = _batches(await scene.sequence())
    early, good = (make_channel(part, n) for n, part in enumerate((batches[3:], batches[:3])))
    if in_one_block:
        scene.l1.mine(publish(early), publish(good))
    else:
        scene.l1.mine(publish(early))
        scene.l1.mine(publish(good))
    await scene.verifier.deriver.reset()
    for _ in range(restarts_at):
        await scene.verifier.deriver.step()
    restarted = scene.restart(scene.verifier)
    await restarted.derive()
    assert restarted.reader.heads().safe.number == 3
    scene.publish(batches)
    await restarted.derive()
    assert restarted.reader.heads().safe.number == len(batches)


async def test_a_batch_that_came_too_early_stays_dropped_after_an_l1_reorg(scene: Scene) -> None:
    batches = _batches(await scene.sequence())
    scene.publish(batches[3:])
    scene.publish(batches[:3])
    height = scene.l1.head.number
    scene.publish(batches[3:])
    await scene.verifier.derive()
    assert scene.verifier.reader.heads().safe.number == len(batches)
    scene.l1.fork(height)
    scene.l1.mine_empty(2)
    await scene.verifier.deriver.reset()
    await scene.verifier.derive()
    assert scene.verifier.reader.heads().safe.number == 3


async def test_a_store_without_the_beginning_of_its_safe_heads(scene: Scene) -> None:
    """Of one that is older than their table, only what came since is known."""
    scene.l1.mine_empty(30)
    await scene.verifier.derive()
    safe = scene.verifier.reader.heads().safe
    with scene.verifier.database.write() as tx:
        for key, _ in [*tx.items(Table.SAFE_HEADS)][:-1]:
            tx.delete(Table.SAFE_HEADS, key)
    restarted = scene.restart(scene.verifier)
    assert await restarted.derive() == []
    assert restarted.reader.heads().safe == safe
    scene.l1.mine_empty(3)
    fresh = scene.node()
    await fresh.derive()
    await restarted.derive()
    assert restarted.reader.heads().safe == fresh.reader.heads().safe
    fresh.close()


async def test_an_l1_reorg_takes_safe_blocks_back(scene: Scene) -> None:
    blocks = await scene.sequence(2)
    scene.publish(_batches(blocks[:2]))
    await scene.sequencer.derive()
    assert scene.sequencer.reader.heads().safe == blocks[1].header.ref
    scene.l1.fork(102)
    scene.l1.mine_empty(2)
    with pytest.raises(ResetError):
        await scene.sequencer.derive()
    await scene.sequencer.deriver.reset()
    heads = scene.sequencer.reader.heads()
    assert heads.safe.number == 0
    # The blocks themselves stand on L1 blocks that are still there: nothing is unwound.
    assert heads.unsafe == blocks[-1].header.ref
    scene.publish(_batches(blocks[:1]))
    await scene.sequencer.derive()
    assert scene.sequencer.reader.heads().safe == blocks[0].header.ref


async def test_an_l1_reorg_unwinds_blocks_of_orphaned_epochs(scene: Scene) -> None:
    blocks = await scene.sequence(3)
    kept = [block for block in blocks if (await _origin(scene, block)) <= 101]
    scene.l1.fork(101)
    scene.l1.mine_empty(3)
    await scene.sequencer.deriver.reset()
    assert scene.sequencer.reader.heads().unsafe == kept[-1].header.ref


async def test_a_reorg_behind_the_safe_head_leaves_it_alone(scene: Scene) -> None:
    """Safe blocks came from L1 block 102; blocks 103 and later are replaced."""
    blocks = await scene.sequence(1)
    scene.publish(_batches(blocks))
    await scene.sequencer.derive()
    more = await scene.sequence(2)
    scene.l1.fork(102)
    scene.l1.mine_empty(3)
    await scene.sequencer.deriver.reset()
    heads = scene.sequencer.reader.heads()
    assert heads.safe == blocks[-1].header.ref
    assert blocks[-1].number <= heads.unsafe.number < more[-1].number


async def test_finality_follows_l1(scene: Scene) -> None:
    first = await scene.sequence()
    scene.publish(_batches(first))
    included = scene.l1.head
    second = await scene.sequence()
    scene.publish(_batches(second))
    await scene.verifier.derive()
    deriver, reader = scene.verifier.deriver, scene.verifier.reader
    await deriver.finalize(scene.l1.at(included.number - 1))
    assert reader.heads().finalized.number == 0
    await deriver.finalize(included)
    assert reader.heads().finalized == first[-1].header.ref
    await deriver.finalize(scene.l1.head)
    assert reader.heads().finalized == second[-1].header.ref


async def test_finality_survives_a_restart(scene: Scene) -> None:
    blocks = await scene.sequence()
    scene.publish(_batches(blocks))
    await scene.verifier.derive()
    restarted = scene.restart(scene.verifier)
    await restarted.deriver.reset()
    await restarted.deriver.finalize(scene.l1.head)
    assert restarted.reader.heads().finalized == blocks[-1].header.ref


async def test_finality_is_not_taken_from_an_orphaned_block(scene: Scene) -> None:
    blocks = await scene.sequence()
    scene.publish(_batches(blocks))
    await scene.verifier.derive()
    scene.l1.fork(101)
    scene.l1.mine_empty(4)
    with pytest.raises(ResetError, match="L1 has another block there"):
        await scene.verifier.deriver.finalize(scene.l1.head)
    assert scene.verifier.reader.heads().finalized.number == 0


async def test_l1_cannot_take_back_what_is_final(scene: Scene) -> None:
    blocks = await scene.sequence(2)
    scene.publish(_batches(blocks))
    await scene.verifier.derive()
    await scene.verifier.deriver.finalize(scene.l1.head)
    scene.l1.fork(100)
    scene.l1.mine_empty(5)
    with pytest.raises(CriticalError):
        await scene.verifier.deriver.reset()


async def test_another_l1_is_refused(scene: Scene) -> None:
    other = FakeL1(timestamp=1_600_000_000)
    config = replace(
        scene.config,
        genesis=replace(
            scene.config.genesis,
            l1=BlockRef(keccak256(b"another L1"), scene.config.genesis.l1.number),
        ),
    )
    node = RollupNode(other, config, scene.genesis, scene.clock)
    with pytest.raises(CriticalError):
        await node.deriver.reset()
    node.close()


async def test_a_step_before_the_first_reset_asks_for_one(scene: Scene) -> None:
    with pytest.raises(ResetError):
        await scene.verifier.deriver.step()


async def test_a_temporary_failure_loses_nothing(scene: Scene) -> None:
    blocks = await scene.sequence(2)
    scene.publish(_batches(blocks))
    await scene.verifier.deriver.reset()
    for failures in range(1, 12):
        scene.l1.fail(failures % 3)
        try:
            await scene.verifier.deriver.step()
        except TemporaryError:
            continue
    scene.l1.fail(0)
    await scene.verifier.derive()
    assert scene.verifier.reader.heads().safe == blocks[-1].header.ref


async def _origin(scene: Scene, block: Block) -> int:
    return (await scene.sequencer.l2.ref_by_hash(block.hash)).l1_origin.number
