import asyncio
import logging

import pytest

from consensus.l1.watcher import L1Watcher
from consensus.l1.window import NotPrefetched
from node.clock import VirtualClock
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, keccak256
from tests.consensus.passing_time import settle
from tests.fakes.l1_source import FakeL1


def _watcher(l1: FakeL1, lookahead: int = 5) -> tuple[L1Watcher, VirtualClock]:
    clock = VirtualClock(0)
    return L1Watcher(l1, clock, poll_interval_s=4, lookahead=lookahead), clock


def _numbers(watcher: L1Watcher) -> list[int]:
    return [n for n in range(90, 200) if watcher.window.at(n) is not None]


async def test_knows_the_three_heads() -> None:
    l1 = FakeL1()
    watcher, _ = _watcher(l1)
    assert watcher.heads is None
    await watcher.poll()
    assert watcher.heads is not None
    assert (watcher.heads.safe, watcher.heads.finalized) == (None, None)
    l1.mine_empty(3)
    l1.set_label("safe", 102)
    l1.set_label("finalized", 101)
    await watcher.poll()
    heads = watcher.heads
    assert (heads.latest, heads.safe, heads.finalized) == (l1.at(103), l1.at(102), l1.at(101))


async def test_the_window_reaches_ahead_but_not_past_the_head() -> None:
    l1 = FakeL1()
    l1.mine_empty(10)
    watcher, _ = _watcher(l1)
    watcher.keep_from(l1.at(102).ref)
    await watcher.poll()
    assert _numbers(watcher) == [102, 103, 104, 105, 106, 107]
    watcher.keep_from(l1.at(108).ref)
    await watcher.poll()
    assert _numbers(watcher) == [108, 109, 110]


async def test_the_window_serves_headers_and_receipts_without_l1() -> None:
    l1 = FakeL1()
    l1.mine_empty(3)
    watcher, _ = _watcher(l1)
    watcher.keep_from(l1.at(101).ref)
    await watcher.poll()
    reads = l1.reads
    window = watcher.window
    assert (await window.header(l1.at(102).hash)).number == 102
    assert await window.receipts(l1.at(103).hash) == ()
    with pytest.raises(NotPrefetched):
        await window.header(l1.at(100).hash)
    with pytest.raises(NotPrefetched):
        await window.receipts(keccak256(b"unknown"))
    assert l1.reads == reads


async def test_orphans_leave_the_window() -> None:
    l1 = FakeL1()
    l1.mine_empty(6)
    watcher, _ = _watcher(l1)
    watcher.keep_from(l1.at(102).ref)
    await watcher.poll()
    l1.fork(103)
    l1.forget_orphans()
    l1.mine()
    await watcher.poll()
    assert [watcher.window.at(n) for n in (102, 103, 104, 105)] == [
        l1.at(102),
        l1.at(103),
        l1.at(104),
        None,
    ]


async def test_an_orphaned_base_is_replaced_by_the_canonical_block() -> None:
    l1 = FakeL1()
    l1.mine_empty(3)
    base = l1.at(102).ref
    watcher, _ = _watcher(l1)
    watcher.keep_from(base)
    await watcher.poll()
    l1.fork(101)
    l1.mine_empty(4)
    await watcher.poll()
    found = watcher.window.at(102)
    assert found == l1.at(102)
    assert found.hash != base.hash


async def test_going_back_starts_a_new_window() -> None:
    l1 = FakeL1()
    l1.mine_empty(9)
    watcher, _ = _watcher(l1)
    watcher.keep_from(l1.at(105).ref)
    await watcher.poll()
    watcher.keep_from(l1.at(101).ref)
    assert _numbers(watcher) == []
    await watcher.poll()
    assert _numbers(watcher) == [101, 102, 103, 104, 105, 106]


async def test_a_base_that_l1_has_not_reached_leaves_the_window_empty() -> None:
    l1 = FakeL1()
    watcher, _ = _watcher(l1)
    watcher.keep_from(BlockRef(keccak256(b"ahead"), BlockNumber(105)))
    await watcher.poll()
    assert _numbers(watcher) == []


async def test_an_outage_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    l1 = FakeL1()
    watcher, clock = _watcher(l1)
    await watcher.poll()
    running = asyncio.ensure_future(watcher.run())
    await settle()
    before = watcher.heads
    l1.mine()
    l1.fail(3)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            clock.advance(4)
            await settle()
            assert watcher.heads == before
        for _ in range(3):
            clock.advance(4)
            await settle()
    assert watcher.heads is not None
    assert watcher.heads.latest == l1.head
    texts = [record.getMessage().split(":")[0] for record in caplog.records]
    assert texts == [
        "L1 is not available, the last known heads stay",
        "L1 is available again",
    ]
    running.cancel()


async def test_waiters_learn_of_new_heads() -> None:
    l1 = FakeL1()
    watcher, clock = _watcher(l1)
    running = asyncio.ensure_future(watcher.run())
    first = await watcher.change(None)
    assert first.latest == l1.head
    waiting = asyncio.ensure_future(watcher.change(first))
    clock.advance(4)
    await settle()
    assert not waiting.done()
    l1.mine()
    clock.advance(4)
    assert (await waiting).latest == l1.head
    running.cancel()


async def test_a_hungry_window_does_not_wait_for_the_next_poll() -> None:
    l1 = FakeL1()
    l1.mine_empty(20)
    watcher, _ = _watcher(l1)
    running = asyncio.ensure_future(watcher.run())
    await settle()
    for number in (100, 104, 108, 112):
        watcher.keep_from(l1.at(number).ref)
        await settle()
        await settle()
        await settle()
        assert _numbers(watcher) == list(range(number, number + 6))
    running.cancel()


async def test_growth_of_the_window_is_told() -> None:
    l1 = FakeL1()
    watcher, _ = _watcher(l1)
    watcher.keep_from(l1.genesis.ref)
    await watcher.poll()
    growth = asyncio.ensure_future(watcher.growth())
    await settle(growth)
    assert not growth.done()
    await watcher.poll()  # nothing new
    await settle(growth)
    assert not growth.done()
    l1.mine()
    await watcher.poll()
    await growth


async def test_a_failed_poll_means_that_l1_is_down_until_one_succeeds() -> None:
    l1 = FakeL1()
    watcher, clock = _watcher(l1)
    running = asyncio.ensure_future(watcher.run())
    await settle()
    assert not watcher.is_down
    for failures, is_down in ((10**9, True), (0, False)):
        l1.fail(failures)
        clock.advance(4)
        await settle()
        assert watcher.is_down == is_down
    running.cancel()
    await asyncio.wait([running])
