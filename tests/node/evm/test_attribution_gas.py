"""Receipts cost what the schedule says, to the last unit, and no work is done unpaid."""

import gc
import sys
from dataclasses import replace
from itertools import accumulate
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.calldata import decode_error, encode_append, encode_credit, encode_head
from node.evm.attribution import ATTRIBUTION_ADDRESS, MAX_LANE_CALLDATA, lane_intrinsic_gas
from node.evm.rules import rules_at
from node.types.attribution_record import Record, encode_records
from node.types.attribution_stream import credit_slot, stream_slot
from node.types.primitives import Address, Hash32
from tests.node.evm.receipt_machine import ALICE, BOB, CONFIG, GAS, ReceiptMachine, record
from tests.node.evm.receipt_model import ReceiptModel
from tests.node.types.attribution_strategies import amounts, influence_tuples, records

few_datasets = st.lists(st.integers(0, 4), unique=True, max_size=4).map(sorted)
crowded_records = st.builds(
    lambda amount, datasets: record(amount, *[(dataset, 2000 + dataset) for dataset in datasets]),
    amounts,
    few_datasets,
)
batches = st.lists(crowded_records | records, min_size=1, max_size=6)
appends = st.tuples(st.sampled_from([ALICE, BOB]), st.sampled_from([1, 2**63]), batches)


@settings(max_examples=60)
@given(st.lists(st.lists(appends, max_size=4), max_size=4))
def test_any_history_is_the_model(
    transactions: list[list[tuple[Address, int, list[Record]]]],
) -> None:
    machine, model = ReceiptMachine(), ReceiptModel()
    for calls in transactions:
        for logger, stream, batch in calls:
            count = model.counts(logger, stream)[0]
            gas = sum(model.charges(logger, stream, batch))
            output, event = model.append(logger, stream, batch)
            outcome = machine.call(encode_append(stream, count, batch), sender=logger)
            assert (GAS - outcome.gas_left, outcome.refund) == (gas, 0)
            assert outcome.output == output
            assert [log.data for log in outcome.logs] == [event]
        machine.world.end_transaction()
        model.end_transaction()
    for (logger, stream, dataset), value in model.now.items():
        if dataset is None:
            found = machine.stream(logger, stream)
            assert (found.count, found.amount, found.credited) == value
        else:
            assert machine.credit(dataset, logger, stream) == value


@given(
    st.lists(
        st.builds(Record, st.integers(0, 9), influence_tuples(), st.just(Hash32(bytes(32)))),
        min_size=1,
        max_size=4,
    )
)
def test_credits_never_exceed_the_amount(batch: list[Record]) -> None:
    machine = ReceiptMachine()
    machine.append(0, batch)
    state = machine.stream()
    assert state.credited <= state.amount * 10_000
    datasets = {entry.dataset for one in batch for entry in one.influences}
    assert state.credited == sum(machine.credit(dataset) for dataset in datasets)


def test_views_cost_one_slot() -> None:
    machine = ReceiptMachine()
    machine.append(0, [record(1, (2, 1))])
    for data in (encode_head(ALICE, 1), encode_credit(ALICE, 1, 2)):
        assert GAS - machine.call(data).gas_left == 700 + 2100
        assert GAS - machine.call(data).gas_left == 700 + 100


def test_access_list_warms_slots() -> None:
    machine = ReceiptMachine()
    batch = [record(1, (2, 1))]
    machine.append(0, batch)
    cold = machine.append(1, batch)
    slots = [stream_slot(ALICE, 1), credit_slot(ALICE, 1, 2)]
    listed = tuple(Hash32(slot.to_bytes(32, "big")) for slot in slots)
    warm = machine.append(2, batch, access_list=((ATTRIBUTION_ADDRESS, listed),))
    assert warm.gas_left - cold.gas_left == 2 * 2000


BATCH = [record(9, (1, 1), (2, 9999)), record(0, (3, 5)), record(4), record(5, (2, 10_000))]


@pytest.mark.parametrize("prepared", [0, 1], ids=["new slots", "slots in use"])
def test_out_of_gas_at_each_step_leaves_nothing(prepared: int) -> None:
    machine, model = ReceiptMachine(), ReceiptModel()
    for _ in range(prepared):
        machine.append(0, BATCH)
        model.append(ALICE, 1, BATCH)
        model.end_transaction()
    seq = len(BATCH) * prepared
    paid = list(accumulate(model.charges(ALICE, 1, BATCH)))
    root = machine.state_root()
    for needed in paid:
        outcome = machine.call(encode_append(1, seq, BATCH), gas=needed - 1)
        assert (outcome.error, outcome.gas_left, outcome.logs) == ("out of gas", 0, ())
        assert outcome.output == b""
        assert machine.state_root() == root
        slots = [stream_slot(ALICE, 1), *(credit_slot(ALICE, 1, dataset) for dataset in range(4))]
        assert not any(machine.world.is_storage_warm(ATTRIBUTION_ADDRESS, slot) for slot in slots)
    outcome = machine.call(encode_append(1, seq, BATCH), gas=paid[-1])
    assert (outcome.success, outcome.gas_left) == (True, 0)


