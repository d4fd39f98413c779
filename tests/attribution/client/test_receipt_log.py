"""No receipt is logged twice or left out, whatever the chain does."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.client import AttributionClient, ReceiptLog
from attribution.client.receipt_log import MAX_CALL_DATA, call_size, flush
from attribution.records import Record
from attribution.refusals import BadSequence, BatchTooLarge, NotIncluded, WrongLogger
from node.errors import InvalidInput
from node.types.primitives import Address, Hash32
from openrollup.testing import Devnet
from tests.attribution.client.fake_chain import FAULTS, LOGGER, FakeChain
from tests.attribution.client.scene import PRICE, receipt

KEY = Hash32(b"\x5c" * 32)


def records(count: int) -> list[Record]:
    return [receipt() for _ in range(count)]


def new_log(limit: int = MAX_CALL_DATA) -> tuple[ReceiptLog, FakeChain]:
    log = ReceiptLog(KEY, LOGGER, limit)
    return log, FakeChain(log.stream)


steps = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 3)),
    st.tuples(st.just("flush"), st.sampled_from(FAULTS)),
    st.tuples(st.just("reorg"), st.integers(1, 3)),
    st.tuples(st.just("forget"), st.integers(1, 3)),
    st.tuples(st.sampled_from(["mine", "safe", "write", "crash"]), st.none()),
)


@settings(max_examples=300)
@given(st.lists(steps, max_size=30))
def test_each_receipt_once(walk: list[tuple[str, object]]) -> None:
    log, chain = new_log(limit=4 + 128 + 96)
    given_records: list[Record] = []
    for step, value in walk:
        if step == "add":
            assert isinstance(value, int)
            given_records += records(value)
            for record in given_records[-value:]:
                log.add(record)
        elif step == "flush":
            chain.fault = str(value)
            try:
                chain.carry_out(flush(chain.party, log))
            except NotIncluded:
                assert log.waiting
        elif step in ("reorg", "forget"):
            assert isinstance(value, int)
            chain.reorg(value, back_to_pool=step == "reorg")
        elif step == "crash":
            log = ReceiptLog.from_json(log.to_json())
        elif step == "mine":
            chain.mine()
        elif step == "safe":
            chain.make_safe()
        else:
            chain.write(records(1))
    chain.mine()
    chain.fault = "none"
    chain.carry_out(flush(chain.party, log))
    logged = Counter(record.commitment for record in chain.records)
    assert log.waiting == 0
    assert [logged[record.commitment] for record in given_records] == [1] * len(given_records)


def test_an_earlier_try_that_wins_after_all() -> None:
    log, chain = new_log()
    record = receipt()
    log.add(record)
    chain.fault = "slow"
    with pytest.raises(NotIncluded):
        chain.carry_out(flush(chain.party, log))
    chain.write(records(1))
    assert len(chain.carry_out(flush(chain.party, log))) == 1
    chain.reorg(2, back_to_pool=False)
    chain.mine()
    assert chain.carry_out(flush(chain.party, log)) == ()
    assert chain.records == [record]


def test_batches_fill_their_transactions() -> None:
    log, chain = new_log()
    some = records(5_000)
    for record in some:
        log.add(record)
    first, second = chain.carry_out(flush(chain.party, log))
    assert first.block + 1 == second.block
    assert chain.records == some
    taken = next(n for n in range(3_500, 5_000) if call_size(some[: n + 1]) > MAX_CALL_DATA)
    assert len(chain._batches[0].records) == taken


def test_a_record_that_no_transaction_takes() -> None:
    log, _ = new_log(limit=100)
    with pytest.raises(BatchTooLarge):
        log.add(receipt())
    assert log.waiting == 0


def test_another_writer_that_always_wins() -> None:
    log, chain = new_log()
    log.add(receipt())
    answer = chain._send

    def beaten(request: object) -> object:
        chain.fault = "late-revert"
        return answer(request)  # type: ignore[arg-type]

    chain._send = beaten  # type: ignore[method-assign, assignment]
    with pytest.raises(BadSequence):
        chain.carry_out(flush(chain.party, log))
    assert log.waiting == 1


def test_a_log_of_somebody_else() -> None:
    log = ReceiptLog(KEY, Address(b"\x0b" * 20))
    log.add(receipt())
    with pytest.raises(WrongLogger):
        FakeChain(log.stream).carry_out(flush(FakeChain(0).party, log))


def test_a_receipt_is_taken_out() -> None:
    log, chain = new_log()
    keep, drop = records(2)
    log.add(drop)
    log.add(keep)
    log.next_batch(0)
    log.remove(drop)
    assert log.waiting == 1
    chain.carry_out(flush(chain.party, log))
    assert chain.records == [keep]
    with pytest.raises(InvalidInput, match="not sent"):
        log.remove(keep)


@pytest.mark.parametrize("content", [None, {}, [], {"modelKey": 1}, {"modelKey": "0x", "limit": 1}])
def test_what_is_no_log(content: object) -> None:
    with pytest.raises(InvalidInput, match="receipt log"):
        ReceiptLog.from_json(content)


@pytest.mark.devnet(automine=True)
def test_a_node_whose_chain_goes_back(devnet: Devnet) -> None:
    owner = AttributionClient(devnet.w3, devnet.accounts[1])
    model = owner.register_model(bytes(32), "", price_gwei=PRICE, owner_bps=0, logger=owner.address)
    log = ReceiptLog(model.model_key, owner.address)
    first, second = records(2)
    log.add(first)
    owner.flush(log)
    before = devnet.snapshot()
    log.add(second)
    owner.flush(log)
    assert owner.head(owner.address, model.stream).count == 2
    devnet.revert(before)
    again = AttributionClient(devnet.w3, devnet.accounts[1])
    assert again.head(owner.address, model.stream).count == 1
    assert len(again.flush(log)) == 1
    assert again.head(owner.address, model.stream).count == 2
    assert again.flush(log) == ()
    devnet.derive()
    again.flush(log)
    assert (log.waiting, log.unsafe) == (0, 0)
