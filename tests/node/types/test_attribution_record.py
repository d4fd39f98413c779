"""One record has one encoding, and nothing else is a record."""

from dataclasses import replace
from itertools import pairwise

import pytest
from eth_utils import keccak
from hypothesis import example, given
from hypothesis import strategies as st

from node.errors import DecodingError, InvalidInput
from node.types.attribution_record import (
    Influence,
    Method,
    Record,
    RecordError,
    commitment,
    decode_record,
    decode_records,
    encode_records,
    read_influences,
)
from node.types.primitives import Hash32
from tests.node.types.attribution_strategies import batches, records

COMMITMENT = Hash32(bytes(range(32)))
PLAIN = Record(300, (), COMMITMENT)
FULL = Record(2**64 - 1, tuple(Influence(2**32 - 16 + n, 625) for n in range(16)), COMMITMENT)


def head(*parts: bytes) -> bytes:
    return b"".join(parts) + COMMITMENT


def test_layout() -> None:
    assert PLAIN.encode() == b"\xac\x02\x00" + COMMITMENT
    shaped = Record(0, (Influence(5, 1), Influence(200, 9999)), COMMITMENT)
    assert shaped.encode() == b"\x00\x02\x05\x01\xc8\x01\x8f\x4e" + COMMITMENT
    assert len(FULL.encode()) == 10 + 1 + 16 * (5 + 2) + 32


@given(records)
@example(FULL)
def test_record_round_trip(record: Record) -> None:
    assert decode_record(record.encode()) == record


@given(batches)
def test_batch_round_trip(batch: list[Record]) -> None:
    assert decode_records(encode_records(batch)) == tuple(batch)


@given(st.binary(max_size=120))
def test_any_bytes_are_canonical_or_refused(raw: bytes) -> None:
    try:
        found = decode_records(raw)
    except RecordError:
        return
    assert encode_records(found) == raw


PIECES = st.sampled_from([b"\x00", b"\x01", b"\x05", b"\x80", b"\xff", b"\xa0\x1f", b"\x90\x4e"])


@given(st.lists(PIECES, max_size=12).map(b"".join), st.integers(0, 4), st.integers(0, 3))
def test_influences_are_read_as_if_one_by_one(raw: bytes, count: int, start: int) -> None:
    start = min(start, len(raw))
    expected = _pairs(raw, start, count)
    if expected is None:
        with pytest.raises(DecodingError):
            read_influences(raw, start, len(raw), count)
    else:
        assert read_influences(raw, start, len(raw), count) == expected


def _pairs(raw: bytes, cursor: int, count: int) -> tuple[tuple[tuple[int, int], ...], int] | None:
    """Valid influences and where they end, by the definition."""
    values = []
    for bits in (32, 14) * count:
        begin = cursor
        while cursor < len(raw) and raw[cursor] >= 0x80:
            cursor += 1
        cursor += 1
        groups = raw[begin:cursor]
        value = sum((group & 0x7F) << 7 * place for place, group in enumerate(groups))
        if cursor > len(raw) or value >> bits or (len(groups) > 1 and not groups[-1]):
            return None
        values.append(value)
    datasets, weights = values[::2], values[1::2]
    ascending = all(low < high for low, high in pairwise(datasets))
    if not ascending or 0 in weights or sum(weights) > 10_000:
        return None
    return tuple(zip(datasets, weights, strict=True)), cursor


