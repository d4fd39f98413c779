import asyncio

import pytest

from consensus.block_refs import L1BlockRef
from consensus.l1.read_ahead import ReadAhead
from consensus.l1.source import L1NotFound
from node.errors import TemporaryError
from tests.consensus.passing_time import settle
from tests.fakes.l1_source import FakeL1


class SlowL1(FakeL1):
    """Counts how many blocks are being looked up at once."""

    def __init__(self) -> None:
        super().__init__()
        self.running = 0
        self.most = 0
        self.looked_up: list[int] = []

    async def block_ref_by_number(self, number: int) -> L1BlockRef:
        self.looked_up.append(number)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0)
        finally:
            self.running -= 1
        return await super().block_ref_by_number(number)


def _source(final: int | None, width: int = 5) -> tuple[SlowL1, ReadAhead]:
    l1 = SlowL1()
    l1.mine_empty(30)
    return l1, ReadAhead(l1, lambda: final, width=width)


async def test_final_blocks_are_fetched_ahead_and_once() -> None:
    l1, ahead = _source(final=120)
    for number in range(101, 125):
        assert await ahead.block_ref_by_number(number) == l1.at(number)
    assert sorted(l1.looked_up) == list(range(101, 125))
    assert l1.most == 6
    ahead.close()


async def test_what_is_not_final_is_not_fetched_ahead() -> None:
    for final in (None, 101):
        l1, ahead = _source(final=final)
        await ahead.block_ref_by_number(101)
        await settle()
        assert l1.looked_up == [101]


async def test_a_failure_is_told_to_whoever_asks_and_can_be_repeated() -> None:
    l1, ahead = _source(final=130, width=2)
    await ahead.block_ref_by_number(101)
    l1.fail(10)
    await settle()
    with pytest.raises(TemporaryError):
        await ahead.block_ref_by_number(102)
    l1.fail(0)
    assert await ahead.block_ref_by_number(102) == l1.at(102)
    with pytest.raises(L1NotFound):
        await ahead.block_ref_by_number(200)


async def test_going_elsewhere_gives_up_what_was_on_its_way() -> None:
    l1, ahead = _source(final=130, width=3)
    await ahead.block_ref_by_number(101)
    await ahead.block_ref_by_number(120)
    assert sorted(ahead._fetches) == [121, 122, 123]
    ahead.close()
    await settle()
    assert ahead._fetches == {}
    assert l1.running == 0


async def test_everything_else_is_passed_on() -> None:
    l1, ahead = _source(final=None)
    head = l1.head
    assert await ahead.chain_id() == 900
    assert await ahead.block_ref_by_label("latest") == head
    assert (await ahead.header(head.hash)).hash == head.hash
    assert (await ahead.block(head.hash)).hash == head.hash
    assert await ahead.receipts(head.hash) == ()
