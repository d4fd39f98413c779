"""What the receipt precompile answers, writes and refuses."""

import pytest
from eth_abi import decode, encode
from eth_utils import keccak

from attribution.calldata import (
    decode_append_result,
    decode_appended,
    decode_credit_result,
    decode_error,
    decode_head_result,
    encode_append,
    encode_credit,
    encode_head,
)
from node.evm.attribution import ATTRIBUTION_ADDRESS
from node.evm.interpreter import Outcome
from node.types.attribution_record import encode_records
from node.types.attribution_stream import StreamState, stream_slot
from node.types.primitives import Address
from tests.node.evm.receipt_machine import (
    ALICE,
    BOB,
    CALLER,
    GAS,
    ReceiptMachine,
    record,
)

BATCH = [record(1000, (3, 2500), (8, 5000)), record(0, (5, 10_000)), record(7, (3, 1))]


@pytest.fixture
def machine() -> ReceiptMachine:
    return ReceiptMachine()


def reverted(outcome: Outcome) -> tuple[str, int | None]:
    """The precompile's error; it left gas, logs nothing and says so in the usual words."""
    assert outcome.error == "execution reverted"
    assert outcome.gas_left > 0
    assert outcome.logs == ()
    error = decode_error(outcome.output)
    return error.name, error.argument


def forward(machine: ReceiptMachine, kind: str, data: bytes, target: Address) -> Outcome:
    """Send calldata through the contract `Caller` by one kind of call."""
    name = keccak(text=f"{kind}(address,bytes)")[:4]
    return machine.send(name + encode(["address", "bytes"], [target, data]), to=CALLER)


def test_append(machine: ReceiptMachine) -> None:
    outcome = machine.append(0, BATCH)
    result = decode_append_result(outcome.output)
    assert (outcome.success, result.next_seq, result.amount) == (True, 3, 1007)
    credited = 1000 * 7500 + 7
    assert machine.stream() == StreamState(3, 1007, credited)
    assert [machine.credit(dataset) for dataset in (3, 5, 8)] == [2_500_007, 0, 5_000_000]
    (log,) = outcome.logs
    assert log.address == ATTRIBUTION_ADDRESS
    assert log.topics == (
        keccak(text="Appended(address,uint64,uint64,uint64,uint128,bytes32)"),
        bytes(12) + ALICE,
        (1).to_bytes(32, "big"),
    )
    types = ["uint64", "uint64", "uint128", "bytes32"]
    assert log.data == encode(types, [0, 3, 1007, result.batch_root])
    event = decode_appended(log)
    assert (event.logger, event.stream, event.from_seq, event.count) == (ALICE, 1, 0, 3)
    assert (event.amount, event.batch_root) == (1007, result.batch_root)


def test_append_root_is_the_tree_of_its_leaves(machine: ReceiptMachine) -> None:
    machine.append(0, BATCH[:1])
    result = decode_append_result(machine.append(1, BATCH).output)
    leaves = [
        keccak(b"\x00" + ALICE + (1).to_bytes(8, "big") + seq.to_bytes(8, "big") + entry.encode())
        for seq, entry in enumerate(BATCH, 1)
    ]
    assert result.batch_root == keccak(
        b"\x01" + keccak(b"\x01" + leaves[0] + leaves[1]) + leaves[2]
    )


def test_views(machine: ReceiptMachine) -> None:
    machine.append(0, BATCH, stream=2**64 - 1)
    head = machine.send(encode_head(ALICE, 2**64 - 1), sender=BOB)
    assert decode_head_result(head.output) == StreamState(3, 1007, 7_500_007)
    credit = machine.send(encode_credit(ALICE, 2**64 - 1, 3), sender=BOB)
    assert decode_credit_result(credit.output) == 2_500_007
    assert decode_head_result(machine.send(encode_head(BOB, 1)).output) == StreamState(0, 0, 0)
    assert decode_credit_result(machine.send(encode_credit(BOB, 1, 3)).output) == 0
    assert head.logs == credit.logs == ()


def test_streams_belong_to_their_writers(machine: ReceiptMachine) -> None:
    machine.append(0, BATCH)
    machine.append(0, BATCH[:1], stream=2)
    machine.append(0, BATCH[:2], sender=BOB)
    assert machine.stream().count == 3
    assert machine.stream(stream=2).count == 1
    assert machine.stream(BOB).count == 2
    assert machine.credit(3, BOB) == machine.credit(3, stream=2) == 2_500_000


