"""The contracts that receipts are compared with do what the precompile does."""

from collections.abc import Sequence

import pytest
from eth_abi import encode
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attribution.calldata import encode_credit, encode_head
from node.artifacts import load_artifact
from node.evm.interpreter import Outcome
from node.types.attribution_call import APPEND
from node.types.attribution_record import encode_records
from node.types.attribution_stream import StreamState, stream_slot
from node.types.primitives import Address
from tests.node.evm.receipt_machine import ALICE, ATTRIBUTION_ADDRESS, ReceiptMachine, record
from tests.node.types.attribution_strategies import records

YUL = Address(b"\x11" * 20)
PACKED = Address(b"\x22" * 20)
STREAM = 2**63 + 5
ONE = record(5).encode()


class Contracts(ReceiptMachine):
    """The precompile and both contracts on one state."""

    def __init__(self) -> None:
        super().__init__()
        self.place(YUL, load_artifact("YulReceipts").deployed_bytecode)
        self.place(PACKED, load_artifact("PackedReceipts").deployed_bytecode)
        self.world.end_transaction()

    def append_everywhere(self, from_seq: int, encoded: bytes) -> Outcome:
        """Append on all three, which must answer the same; return the precompile's outcome."""
        call = APPEND + encode(["uint64", "uint64", "bytes"], [STREAM, from_seq, encoded])
        packed = b"\x00" + STREAM.to_bytes(8, "big") + from_seq.to_bytes(5, "big") + encoded
        ours = self.send(call)
        for to, data in ((YUL, packed), (PACKED, call)):
            theirs = self.send(data, to=to)
            assert (theirs.success, theirs.output) == (ours.success, ours.output)
            assert [(log.topics, log.data) for log in theirs.logs] == [
                (log.topics, log.data) for log in ours.logs
            ]
        return ours

    def compare_views(self, datasets: Sequence[int]) -> None:
        calls = [encode_head(ALICE, STREAM), *(encode_credit(ALICE, STREAM, d) for d in datasets)]
        for data in calls:
            answers = {self.send(data, to=to).output for to in (ATTRIBUTION_ADDRESS, YUL, PACKED)}
            assert len(answers) == 1


# Datasets that meet in the Yul contract's table of sums.
crowded = st.builds(
    lambda amount, datasets: record(amount, *((32 * d + d % 3, 9 + d) for d in sorted(datasets))),
    st.integers(0, 2**40),
    st.sets(st.integers(0, 40), max_size=16),
)
batches = st.lists(records | crowded, min_size=1, max_size=12)


@settings(max_examples=60)
@given(st.lists(batches, min_size=1, max_size=4))
def test_any_history_is_the_same(history: list[list[object]]) -> None:
    machine = Contracts()
    count = 0
    datasets: set[int] = set()
    for batch in history:
        outcome = machine.append_everywhere(count, encode_records(batch))  # type: ignore[arg-type]
        count += len(batch) if outcome.success else 0
        datasets |= {entry.dataset for one in batch for entry in one.influences}  # type: ignore[attr-defined]
    machine.compare_views(sorted(datasets))


@settings(max_examples=200)
@example(b"\x80" * 40)
@example(b"\x80" * 11 + b"\x01\x00" + bytes(32))
@example(b"\xff" * 9 + b"\x02\x00" + bytes(32))
@example(b"\x05\x01\x80\x80\x80\x80\x10\x01" + bytes(32))
@example(b"\x05\x01\x07\x80\x01" + bytes(32))
@example(b"\x05\x01\x07\x81\x80\x00" + bytes(32))
@example(b"\x05\x01\x07\x91\x4e" + bytes(32))
@example(b"\x05\x02\x07\x01\x07\x01" + bytes(32))
@example(b"\x05\x11" + b"\x01" * 34 + bytes(32))
@example(ONE[:-1])
@given(st.binary(min_size=1, max_size=60))
def test_any_bytes_are_the_same(encoded: bytes) -> None:
    machine = Contracts()
    machine.append_everywhere(0, encoded)
    machine.append_everywhere(0, ONE + encoded)


@settings(max_examples=100)
@given(batches, st.data())
def test_a_changed_byte_is_the_same(batch: list[object], data: st.DataObject) -> None:
    encoded = bytearray(encode_records(batch))  # type: ignore[arg-type]
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] = data.draw(st.integers(0, 255))
    Contracts().append_everywhere(0, bytes(encoded))


@pytest.mark.parametrize("count", [*range(1, 20), 100, 257])
def test_trees_of_any_size(count: int) -> None:
    assert Contracts().append_everywhere(0, ONE * count).success


@pytest.mark.parametrize("from_seq", [0, 2, 2**40 - 1])
def test_sequence(from_seq: int) -> None:
    machine = Contracts()
    assert machine.append_everywhere(0, ONE).success
    assert not machine.append_everywhere(from_seq, ONE).success


def test_overflow_of_the_yul_contract() -> None:
    for state in (StreamState(2**40 - 1, 0, 0), StreamState(0, 2**96 - 1, 0)):
        machine = Contracts()
        for address in (ATTRIBUTION_ADDRESS, YUL):
            machine.world.set_storage(address, stream_slot(ALICE, STREAM), state.pack())
        machine.world.end_transaction()
        seq = state.count.to_bytes(5, "big")
        data = b"\x00" + STREAM.to_bytes(8, "big") + seq + ONE
        call = APPEND + encode(["uint64", "uint64", "bytes"], [STREAM, state.count, ONE])
        assert machine.send(data, to=YUL).output == machine.send(call).output
