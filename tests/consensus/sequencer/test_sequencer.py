from collections.abc import Iterator
from dataclasses import replace

import pytest

from consensus.l1_info import decode_l1_info_deposit
from consensus.sequencer.origin_selector import NoOrigin
from consensus.sequencer.sequencer import SequencerSettings
from node.clock import VirtualClock
from node.errors import CriticalError, ResetError
from node.types.block import Block
from node.types.deposit import DepositTransaction
from node.types.transaction import address_of_key
from tests.consensus.passing_time import let_time_pass
from tests.consensus.rollup import USER_KEY, deposit_log, with_logs
from tests.consensus.rollup_node import FRIEND, RollupNode, make_genesis, user_transactions
from tests.fakes.l1_source import FakeL1

USER = address_of_key(USER_KEY)


@pytest.fixture
def node() -> Iterator[RollupNode]:
    l1 = FakeL1()
    config, genesis = make_genesis(l1)
    node = RollupNode(l1, config, genesis, VirtualClock(l1.genesis.timestamp))
    yield node
    node.close()


async def test_blocks_hold_the_l1_attributes_and_pending_transactions(node: RollupNode) -> None:
    node.send(0)
    node.send(1)
    block = await node.build()
    info = decode_l1_info_deposit(block)
    assert (block.number, block.header.timestamp) == (1, node.l1.genesis.timestamp + 2)
    assert (info.l1_block, info.sequence_number) == (node.l1.genesis.ref, 1)
    assert len(user_transactions(block)) == 2
    assert len(node.mempool) == 0
    account = node.reader.account(FRIEND, block.header)
    assert account is not None
    assert account.balance == 2


async def test_adopts_origins_with_their_deposits_in_time(node: RollupNode) -> None:
    node.l1.mine(with_logs(deposit_log(sender=USER, to=FRIEND, mint=5, value=5)))
    node.l1.mine()
    blocks = await node.build_until_l1_head()
    origins = [decode_l1_info_deposit(block).l1_block.number for block in blocks]
    assert origins == [100] * 5 + [101] * 6 + [102]
    first = blocks[5]
    assert [isinstance(tx, DepositTransaction) for tx in first.transactions] == [True, True]
    account = node.reader.account(FRIEND, first.header)
    assert account is not None
    assert account.balance == 5


async def test_waits_for_confirmations_of_an_origin() -> None:
    l1 = FakeL1()
    config, genesis = make_genesis(l1)
    settings = SequencerSettings(l1_confirmations=2)
    node = RollupNode(l1, config, genesis, VirtualClock(l1.genesis.timestamp), settings=settings)
    l1.mine_empty(2)
    blocks = await node.build_until_l1_head()
    assert {decode_l1_info_deposit(block).l1_block.number for block in blocks} == {100}
    l1.mine()
    assert decode_l1_info_deposit(await node.build()).l1_block.number == 101
    node.close()


async def test_needs_nothing_of_l1_once_it_was_fetched(node: RollupNode) -> None:
    node.l1.mine_empty(5)
    node.watcher.keep_from(node.l1.genesis.ref)
    await node.watcher.poll()
    node.l1.fail(10**9)
    for _ in range(20):
        assert isinstance(await node.sequencer.step(), Block)


async def test_past_the_drift_it_stops_until_l1_goes_on(node: RollupNode) -> None:
    start = node.l1.genesis.timestamp
    while (head := await node.l2.unsafe()).timestamp < start + 1800:
        await node.build()
    assert head.l1_origin.number == 100
    outcome = await node.sequencer.step()
    assert isinstance(outcome, NoOrigin)
    assert "more than 1800 s after L1 block 100" in outcome.reason
    # L1 comes back with a block that is later than ours: until then, deposits alone.
    node.l1.mine(timestamp=start + 1806)
    node.send(0)
    blocks = [await node.build() for _ in range(3)]
    assert [len(user_transactions(block)) for block in blocks] == [0, 0, 1]
    assert decode_l1_info_deposit(blocks[2]).l1_block.number == 101


async def test_a_late_sequencer_waits_for_origins_that_are_being_fetched(node: RollupNode) -> None:
    node.l1.mine_empty(3)
    node.watcher.keep_from(node.l1.genesis.ref)
    await node.watcher.poll()
    node.watcher.window.drop_newest()
    node.watcher.window.drop_newest()
    node.watcher.window.drop_newest()
    node.clock.advance(30)
    outcome = await node.sequencer.step()
    assert isinstance(outcome, NoOrigin)
    assert "L1 block 101 is being fetched" in outcome.reason
    await node.watcher.poll()
    assert isinstance(await node.sequencer.step(), Block)


async def test_without_any_word_from_l1_there_is_no_block(node: RollupNode) -> None:
    assert isinstance(await node.sequencer.step(), NoOrigin)


async def test_an_orphaned_origin_asks_for_a_reset(node: RollupNode) -> None:
    node.l1.mine_empty(2)
    await node.build_until_l1_head()
    node.l1.fork(100)
    node.l1.mine_empty(3)
    node.watcher.keep_from((await node.l2.unsafe()).l1_origin)
    await node.watcher.poll()
    with pytest.raises(ResetError, match="the origin of the unsafe head"):
        await node.sequencer.step()


async def test_blocks_come_at_their_time_and_late_ones_at_once(node: RollupNode) -> None:
    node.l1.mine_empty(5)
    node.watcher.keep_from(node.l1.genesis.ref)
    await node.watcher.poll()
    start = node.clock.now()
    assert (
        await let_time_pass(node.clock, node.sequencer.wait_until_due()) == await node.l2.unsafe()
    )
    assert node.clock.now() >= start + 2
    assert isinstance(await node.sequencer.step(), Block)
    node.clock.advance(20)
    now = node.clock.now()
    while (await node.l2.unsafe()).timestamp + 2 <= now:
        await node.sequencer.wait_until_due()
        assert isinstance(await node.sequencer.step(), Block)
    assert node.clock.now() == now


async def test_the_data_limit_leaves_transactions_for_the_next_block() -> None:
    l1 = FakeL1()
    config, genesis = make_genesis(l1)
    settings = SequencerSettings(max_da_bytes=2500)
    node = RollupNode(l1, config, genesis, VirtualClock(l1.genesis.timestamp), settings=settings)
    for nonce in range(4):
        node.send(nonce, data=b"\x01" * 1000)
    assert [len(user_transactions(await node.build())) for _ in range(3)] == [2, 2, 0]
    node.close()


async def test_no_time_left_means_deposits_alone(node: RollupNode) -> None:
    node.sequencer._settings = replace(node.sequencer._settings, fill_share=0.0)
    node.send(0)
    assert user_transactions(await node.build()) == []


async def test_forced_transactions_that_make_no_block_are_critical(node: RollupNode) -> None:
    log = deposit_log(sender=USER, to=FRIEND, gas=30_000_000)
    node.l1.mine(with_logs(log))
    with pytest.raises(CriticalError, match="makes no block"):
        await node.build_until_l1_head()