@pytest.mark.parametrize("from_seq", [0, 1, 2, 4, 2**40, 2**64 - 1])
def test_replays_and_gaps(machine: ReceiptMachine, from_seq: int) -> None:
    machine.append(0, BATCH)
    root = machine.state_root()
    assert reverted(machine.append(from_seq, BATCH)) == ("BadSequence", 3)
    assert machine.state_root() == root


@pytest.mark.parametrize("index", [0, 1, 17])
@pytest.mark.parametrize(
    "bad",
    [
        b"\x80",
        b"\x01\x11" + bytes(32),
        b"\x01\x01\x05\x00" + bytes(32),
        b"\x01\x02\x05\x01\x05\x01" + bytes(32),
        b"\x01\x00" + bytes(31),
    ],
)
def test_bad_records(machine: ReceiptMachine, index: int, bad: bytes) -> None:
    raw = encode_records([record(5)] * index) + bad
    data = encode_append(1, 0, [record(5)])[:4] + encode(["uint64", "uint64", "bytes"], [1, 0, raw])
    root = machine.state_root()
    assert reverted(machine.send(data)) == ("BadRecord", index)
    assert machine.state_root() == root


APPEND = encode_append(1, 0, [record(5)])
HEAD = encode_head(ALICE, 1)
CREDIT = encode_credit(ALICE, 1, 2)


def with_word(data: bytes, index: int, value: int) -> bytes:
    start = 4 + 32 * index
    return data[:start] + value.to_bytes(32, "big") + data[start + 32 :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        APPEND[:3],
        b"\x00\x00\x00\x00" + APPEND[4:],
        APPEND[:4],
        APPEND[:132],
        APPEND[:-1],
        APPEND[:-32],
        APPEND + b"\x00",
        APPEND + bytes(32),
        APPEND[:-1] + b"\x01",
        with_word(APPEND, 0, 2**64),
        with_word(APPEND, 1, 2**64),
        with_word(APPEND, 2, 0x40),
        with_word(APPEND, 2, 0x80),
        with_word(APPEND, 2, 2**255 + 0x60),
        with_word(APPEND, 3, 2**256 - 1),
        with_word(APPEND, 3, 2**64),
        with_word(APPEND, 3, 65),
        with_word(APPEND, 3, 0)[:132],
        with_word(APPEND, 3, 0),
        HEAD[:-1],
        HEAD + b"\x00",
        with_word(HEAD, 0, 2**160),
        with_word(HEAD, 1, 2**64),
        CREDIT[:-32],
        CREDIT + bytes(32),
        with_word(CREDIT, 0, 2**160 + 1),
        with_word(CREDIT, 1, 2**64),
        with_word(CREDIT, 2, 2**32),
    ],
)
def test_bad_input(machine: ReceiptMachine, data: bytes) -> None:
    root = machine.state_root()
    outcome = machine.send(data)
    assert reverted(outcome) == ("BadInput", None)
    assert GAS - outcome.gas_left == 700
    assert machine.state_root() == root


def test_shorter_length_means_a_bad_record(machine: ReceiptMachine) -> None:
    size = len(record(5).encode())
    # The record's last byte now counts as padding, so its commitment must end in zero.
    data = encode_append(1, 0, [record(5, tag=0)])
    assert reverted(machine.send(with_word(data, 3, size - 1))) == ("BadRecord", 0)


@pytest.mark.parametrize("kind", ["staticCall", "delegateCall", "callCode"])
def test_append_only_by_call(machine: ReceiptMachine, kind: str) -> None:
    root = machine.state_root()
    outcome = forward(machine, kind, APPEND, ATTRIBUTION_ADDRESS)
    success, result = decode(["bool", "bytes"], outcome.output)
    assert (success, decode_error(result).name) == (False, "NotACall")
    assert outcome.logs == ()
    assert machine.state_root() == root


def test_append_by_a_contract(machine: ReceiptMachine) -> None:
    outcome = forward(machine, "call", encode_append(1, 0, BATCH), ATTRIBUTION_ADDRESS)
    success, result = decode(["bool", "bytes"], outcome.output)
    assert (success, decode_append_result(result).next_seq) == (True, 3)
    assert decode_appended(outcome.logs[0]).logger == CALLER
    assert (machine.stream(CALLER).count, machine.stream(ALICE).count) == (3, 0)