@given(batches, st.data())
def test_damaged_batches_are_canonical_or_refused(batch: list[Record], data: st.DataObject) -> None:
    raw = bytearray(encode_records(batch))
    position = data.draw(st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(["change", "remove", "insert"])):
        case "change":
            raw[position] ^= data.draw(st.integers(1, 255))
        case "remove":
            del raw[position]
        case _:
            raw.insert(position, data.draw(st.integers(0, 255)))
    try:
        found = decode_records(bytes(raw))
    except RecordError as error:
        assert 0 <= error.index <= len(batch) + 1
    else:
        assert encode_records(found) == raw
        assert found != tuple(batch)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "inside a varint"),
        (b"\x80", "inside a varint"),
        (b"\x05", "before the number"),
        (head(b"\x80\x00\x00"), "shortest"),
        (head(b"\xff" * 9 + b"\x02", b"\x00"), "exceeds 64 bits"),
        (head(b"\xff" * 10 + b"\x01", b"\x00"), "exceeds 64 bits"),
        (head(b"\x01\x11"), "at most 16 influences, got 17"),
        (head(b"\x01\x01", b"\xff\xff\xff\xff\x10", b"\x01"), "exceeds 32 bits"),
        (head(b"\x01\x01", b"\x85\x00", b"\x01"), "shortest"),
        (head(b"\x01\x01\x05\x00"), "weight: expected 1 to 10000, got 0"),
        (head(b"\x01\x01\x05\x91\x4e"), "weight: expected 1 to 10000, got 10001"),
        (head(b"\x01\x01\x05\x80\x80\x01"), "exceeds 14 bits"),
        (head(b"\x01\x02\x05\x01\x05\x01"), "ascend"),
        (head(b"\x01\x02\x05\x01\x04\x01"), "ascend"),
        (head(b"\x01\x02\x05\x90\x4e\x06\x01"), "together, got 10001"),
        (head(b"\x01\x00")[:-1], "expected 32 bytes, 31 are left"),
        (head(b"\x01\x00") + b"\x00", "1 bytes after"),
        (b"\x01\x01\x05", "inside a varint"),
    ],
)
def test_refused_record(raw: bytes, reason: str) -> None:
    with pytest.raises(DecodingError, match=reason):
        decode_record(raw)


def test_largest_values_decode() -> None:
    assert decode_record(head(b"\xff" * 9 + b"\x01", b"\x00")).amount == 2**64 - 1
    shaped = decode_record(head(b"\x00\x01", b"\xff\xff\xff\xff\x0f", b"\x90\x4e"))
    assert shaped.influences == (Influence(2**32 - 1, 10_000),)


@pytest.mark.parametrize("index", [0, 1, 5])
def test_bad_record_is_named(index: int) -> None:
    raw = encode_records([PLAIN] * index) + b"\x01\x11"
    with pytest.raises(RecordError, match=f"record {index}: ") as refusal:
        decode_records(raw)
    assert refusal.value.index == index


def test_records_that_cannot_be_made() -> None:
    with pytest.raises(InvalidInput, match="amount"):
        replace(PLAIN, amount=2**64)
    with pytest.raises(InvalidInput, match="amount"):
        replace(PLAIN, amount=-1)
    with pytest.raises(InvalidInput, match="commitment"):
        replace(PLAIN, commitment=Hash32(b"short"))
    with pytest.raises(InvalidInput, match="at most 16 influences"):
        replace(PLAIN, influences=tuple(Influence(n, 1) for n in range(17)))
    with pytest.raises(InvalidInput, match="ascend"):
        replace(PLAIN, influences=(Influence(2, 1), Influence(1, 1)))
    with pytest.raises(InvalidInput, match="together"):
        replace(PLAIN, influences=(Influence(1, 5000), Influence(2, 5001)))
    with pytest.raises(InvalidInput, match="dataset"):
        Influence(2**32, 1)
    with pytest.raises(InvalidInput, match="weight"):
        Influence(1, 0)


def committed(**changes: object) -> Hash32:
    values: dict[str, object] = {
        "salt": Hash32(b"\x01" * 32),
        "model_hash": Hash32(b"\x02" * 32),
        "request_hash": Hash32(b"\x03" * 32),
        "response_hash": Hash32(b"\x04" * 32),
        "prompt_tokens": 1000,
        "completion_tokens": 2**64 - 1,
        "method": Method.INFLUENCE,
        "evidence_root": Hash32(b"\x05" * 32),
    }
    return commitment(**(values | changes))  # type: ignore[arg-type]


def test_commitment_layout() -> None:
    hashes = b"\x01" * 32 + b"\x02" * 32 + b"\x03" * 32 + b"\x04" * 32
    numbers = (1000).to_bytes(8, "big") + b"\xff" * 8 + b"\x02"
    assert committed() == keccak(hashes + numbers + b"\x05" * 32)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("salt", b"\x00" * 31),
        ("model_hash", b""),
        ("request_hash", b"\x00" * 33),
        ("response_hash", b"\x00"),
        ("evidence_root", b"\x00" * 64),
        ("prompt_tokens", 2**64),
        ("completion_tokens", -1),
    ],
)
def test_commitment_refuses(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=field):
        committed(**{field: value})


def test_commitment_refuses_unknown_method() -> None:
    with pytest.raises(InvalidInput, match="method"):
        committed(method=4)
