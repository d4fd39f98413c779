import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from consensus.block_refs import L2BlockRef
from consensus.sequencer.pace import BlockTimer, OnDemand, Pace
from consensus.sequencer.sequencer import SequencerSettings
from node.clock import VirtualClock
from tests.consensus.passing_time import settle
from tests.consensus.rollup import BLOCK_TIME
from tests.consensus.rollup_node import RollupNode, make_genesis, user_transactions
from tests.fakes.l1_source import FakeL1

MakeNode = Callable[[SequencerSettings], RollupNode]


@pytest.fixture
def make_node() -> Iterator[MakeNode]:
    with ExitStack() as stack:

        def make(settings: SequencerSettings) -> RollupNode:
            l1 = FakeL1()
            config, genesis = make_genesis(l1)
            clock = VirtualClock(l1.genesis.timestamp)
            node = RollupNode(l1, config, genesis, clock, settings=settings)
            stack.callback(node.close)
            return node

        yield make


@pytest.fixture
def node(make_node: MakeNode) -> RollupNode:
    return make_node(SequencerSettings())


async def test_timer_waits_for_the_time_of_the_next_block(node: RollupNode) -> None:
    head = await node.l2.unsafe()
    timer = BlockTimer(node.clock, BLOCK_TIME)
    waiting = asyncio.ensure_future(timer.wait(head))
    await settle()
    node.clock.advance(BLOCK_TIME - 0.1)
    await settle()
    assert not waiting.done()
    node.clock.advance(0.1)
    await waiting


async def test_timer_does_not_wait_when_the_block_is_late(node: RollupNode) -> None:
    timer = BlockTimer(node.clock, BLOCK_TIME)
    node.clock.advance(100)
    await returns(timer, await node.l2.unsafe())


async def test_a_transaction_makes_a_block_due(node: RollupNode) -> None:
    pace = on_demand(node)
    head = await node.l2.unsafe()
    waiting = asyncio.ensure_future(pace.wait(head))
    await settle()
    assert not waiting.done()
    # As the JSON-RPC server does it: from another thread.
    await asyncio.to_thread(node.send, 0)
    await waiting
    await node.build()
    assert await is_waiting(pace, await node.l2.unsafe())


async def test_a_transaction_between_two_blocks_is_not_missed(node: RollupNode) -> None:
    pace = on_demand(node)
    node.send(0)
    await settle()
    await returns(pace, await node.l2.unsafe())


async def test_one_that_waits_for_a_nonce_makes_one_block_only(node: RollupNode) -> None:
    """It can never be included, and a block for nothing is enough to find out."""
    pace = on_demand(node)
    node.send(5)
    await settle()
    await returns(pace, await node.l2.unsafe())
    await node.build()
    assert await is_waiting(pace, await node.l2.unsafe())


async def test_what_did_not_fit_gets_the_next_block(make_node: MakeNode) -> None:
    node = make_node(SequencerSettings(max_da_bytes=1_000))
    pace = on_demand(node)
    for nonce in range(3):
        node.send(nonce, data=bytes(600))
    await settle()
    for left in (2, 1, 0):
        await returns(pace, await node.l2.unsafe())
        await node.build()
        assert node.mempool.ready_count() == left
    assert await is_waiting(pace, await node.l2.unsafe())


async def test_what_is_never_taken_makes_no_more_blocks(make_node: MakeNode) -> None:
    """A ready transaction that a block leaves out waits for the next arrival."""
    node = make_node(SequencerSettings(fill_share=0))
    pace = on_demand(node)
    for nonce in range(2):
        node.send(nonce)
        await settle()
        await returns(pace, await node.l2.unsafe())
        assert not user_transactions(await node.build())
        assert await is_waiting(pace, await node.l2.unsafe())
    assert node.mempool.ready_count() == 2


async def test_empty_blocks_follow_l1(node: RollupNode) -> None:
    pace = on_demand(node)
    await node.watcher.poll()
    head = await node.l2.unsafe()
    waiting = asyncio.ensure_future(pace.wait(head))
    await settle()
    assert not waiting.done()
    node.l1.mine(timestamp=head.timestamp + 2 * BLOCK_TIME)
    await node.watcher.poll()
    await waiting
    built = 0
    while not await is_waiting(pace, await node.l2.unsafe()):
        await node.build()
        built += 1
    assert built == 2


async def test_a_block_that_was_not_built_is_due_again(node: RollupNode) -> None:
    """L1 may be behind: the sequencer comes back with the same head, and no new transaction."""
    pace = on_demand(node)
    node.send(0)
    await settle()
    head = await node.l2.unsafe()
    await returns(pace, head)
    await returns(pace, head)
    await node.build()
    assert await is_waiting(pace, await node.l2.unsafe())


def on_demand(node: RollupNode) -> OnDemand:
    return OnDemand(node.mempool, node.watcher, BLOCK_TIME)


async def returns(pace: Pace, head: L2BlockRef) -> None:
    await asyncio.wait_for(pace.wait(head), 5)


async def is_waiting(pace: Pace, head: L2BlockRef) -> bool:
    waiting = asyncio.ensure_future(pace.wait(head))
    await settle(waiting)
    done = waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])
    return not done
