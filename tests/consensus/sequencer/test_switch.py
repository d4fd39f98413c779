import asyncio
from collections.abc import Iterator

import pytest

from consensus.sequencer.switch import SequencerSwitch
from node.clock import VirtualClock
from node.errors import OperationRefused
from node.types.primitives import keccak256
from tests.consensus.passing_time import settle
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.l1_source import FakeL1


@pytest.fixture
def node() -> Iterator[RollupNode]:
    l1 = FakeL1()
    config, genesis = make_genesis(l1)
    node = RollupNode(l1, config, genesis, VirtualClock(l1.genesis.timestamp))
    yield node
    node.close()


async def test_a_stop_returns_the_unsafe_head_and_a_start_needs_it(node: RollupNode) -> None:
    switch = SequencerSwitch(node.reader)
    head = await node.build()
    assert switch.is_active
    assert await switch.stop() == head.hash
    assert not switch.is_active
    await switch.start(head.hash)
    assert switch.is_active


async def test_it_may_be_off_from_the_beginning(node: RollupNode) -> None:
    switch = SequencerSwitch(node.reader, is_active=False)
    waiting = asyncio.ensure_future(switch.activated())
    await settle(waiting)
    assert not waiting.done()
    await switch.start(node.config.genesis.l2.hash)
    await waiting


async def test_another_head_is_refused_in_the_words_of_op_node(node: RollupNode) -> None:
    switch = SequencerSwitch(node.reader, is_active=False)
    parent, head = await node.build(), await node.build()
    for given in (parent.hash, keccak256(b"nothing")):
        with pytest.raises(OperationRefused) as caught:
            await switch.start(given)
        assert str(caught.value) == (
            f"block hash does not match: head 0x{head.hash.hex()}:2, received 0x{given.hex()}"
        )
    assert not switch.is_active


async def test_what_is_done_already_is_refused(node: RollupNode) -> None:
    switch = SequencerSwitch(node.reader)
    with pytest.raises(OperationRefused, match=r"^sequencer already running$"):
        await switch.start(node.config.genesis.l2.hash)
    await switch.stop()
    with pytest.raises(OperationRefused, match=r"^sequencer not running$"):
        await switch.stop()


async def test_a_stop_waits_for_the_turn_that_has_begun(node: RollupNode) -> None:
    switch = SequencerSwitch(node.reader)
    async with switch.turn:
        stopping = asyncio.ensure_future(switch.stop())
        await settle(stopping)
        assert not stopping.done()
        block = await node.build()
        assert switch.is_active
    assert await stopping == block.hash
