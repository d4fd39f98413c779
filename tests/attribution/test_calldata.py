"""Calls, results, the event and errors of the receipt precompile: both directions."""

from dataclasses import replace

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from attribution.calldata import (
    Appended,
    AppendResult,
    AttributionError,
    decode_append,
    decode_append_result,
    decode_appended,
    decode_credit_result,
    decode_error,
    decode_head_result,
    encode_append,
    encode_credit,
    encode_head,
)
from attribution.records import Record, StreamState, encode_records
from node.errors import DecodingError, InvalidInput
from node.types.attribution_call import (
    ATTRIBUTION_ADDRESS,
    CreditCall,
    HeadCall,
    appended_data,
    parse_call,
)
from node.types.primitives import Address, Hash32
from node.types.receipt import Log
from tests.node.types.attribution_strategies import addresses, batches, datasets, hashes, streams

LOGGER = Address(b"\x11" * 20)
ROOT = Hash32(b"\x22" * 32)
PLAIN = Record(300, (), ROOT)
EVENT = Log(
    ATTRIBUTION_ADDRESS,
    (
        keccak(text="Appended(address,uint64,uint64,uint64,uint128,bytes32)"),
        Hash32(bytes(12) + LOGGER),
        Hash32((2**64 - 1).to_bytes(32, "big")),
    ),
    encode(["uint64", "uint64", "uint128", "bytes32"], [5, 6, 7, ROOT]),
)


def test_append_layout() -> None:
    data = encode_append(3, 4, [PLAIN, PLAIN])
    arguments = encode(["uint64", "uint64", "bytes"], [3, 4, PLAIN.encode() * 2])
    assert data == keccak(text="append(uint64,uint64,bytes)")[:4] + arguments


def test_view_layouts() -> None:
    head = keccak(text="head(address,uint64)")[:4] + encode(["address", "uint64"], [LOGGER, 9])
    assert encode_head(LOGGER, 9) == head
    arguments = encode(["address", "uint64", "uint32"], [LOGGER, 9, 10])
    credit = keccak(text="credit(address,uint64,uint32)")[:4] + arguments
    assert encode_credit(LOGGER, 9, 10) == credit


@given(streams, streams, batches)
def test_append_round_trip(stream: int, from_seq: int, batch: list[Record]) -> None:
    data = encode_append(stream, from_seq, batch)
    assert decode_append(data) == (stream, from_seq, tuple(batch))


@given(addresses, streams, datasets)
def test_view_round_trips(logger: Address, stream: int, dataset: int) -> None:
    assert parse_call(encode_head(logger, stream)) == HeadCall(logger, stream)
    credit = parse_call(encode_credit(logger, stream, dataset))
    assert credit == CreditCall(logger, stream, dataset)


@given(streams, batches, st.data())
def test_damaged_calls_are_canonical_or_refused(
    stream: int, batch: list[Record], data: st.DataObject
) -> None:
    raw = bytearray(encode_append(stream, 0, batch))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = decode_append(bytes(raw))
    except DecodingError:
        return
    assert encode_append(*found) == raw


def test_calls_that_cannot_be_made() -> None:
    with pytest.raises(InvalidInput, match="one or more records"):
        encode_append(1, 0, [])
    with pytest.raises(InvalidInput, match="uint64"):
        encode_append(2**64, 0, [PLAIN])
    with pytest.raises(InvalidInput, match="uint64"):
        encode_append(1, -1, [PLAIN])
    with pytest.raises(InvalidInput, match="address"):
        encode_head(Address(b"short"), 1)
    with pytest.raises(InvalidInput, match="uint32"):
        encode_credit(LOGGER, 1, 2**32)


def test_only_append_decodes_as_append() -> None:
    with pytest.raises(DecodingError, match="expected append"):
        decode_append(encode_head(LOGGER, 1))
    with pytest.raises(DecodingError, match="not a function"):
        decode_append(b"\x00" * 36)


def test_results() -> None:
    output = encode(["uint64", "uint128", "bytes32"], [5, 2**100, ROOT])
    assert decode_append_result(output) == AppendResult(5, 2**100, ROOT)
    head = encode(["uint64", "uint128", "uint128"], [1, 2, 3])
    assert decode_head_result(head) == StreamState(1, 2, 3)
    assert decode_credit_result((2**256 - 1).to_bytes(32, "big")) == 2**256 - 1


@pytest.mark.parametrize(
    ("function", "output"),
    [
        (decode_append_result, b""),
        (decode_append_result, bytes(95)),
        (decode_append_result, bytes(128)),
        (decode_append_result, b"\x01" + bytes(95)),
        (decode_head_result, b"\x01" + bytes(95)),
        (decode_head_result, bytes(32)),
        (decode_credit_result, bytes(64)),
    ],
)
def test_bad_results(function: object, output: bytes) -> None:
    assert callable(function)
    with pytest.raises(DecodingError):
        function(output)


def test_event() -> None:
    assert decode_appended(EVENT) == Appended(LOGGER, 2**64 - 1, 5, 6, 7, ROOT)


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**40), st.integers(0, 2**96 - 1), hashes)
def test_event_round_trip(from_seq: int, count: int, amount: int, root: Hash32) -> None:
    log = replace(EVENT, data=appended_data(from_seq, count, amount, root))
    event = decode_appended(log)
    assert (event.from_seq, event.count, event.amount, event.batch_root) == (
        from_seq,
        count,
        amount,
        root,
    )


@pytest.mark.parametrize(
    "log",
    [
        replace(EVENT, address=LOGGER),
        replace(EVENT, topics=EVENT.topics[:2]),
        replace(EVENT, topics=(*EVENT.topics, ROOT)),
        replace(EVENT, topics=(ROOT, *EVENT.topics[1:])),
        replace(EVENT, topics=(EVENT.topics[0], ROOT, EVENT.topics[2])),
        replace(EVENT, topics=(*EVENT.topics[:2], ROOT)),
        replace(EVENT, data=EVENT.data[:-1]),
        replace(EVENT, data=EVENT.data + bytes(32)),
        replace(EVENT, data=b"\x01" + EVENT.data[1:]),
    ],
)
def test_other_logs_are_refused(log: Log) -> None:
    with pytest.raises(DecodingError):
        decode_appended(log)


@pytest.mark.parametrize(
    ("signature", "argument"),
    [
        ("BadSequence(uint64)", 7),
        ("BadRecord(uint256)", 2**255),
        ("BadInput()", None),
        ("NotACall()", None),
        ("ValueNotAccepted()", None),
        ("Overflow()", None),
    ],
)
def test_errors(signature: str, argument: int | None) -> None:
    name = signature.split("(", maxsplit=1)[0]
    tail = b"" if argument is None else argument.to_bytes(32, "big")
    output = keccak(text=signature)[:4] + tail
    assert decode_error(output) == AttributionError(name, argument)
    with pytest.raises(DecodingError, match=name):
        decode_error(output + b"\x00")


@pytest.mark.parametrize("output", [b"", b"\x00" * 4, keccak(text="Error(string)")[:4]])
def test_foreign_errors(output: bytes) -> None:
    with pytest.raises(DecodingError, match="no error of the precompile"):
        decode_error(output)


def test_records_of_a_call_are_the_given_ones() -> None:
    data = encode_append(1, 2, [PLAIN])
    call = parse_call(data)
    assert data[call.start : call.end] == encode_records([PLAIN])  # type: ignore[union-attr]
