"""Behaviours of a whole rollup node, in virtual time: what BEHAVIOURS.md had no test for elsewhere.

Engines are real; L1 is a fake whose blocks hold what a test wants.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from consensus.batcher.channel_builder import batch_of
from consensus.codec.batch import SingularBatch
from consensus.codec.blob import encode_blob
from consensus.codec.frame import encode_batcher_data
from consensus.codec.span_batch import span_of
from consensus.l1.chain_config import BlobFeeFork, L1ChainConfig
from consensus.l1_info import decode_l1_info, decode_l1_info_deposit
from consensus.system_config import encode_scalar
from node.errors import CriticalError, ResetError
from node.types.block import Block
from node.types.primitives import Address
from node.types.transaction import address_of_key
from tests.consensus.actors import Sequencer, Verifier
from tests.consensus.codec.test_span_transactions import SAMPLE, signed
from tests.consensus.rollup import (
    USER_KEY,
    batcher_transaction,
    config_log,
    deposit_log,
    make_channel,
    publish,
    publish_blobs,
    rollup_config,
    signed_with,
    with_logs,
    word,
)
from tests.consensus.rollup_node import RollupNode, user_transactions, user_transfer
from tests.consensus.scene import Scene
from tests.fakes.l1_source import FakeL1, Included

USER = address_of_key(USER_KEY)
FRESH = Address(b"\x5f" * 20)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


@pytest.fixture
def jovian() -> Iterator[Scene]:
    scene = Scene(jovian=True)
    yield scene
    scene.close()


def batches_of(blocks: list[Block]) -> list[SingularBatch]:
    return [batch_of(block) for block in blocks]


async def follow(node: RollupNode) -> None:
    """Derive, and begin again when L1 has changed."""
    try:
        await node.derive()
        if node.deriver.current_l1 == node.l1.head:
            return
    except ResetError:
        pass
    await node.deriver.reset()
    await node.derive()


async def assert_a_newcomer_agrees(scene: Scene) -> None:
    newcomer = scene.node()
    try:
        await newcomer.derive()
        assert newcomer.reader.heads().safe == scene.verifier.reader.heads().safe
    finally:
        newcomer.close()


BAD_TRANSACTIONS = {
    "nonce in the future": user_transfer(7),
    "value without balance": user_transfer(0, value=10**30),
    "sender without balance": signed("dynamic fee", {**SAMPLE, "nonce": 0, "price": 10**30}),
    "less gas than any transaction takes": signed("dynamic fee", {**SAMPLE, "nonce": 0, "gas": 1}),
    "signed by nobody who has anything": user_transfer(0)[:-1] + b"\x01",
    "another chain": signed_with(2, b"").raw,
    "a blob transaction": signed_with(3, b"", []).raw,
    "no transaction": b"\x02\xc0",
    "a type of the future": b"\x09\xc0",
    "nested without end": b"\x02" + b"\xc1" * 500 + b"\xc0",
    "garbage": b"\xff" * 60,
}


@pytest.mark.parametrize("name", BAD_TRANSACTIONS)
async def test_a_transaction_that_cannot_be_executed_leaves_its_block_to_the_deposits(
    scene: Scene, name: str
) -> None:
    good, bad, after = batches_of((await scene.sequence())[:3])
    scene.publish([good, replace(bad, transactions=(BAD_TRANSACTIONS[name],)), after])
    derived = await scene.verifier.derive()
    assert len(derived) == 2, "the rest of the channel is dropped"
    assert [user_transactions(block) for block in scene.verifier.chain()] == [[], []]
    await assert_a_newcomer_agrees(scene)


async def test_so_does_one_in_a_span_with_all_that_follows_in_it(scene: Scene) -> None:
    good, bad, after, last = batches_of((await scene.sequence())[:4])
    bad = replace(bad, transactions=(user_transfer(7),))
    span = span_of([good, bad, after], scene.config, first_opens_epoch=False)
    scene.publish([span, after, last])
    assert len(await scene.verifier.derive()) == 2
    await assert_a_newcomer_agrees(scene)


async def test_a_block_of_deposits_that_does_not_fit_stops_the_node(scene: Scene) -> None:
    """What L1 forces cannot be left out: a gas limit below that of its deposits is the end."""
    scene.l1.mine(with_logs(config_log(2, word(500_000))))
    scene.l1.mine_empty(scene.config.seq_window_size + 1)
    with pytest.raises(CriticalError, match=r"the block of L1's deposits alone is invalid"):
        await scene.verifier.derive()


async def test_nor_does_a_batch_in_such_a_block_help(scene: Scene) -> None:
    blocks = [await scene.sequencer.build() for _ in range(5)]
    last = blocks[-1].header
    origin = scene.l1.mine(with_logs(config_log(2, word(500_000))))
    following = SingularBatch(
        last.hash, origin.ref, last.timestamp + scene.config.block_time, (user_transfer(0),)
    )
    scene.publish([*batches_of(blocks), following])
    with pytest.raises(CriticalError, match="L2 block 6: the block of L1's deposits alone is inv"):
        await scene.verifier.derive()


async def test_the_owner_s_changes_reach_the_blocks_of_their_epoch(jovian: Scene) -> None:
    changed = jovian.l1.mine(
        with_logs(
            config_log(1, word(0) + encode_scalar(11, 12)),
            config_log(2, word(20_000_000)),
            config_log(4, word(100 << 32 | 3)),
            config_log(5, word(7 << 64 | 8)),
            config_log(6, word(5_000_000)),
            config_log(7, word(10)),
            config_log(99, word(1)),
        )
    )
    jovian.sequencer.send(0)
    blocks = await jovian.sequence(1)
    jovian.publish(batches_of(blocks))
    await jovian.verifier.derive()
    assert jovian.verifier.reader.heads().safe == blocks[-1].header.ref
    for block in jovian.verifier.chain():
        info, header = decode_l1_info_deposit(block), block.header
        is_changed = info.l1_block.number >= changed.number
        assert (info.base_fee_scalar == 11) == is_changed
        assert (info.operator_fee_constant == 8) == is_changed
        assert (info.da_footprint_gas_scalar == 10) == is_changed
        assert (header.gas_limit == 20_000_000) == is_changed
        assert (header.extra_data[1:9] == (100 << 32 | 3).to_bytes(8, "big")) == is_changed
    # The floor counts from the block after the one that brought it.
    assert jovian.verifier.chain()[-1].header.base_fee >= 5_000_000


async def test_l1_changes_its_blob_fees_during_the_rollup_s_life() -> None:
    """Prague, and a fork of blob parameters alone, become active at the times of L1 blocks."""
    l1 = FakeL1()
    start = l1.genesis.timestamp
    forks = (
        BlobFeeFork("cancun", 0, 3338477),
        BlobFeeFork("prague", start + 24, 5007716),
        BlobFeeFork("bpo1", start + 48, 8346193),
    )
    config = rollup_config(l1)
    for _ in range(5):
        l1.mine(excess_blob_gas=80_000_000)
    schedule = L1ChainConfig(900, forks)
    sequencer, verifier = Sequencer(config, l1, schedule), Verifier(config, l1, schedule)
    batches = await sequencer.build_to(l1.head.number)
    l1.mine(publish(sequencer.channel(batches)))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    infos = [decode_l1_info(d.attributes.transactions[0].data) for d in verifier.derived]
    fees = {int(info.l1_block.number): info.blob_base_fee for info in infos}
    assert fees[101] > fees[102] == fees[103] > fees[104] == fees[105] > 1
    assert fees[101] == schedule.blob_base_fee(await l1.header(l1.at(101).hash))


async def test_deposits_are_executed_where_nobody_sequences(scene: Scene) -> None:
    """The sequencer is down, the batcher too: what users force over L1 comes in its window."""
    log = deposit_log(sender=USER, to=FRESH, mint=7, value=7)
    scene.l1.mine(with_logs(log))
    scene.l1.mine_empty(scene.config.seq_window_size + 1)
    await scene.verifier.derive()
    reader = scene.verifier.reader
    assert reader.heads().safe.number > 0
    account = reader.account(FRESH, reader.head_header())
    assert account is not None
    assert account.balance == 7
    await assert_a_newcomer_agrees(scene)


async def test_batches_long_after_their_epochs() -> None:
    """Nothing was posted for 150 L1 blocks; then all of it is, within its window."""
    l1 = FakeL1(block_time=4)
    config = rollup_config(l1, seq_window_size=200)
    sequencer, verifier = Sequencer(config, l1), Verifier(config, l1)
    l1.mine_empty(150)
    batches = await sequencer.build_to(l1.head.number)
    l1.mine(publish(sequencer.channel([sequencer.span(batches)])))
    await verifier.derive()
    assert verifier.safe_head == sequencer.head
    late = Verifier(config, l1)
    await late.derive()
    assert late.derived == verifier.derived


async def test_l1_flips_to_another_chain_and_back(scene: Scene) -> None:
    blocks = await scene.sequence(2)
    scene.publish(batches_of(blocks))
    first = scene.l1.head
    await scene.verifier.derive()
    safe = scene.verifier.reader.heads().safe
    for _ in range(2):
        scene.l1.fork(101)
        scene.l1.mine_empty(5)
        await follow(scene.verifier)
        assert scene.verifier.reader.heads().safe.number < safe.number
        await assert_a_newcomer_agrees(scene)
        scene.l1.bring_back(first)
        scene.l1.mine()
        await follow(scene.verifier)
        assert scene.verifier.reader.heads().safe == safe
        first = scene.l1.head


@pytest.mark.parametrize("kept", [101, 105])
async def test_a_reorg_deeper_than_the_window(scene: Scene, kept: int) -> None:
    for _ in range(15):
        blocks = await scene.sequence(1)
        scene.publish(batches_of(blocks))
        await follow(scene.verifier)
    before = scene.verifier.reader.heads().safe
    scene.l1.fork(kept)
    scene.l1.mine_empty(2 * scene.config.seq_window_size)
    await follow(scene.verifier)
    after = scene.verifier.reader.heads().safe
    assert after.number > scene.config.seq_window_size
    assert scene.verifier.reader.canonical_hash(before.number) != before.hash
    await follow(scene.sequencer)
    assert scene.sequencer.reader.heads().safe == after
    await assert_a_newcomer_agrees(scene)


async def test_finality_while_syncing(scene: Scene) -> None:
    """L1's finalized block is far ahead of what has been read of it."""
    for _ in range(4):
        scene.publish(batches_of(await scene.sequence(1)))
    scene.l1.mine_empty(2)
    await scene.verifier.deriver.reset()
    last = scene.sequencer.reader.heads().unsafe.number
    for number in range(1, last + 1):
        await scene.verifier.deriver.step()
        await scene.verifier.deriver.finalize(scene.l1.head)
        heads = scene.verifier.reader.heads()
        assert heads.finalized == heads.safe
        assert heads.safe.number == number


async def test_calldata_and_blobs_in_turn(scene: Scene) -> None:
    """One channel over calldata, a transaction of two blobs, and calldata again."""
    blocks = await scene.sequence()
    frames = make_channel(batches_of(blocks), 1, max_frame_size=120)
    assert len(frames) >= 4
    pieces = [encode_batcher_data([frame]) for frame in frames]
    scene.l1.mine(Included(batcher_transaction(pieces[0])))
    scene.l1.mine(publish_blobs(scene.l1, [encode_blob(piece) for piece in pieces[1:3]]))
    scene.l1.mine(*(Included(batcher_transaction(piece)) for piece in pieces[3:]))
    await scene.verifier.derive()
    assert scene.verifier.reader.heads().safe == blocks[-1].header.ref