@pytest.mark.parametrize("data", [HEAD, CREDIT])
@pytest.mark.parametrize(
    ("kind", "answered"),
    [("call", True), ("staticCall", True), ("delegateCall", False), ("callCode", False)],
)
def test_views_by_call_and_static_call(
    machine: ReceiptMachine, kind: str, answered: bool, data: bytes
) -> None:
    outcome = forward(machine, kind, data, ATTRIBUTION_ADDRESS)
    success, result = decode(["bool", "bytes"], outcome.output)
    assert success == answered
    assert answered or decode_error(result).name == "NotACall"


@pytest.mark.parametrize("data", [b"", APPEND, HEAD, CREDIT])
def test_value_is_refused(machine: ReceiptMachine, data: bytes) -> None:
    outcome = machine.send(data, value=1)
    assert reverted(outcome) == ("ValueNotAccepted", None)
    assert machine.world.get_balance(ALICE) == 10**18
    assert machine.world.get_balance(ATTRIBUTION_ADDRESS) == 0
    assert machine.stream().count == 0


def test_outer_revert_drops_log_and_state(machine: ReceiptMachine) -> None:
    root = machine.state_root()
    data = encode_append(1, 0, BATCH)
    outcome = forward(machine, "callThenRevert", data, ATTRIBUTION_ADDRESS)
    assert outcome.error == "execution reverted"
    success, result = decode(["bool", "bytes"], outcome.output[4:])
    assert (success, decode_append_result(result).next_seq) == (True, 3)
    assert outcome.logs == ()
    assert machine.state_root() == root


def test_outer_revert_makes_slots_cold_again(machine: ReceiptMachine) -> None:
    data = encode_append(1, 0, BATCH)
    name = keccak(text="callThenRevert(address,bytes)")[:4]
    arguments = encode(["address", "bytes"], [ATTRIBUTION_ADDRESS, data])
    machine.call(name + arguments, to=CALLER)
    assert GAS - machine.call(encode_head(CALLER, 1)).gas_left == 700 + 2100


@pytest.mark.parametrize("data", [b"", APPEND, HEAD])
def test_delegated_account_runs_nothing(machine: ReceiptMachine, data: bytes) -> None:
    machine.place(BOB, b"\xef\x01\x00" + ATTRIBUTION_ADDRESS)
    machine.world.end_transaction()
    root = machine.state_root()
    outcome = machine.send(data, to=BOB)
    assert (outcome.success, outcome.output, outcome.logs) == (True, b"", ())
    assert outcome.gas_left == GAS
    for kind in ("call", "staticCall", "delegateCall", "callCode"):
        inner = forward(machine, kind, data, BOB)
        assert decode(["bool", "bytes"], inner.output) == (True, b"")
        assert inner.logs == ()
    assert machine.state_root() == root


@pytest.mark.parametrize(
    ("state", "batch"),
    [
        (StreamState(2**40 - 1, 0, 0), [record(0)]),
        (StreamState(2**40 - 2, 0, 0), [record(0), record(0)]),
        (StreamState(5, 2**96 - 1, 0), [record(1)]),
        (StreamState(5, 0, 2**120 - 1), [record(1, (1, 1))]),
        (StreamState(5, 0, 2**120 - 2**64 * 10_000), [record(2**64 - 1, (1, 10_000))] * 2),
    ],
)
def test_overflow(machine: ReceiptMachine, state: StreamState, batch: list[object]) -> None:
    slot = stream_slot(ALICE, 1)
    machine.world.set_storage(ATTRIBUTION_ADDRESS, slot, state.pack())
    machine.world.end_transaction()
    outcome = machine.append(state.count, batch)  # type: ignore[arg-type]
    assert reverted(outcome) == ("Overflow", None)
    assert machine.stream() == state


def test_every_field_can_be_filled(machine: ReceiptMachine) -> None:
    full = StreamState(2**40 - 1, 2**96 - 1, 2**120 - 1)
    room = StreamState(full.count - 1, full.amount - 5, full.credited - 50_000)
    machine.world.set_storage(ATTRIBUTION_ADDRESS, stream_slot(ALICE, 1), room.pack())
    machine.world.end_transaction()
    outcome = machine.append(room.count, [record(5, (2**32 - 1, 10_000))])
    assert decode_append_result(outcome.output).next_seq == 2**40 - 1
    assert machine.stream() == full
    assert machine.credit(2**32 - 1) == 50_000
