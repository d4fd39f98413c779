import asyncio
import itertools
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.l1.client import TransactionInclusion
from consensus.l1.json_rpc import RpcFault
from consensus.l1.tx_sender import (
    InsufficientL1Funds,
    SenderSettings,
    TransactionRefused,
    TransactionRequest,
    TxSender,
)
from node.clock import VirtualClock
from node.types.primitives import Address, Hash32, keccak256
from node.types.transaction import Transaction, address_of_key, sign_dynamic_fee
from tests.consensus.passing_time import let_time_pass, settle
from tests.fakes.pool_l1 import ETHER, PoolL1

T = TypeVar("T")

KEY = keccak256(b"sender")
INBOX = Address(b"\x42" * 20)
START = 1_700_000_000


class Scene:
    """A sender on a fake L1 in virtual time."""

    def __init__(self, settings: SenderSettings | None = None) -> None:
        self.l1 = PoolL1()
        self.clock = VirtualClock(START)
        self.sender = TxSender(self.l1, KEY, 900, self.clock, settings)

    def request(self, data: bytes = b"data") -> TransactionRequest:
        return TransactionRequest(INBOX, data, 50_000)

    def included_data(self) -> list[bytes]:
        mined = [tx for block in self.l1._chain() for tx in block.transactions]
        return [tx.data for tx in mined if tx.to == INBOX]


async def test_waits_until_a_block_holds_the_transaction() -> None:
    scene = Scene()
    sending = asyncio.ensure_future(scene.sender.send(scene.request()))
    await settle()
    assert len(scene.l1.pool) == 1
    assert not sending.done()
    block = scene.l1.mine_pool()
    inclusion = await let_time_pass(scene.clock, _awaited(sending))
    assert inclusion.block == block
    assert inclusion.status == 1


async def test_waits_for_confirmations() -> None:
    scene = Scene(SenderSettings(confirmations=3))
    sending = asyncio.ensure_future(scene.sender.send(scene.request()))
    await settle()
    scene.l1.mine_pool()
    scene.l1.mine()
    scene.clock.advance(5)
    await settle()
    assert not sending.done()
    scene.l1.mine()
    assert (await let_time_pass(scene.clock, _awaited(sending))).block.number == 101


async def test_concurrent_sends_are_included_in_the_order_of_the_calls() -> None:
    scene = Scene()
    payloads = [bytes([i]) for i in range(20)]
    sends = [asyncio.ensure_future(scene.sender.send(scene.request(p))) for p in payloads]
    await settle()
    scene.l1.mine_pool()
    await let_time_pass(scene.clock, _all(sends))
    assert scene.included_data() == payloads


async def test_a_stuck_transaction_is_replaced_by_a_dearer_one() -> None:
    scene = Scene(SenderSettings(resend_after_s=10))
    scene.l1.minimum_price = 18 * 10**9

    def each_second(second: int) -> None:
        if second % 12 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, scene.sender.send(scene.request()), each_second=each_second)
    prices = [tx.max_fee_per_gas for tx in scene.l1.accepted]
    assert len(prices) > 1
    assert all(new * 100 >= old * 110 for old, new in itertools.pairwise(prices))
    assert {tx.nonce for tx in scene.l1.accepted} == {0}
    assert scene.included_data() == [b"data"]


async def test_an_l1_of_quick_blocks_is_not_waited_for_by_the_clock_alone() -> None:
    """Four blocks without it, of two seconds each; those behind it are not offered more for."""
    scene = Scene()
    sends = [asyncio.ensure_future(scene.sender.send(scene.request())) for _ in range(3)]
    await settle()
    del scene.l1.pool[scene.sender.address, 0]

    def each_second(second: int) -> None:
        if second % 2 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, _all(sends), each_second=each_second)
    assert [tx.nonce for tx in scene.l1.accepted] == [0, 1, 2, 0]
    assert scene.clock.now() < START + 20


async def test_a_long_queue_is_no_reason_to_offer_more() -> None:
    """L1 takes one of them in each block."""
    scene = Scene(SenderSettings(resend_after_s=10**9))
    sends = [asyncio.ensure_future(scene.sender.send(scene.request())) for _ in range(12)]
    await settle()

    def each_second(second: int) -> None:
        if second % 12 == 0:
            scene.l1.mine_pool(1)

    await let_time_pass(scene.clock, _all(sends), each_second=each_second)
    assert [tx.nonce for tx in scene.l1.accepted] == list(range(12))