def used(machine: ReceiptMachine, data: bytes, **options: object) -> tuple[str, int]:
    outcome = machine.send(data, **options)
    return decode_error(outcome.output).name, GAS - outcome.gas_left


def test_mistakes_burn_what_was_used() -> None:
    machine = ReceiptMachine()
    machine.append(0, [record(5)])
    append = encode_append(1, 0, [record(5), record(5)])
    assert used(machine, b"") == ("BadInput", 700)
    assert used(machine, append, value=1) == ("ValueNotAccepted", 700)
    assert used(machine, append) == ("BadSequence", 700 + 2 * (30 + 3 * 6) + 48 + 2100)


@pytest.mark.parametrize(
    ("bad", "gas"),
    [
        (b"\x80\x00" + bytes(32), 30),
        (b"\x05\x11" + bytes(32), 30),
        (b"\x05\x02\x01\x01\x01\x01" + bytes(32), 30 + 40),
        (b"\x05\x01\x01\x01" + bytes(31), 30 + 20),
    ],
)
def test_bad_records_burn_what_was_read(bad: bytes, gas: int) -> None:
    good = record(5)
    whole = encode_append(1, 0, [good])
    raw = encode_records([good]) + bad
    padded = raw + bytes(-len(raw) % 32)
    data = whole[:100] + len(raw).to_bytes(32, "big") + padded
    assert used(ReceiptMachine(), data) == ("BadRecord", 700 + 30 + 3 * 6 + gas)


def events_of(machine: ReceiptMachine, data: bytes, gas: int) -> int:
    """How many calls and returns the interpreter makes for a message: its work, without a clock."""
    events = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal events
        events += 1

    gc.disable()  # a collection would call back, and count
    sys.setprofile(count)
    try:
        outcome = machine.call(data, gas=gas)
    finally:
        sys.setprofile(None)
        gc.enable()
    assert outcome.error == "out of gas"
    return events


def test_work_follows_the_gas_and_not_the_input() -> None:
    gas = 700 + 20 * (30 + 3 * 6)
    small, huge = (encode_append(1, 0, [record(5)] * count) for count in (21, 20_000))
    machine = ReceiptMachine()
    machine.call(b"")  # fills caches
    assert events_of(machine, huge, gas) == events_of(machine, small, gas)


def lane_total(batch: list[Record], known: list[Record]) -> int:
    """Gas of a lane transaction that appends `batch` to a stream that knows `known`."""
    machine = ReceiptMachine()
    machine.append(0, known)
    data = encode_append(1, len(known), batch)
    assert len(data) <= MAX_LANE_CALLDATA
    return lane_intrinsic_gas(len(data), 4) + GAS - machine.append(len(known), batch).gas_left


def test_published_figures() -> None:
    """Amounts of 0.003 to 0.26 OPEN (4-byte varints), dataset numbers of 5 bytes."""
    plain = record(10**8)
    datasets = [2**32 - 10 + n for n in range(10)]
    shaped = [
        record(10**8, *sorted([(datasets[n % 10], 3000), (datasets[(n + 1) % 10], 2000)]))
        for n in range(100)
    ]
    assert lane_total([plain], [plain]) == 30_056
    assert lane_total([plain] * 100, [plain]) == 54_152
    assert lane_total(shaped, shaped[:10]) == 113_784
    assert lane_total([plain] * 1000, [plain]) == 273_800


def test_common_part() -> None:
    machine = ReceiptMachine()
    machine.append(0, [record(1)])
    gas = GAS - machine.append(1, [record(1)]).gas_left
    assert 21_000 + gas - (30 + 3 * 6) == 29_224


def test_a_long_batch_can_be_interrupted() -> None:
    """Neither reading nor hashing keeps a block waiting."""

    class TooLong(Exception):
        pass

    machine = ReceiptMachine()
    data = encode_append(1, 0, [record(5)] * 3_000)
    looks = 0

    def count() -> None:
        nonlocal looks
        looks += 1

    machine.rules = rules_at(CONFIG, 0)  # alone: two interpreters look twice
    machine.environment = replace(machine.environment, interrupt=count)
    machine.call(data)
    assert looks >= 6

    def stop() -> None:
        raise TooLong

    machine.environment = replace(machine.environment, interrupt=stop)
    with pytest.raises(TooLong):
        machine.call(data)