async def test_fees_stop_at_the_limit() -> None:
    limit = 16 * 10**9
    scene = Scene(SenderSettings(resend_after_s=10, fee_limit=limit))
    scene.l1.minimum_price = 2 * limit

    def each_second(second: int) -> None:
        if second == 400:
            scene.l1.minimum_price = 0
        if second % 12 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, scene.sender.send(scene.request()), each_second=each_second)
    assert max(tx.max_fee_per_gas for tx in scene.l1.accepted) <= limit


async def test_a_transaction_that_l1_forgot_is_handed_over_again() -> None:
    scene = Scene(SenderSettings(resend_after_s=10))
    sending = asyncio.ensure_future(scene.sender.send(scene.request()))
    await settle()
    scene.l1.drop_pool()

    def each_second(second: int) -> None:
        if second % 12 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, _awaited(sending), each_second=each_second)
    assert scene.included_data() == [b"data"]


async def test_a_transaction_in_an_orphaned_block_is_sent_again() -> None:
    scene = Scene(SenderSettings(confirmations=3, resend_after_s=10))
    sending = asyncio.ensure_future(scene.sender.send(scene.request()))
    await settle()
    scene.l1.mine_pool()
    scene.clock.advance(1)
    await settle()
    scene.l1.fork(100)
    scene.l1.mine()

    def each_second(second: int) -> None:
        if second % 12 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, _awaited(sending), each_second=each_second)
    assert scene.included_data() == [b"data"]


async def test_a_nonce_that_was_used_elsewhere_is_given_up() -> None:
    scene = Scene(SenderSettings(resend_after_s=10))
    sending = asyncio.ensure_future(scene.sender.send(scene.request()))
    await settle()
    scene.l1.drop_pool()
    await scene.l1.send_raw_transaction(_foreign(0).raw)
    scene.l1.mine_pool()

    def each_second(second: int) -> None:
        if second % 12 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, _awaited(sending), each_second=each_second)
    assert scene.included_data() == [b"foreign", b"data"]


async def test_a_nonce_that_was_asked_for_is_the_only_one() -> None:
    scene = Scene()
    for payload in (b"first", b"second"):
        taken = len(scene.included_data())
        sending = asyncio.ensure_future(scene.sender.send_at(taken, scene.request(payload)))
        await settle()
        scene.l1.mine_pool()
        inclusion = await let_time_pass(scene.clock, _awaited(sending))
        assert inclusion is not None
    assert scene.included_data() == [b"first", b"second"]
    late = asyncio.ensure_future(scene.sender.send_at(1, scene.request(b"third")))
    assert await let_time_pass(scene.clock, _awaited(late)) is None
    assert scene.l1.pool == {}


async def test_pending_transactions_of_an_earlier_run_are_replaced() -> None:
    scene = Scene()
    await scene.l1.send_raw_transaction(_foreign(0, price=40 * 10**9).raw)
    sending = asyncio.ensure_future(scene.sender.send(scene.request()))
    await settle()
    await settle()
    scene.l1.mine_pool()
    await let_time_pass(scene.clock, _awaited(sending))
    assert scene.included_data() == [b"data"]


async def test_a_gap_that_a_reorg_left_is_filled() -> None:
    """The first transaction counted as included, then L1 took it back and forgot it."""
    scene = Scene(SenderSettings(resend_after_s=10))
    scene.l1.minimum_price = 0
    first = asyncio.ensure_future(scene.sender.send(scene.request(b"first")))
    await settle()
    scene.l1.mine_pool()
    await let_time_pass(scene.clock, _awaited(first))
    second = asyncio.ensure_future(scene.sender.send(scene.request(b"second")))
    await settle()
    assert [nonce for _, nonce in scene.l1.pool] == [1]
    scene.l1.fork(100)

    def each_second(second: int) -> None:
        if second % 12 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, _awaited(second), each_second=each_second)
    assert scene.included_data() == [b"second"]


async def test_an_outage_only_delays() -> None:
    scene = Scene()
    scene.l1.fail(7)

    def each_second(second: int) -> None:
        if second in (20, 21):
            scene.l1.fail(2)
        if second % 12 == 0:
            scene.l1.mine_pool()

    await let_time_pass(scene.clock, scene.sender.send(scene.request()), each_second=each_second)
    assert scene.included_data() == [b"data"]


async def test_an_outage_only_delays_what_is_affordable() -> None:
    scene = Scene()
    scene.l1.fail(3)
    count = await let_time_pass(scene.clock, scene.sender.affordable(scene.request()))
    assert count > 0


async def test_an_answer_that_was_lost_does_not_send_twice() -> None:
    """L1 takes the transaction but the answer does not arrive: handing over again is harmless."""

    class DeafL1(PoolL1):
        lost = 0

        async def send_raw_transaction(self, raw: bytes) -> Hash32:
            answer = await super().send_raw_transaction(raw)
            if self.lost < 2:
                self.lost += 1
                self.mine_pool()
                raise RpcFault("eth_sendRawTransaction", -32603, "internal error")
            return answer

    scene = Scene()
    scene.l1 = DeafL1()
    scene.sender = TxSender(scene.l1, KEY, 900, scene.clock, SenderSettings(resend_after_s=5))
    await let_time_pass(scene.clock, scene.sender.send(scene.request()))
    assert scene.included_data() == [b"data"]


async def test_low_funds_are_named() -> None:
    scene = Scene()
    scene.l1.balances[scene.sender.address] = ETHER // 1000
    with pytest.raises(InsufficientL1Funds, match=r"has 0\.001000 ether on L1 and needs 0\.0"):
        await scene.sender.send(TransactionRequest(INBOX, b"", 5_000_000))
    # The nonce is free again: after a payment the next transaction fills it.
    scene.l1.balances[scene.sender.address] = ETHER
    sending = asyncio.ensure_future(scene.sender.send(scene.request()))
    await settle()
    assert [nonce for _, nonce in scene.l1.pool] == [0]
    scene.l1.mine_pool()
    await let_time_pass(scene.clock, _awaited(sending))


async def test_a_refusal_for_another_reason_is_an_error() -> None:
    class StrictL1(PoolL1):
        async def send_raw_transaction(self, raw: bytes) -> Hash32:
            raise RpcFault("eth_sendRawTransaction", -32000, "exceeds block gas limit")

    scene = Scene()
    sender = TxSender(StrictL1(), KEY, 900, scene.clock)
    with pytest.raises(TransactionRefused, match="exceeds block gas limit"):
        await sender.send(scene.request())


async def test_a_cancelled_send_frees_its_nonce() -> None:
    scene = Scene()
    first = asyncio.ensure_future(scene.sender.send(scene.request(b"first")))
    await settle()
    first.cancel()
    await settle()
    second = asyncio.ensure_future(scene.sender.send(scene.request(b"second")))
    await settle()
    scene.l1.mine_pool()
    await let_time_pass(scene.clock, _awaited(second))
    assert scene.included_data() == [b"second"]


@given(
    st.lists(st.sampled_from(["mine", "drop", "fail", "dear", "cheap", "fork"]), max_size=40),
    st.integers(1, 6),
)
def test_whatever_l1_does_each_payload_is_included_once_on_its_chain(
    events: list[str], count: int
) -> None:
    asyncio.run(_survive(events, count))


async def _survive(events: list[str], count: int) -> None:
    scene = Scene(SenderSettings(resend_after_s=7, confirmations=1))
    payloads = [bytes([i]) for i in range(count)]
    sends = [asyncio.ensure_future(scene.sender.send(scene.request(p))) for p in payloads]

    def each_second(second: int) -> None:
        event = events[second] if second < len(events) else "mine"
        if second == len(events):
            scene.l1.minimum_price = 0
        if event == "mine":
            scene.l1.mine_pool(limit=2)
        elif event == "drop":
            scene.l1.drop_pool()
        elif event == "fail":
            scene.l1.fail(3)
        elif event in ("dear", "cheap"):
            scene.l1.minimum_price = 20 * 10**9 if event == "dear" else 0
        elif event == "fork" and scene.l1.head.number > 100:
            _fork_keeping_transactions(scene.l1)

    inclusions = await let_time_pass(scene.clock, _all(sends), each_second=each_second, limit_s=600)
    assert len({inclusion.hash for inclusion in inclusions}) == count
    # A block may hold the payload of a send that was confirmed before a fork: never twice.
    data = scene.included_data()
    assert len(data) == len(set(data))


def _fork_keeping_transactions(l1: PoolL1) -> None:
    """Replace the newest block; what was in it goes back to the pool, as in a real node."""
    orphan = l1._blocks[l1.head.hash]
    l1.fork(l1.head.number - 1)
    for tx in orphan.transactions:
        l1.pool[tx.sender, tx.nonce] = tx  # type: ignore[index, assignment]
    l1.mine()


def _foreign(nonce: int, price: int = 10**9) -> Transaction:
    return sign_dynamic_fee(
        KEY,
        chain_id=900,
        nonce=nonce,
        max_priority_fee_per_gas=price,
        max_fee_per_gas=price,
        gas=21_000,
        to=INBOX,
        data=b"foreign",
    )


async def _awaited(task: "asyncio.Future[T]") -> T:
    return await task


async def _all(tasks: "list[asyncio.Future[TransactionInclusion]]") -> list[TransactionInclusion]:
    return list(await asyncio.gather(*tasks))


def test_the_address_is_the_keys() -> None:
    assert Scene().sender.address == address_of_key(KEY)
