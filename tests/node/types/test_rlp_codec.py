"""Against the `rlp` package, whose pure Python decoder is strict."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from rlp.codec import consume_item

from node.errors import DecodingError
from node.types.rlp_codec import (
    MAX_DEPTH,
    Decoded,
    RlpItem,
    as_bytes,
    as_list,
    as_uint,
    decode,
    decode_prefix,
    encode,
    encode_uint,
    item_span,
)

ITEMS = st.recursive(
    st.binary(max_size=70), lambda items: st.lists(items, max_size=6), max_leaves=30
)
# Bytes near the borders of the format: prefixes of every kind, lengths that lie.
PREFIXES = st.sampled_from(
    [0x00, 0x7F, 0x80, 0x81, 0xB7, 0xB8, 0xB9, 0xBF, 0xC0, 0xC1, 0xF7, 0xF8, 0xFF]
)
HOSTILE = st.one_of(
    st.binary(max_size=100),
    st.lists(st.one_of(PREFIXES, st.integers(0, 255)), max_size=80).map(bytes),
    st.builds(lambda prefix, rest: bytes([prefix]) + rest, PREFIXES, st.binary(max_size=80)),
)


def reference_decode(data: bytes) -> Decoded:
    item, _, end = consume_item(data, 0)
    if end != len(data):
        raise rlp.DecodingError("trailing bytes", data)
    return as_lists(item)


def as_lists(item: Any) -> Decoded:
    return bytes(item) if isinstance(item, bytes | bytearray) else [as_lists(part) for part in item]


def depth(item: Any) -> int:
    return 0 if isinstance(item, bytes) else 1 + max(map(depth, item), default=0)


@given(ITEMS)
def test_round_trip_and_equal_to_the_reference(item: Any) -> None:
    encoded = encode(item)
    assert encoded == rlp.encode(item)
    if depth(item) <= MAX_DEPTH:
        assert decode(encoded) == item == reference_decode(encoded)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 255, 256, 65535, 65536, 2**24])
def test_lengths_at_the_borders(size: int) -> None:
    string = b"\x80" * size
    items = [b"\x01"] * size if size < 2**24 else []
    cases: tuple[RlpItem, ...] = (string, items, [string, items])
    for item in cases:
        encoded = encode(item)
        assert encoded == rlp.encode(item)
        assert decode(encoded) == item


@given(HOSTILE)
def test_any_bytes_decode_as_the_reference_does_or_give_a_decoding_error(data: bytes) -> None:
    try:
        expected: Decoded | None = reference_decode(data)
    except (rlp.DecodingError, IndexError):  # the reference runs off the end of some inputs
        expected = None
    if expected is None or depth(expected) > MAX_DEPTH:
        with pytest.raises(DecodingError):
            decode(data)
    else:
        assert decode(data) == expected
        assert encode(expected) == data


@given(ITEMS, st.data())
def test_damaged_encodings(item: Any, data: st.DataObject) -> None:
    encoded = bytearray(encode(item))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    del encoded[data.draw(st.integers(0, len(encoded))) :]
    with contextlib.suppress(DecodingError):
        assert encode(decode(bytes(encoded))) == encoded


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "ends where an item should start"),
        ("8100", "single byte below 0x80"),
        ("817f", "single byte below 0x80"),
        ("81", "an item of 1 bytes, 0 are left"),
        ("83aabb", "an item of 3 bytes, 2 are left"),
        ("b8", "ends inside a length"),
        ("b837" + "00" * 55, "not in its shortest form"),
        ("b90038" + "00" * 56, "not in its shortest form"),
        ("f800", "not in its shortest form"),
        ("f90037" + "00" * 55, "not in its shortest form"),
        ("c281", "an item of 2 bytes, 1 are left"),
        ("c181", "an item of 1 bytes, 0 are left"),
        ("c2c281", "an item of 2 bytes, 1 are left"),
        ("ffffffffffffffffff", "18446744073709551615 bytes, 0 are left"),
        ("bf", "ends inside a length"),
        ("0000", "1 bytes after the item"),
        ("c000", "1 bytes after the item"),
    ],
)
def test_why_bytes_are_refused(data: str, reason: str) -> None:
    with pytest.raises(DecodingError, match=reason):
        decode(bytes.fromhex(data))


def nested(levels: int) -> bytes:
    encoded = b""
    for _ in range(levels):
        encoded = rlp.codec.length_prefix(len(encoded), 192) + encoded
    return encoded


@pytest.mark.parametrize("limit", [1, 5, MAX_DEPTH])
def test_nesting_is_bounded(limit: int) -> None:
    assert depth(decode(nested(limit), limit)) == limit
    with pytest.raises(DecodingError, match="nested too deeply"):
        decode(nested(limit + 1), limit)


def test_nesting_far_beyond_any_stack_is_refused() -> None:
    with pytest.raises(DecodingError, match="nested too deeply"):
        decode(nested(20_000))


@given(st.lists(ITEMS.filter(lambda item: depth(item) <= MAX_DEPTH), max_size=4), st.binary())
def test_one_item_after_another(items: list[Any], before: bytes) -> None:
    data, position = before + b"".join(map(encode, items)), len(before)
    for item in items:
        decoded, end = decode_prefix(data, position)
        is_list, start, stop = item_span(data, position, len(data))
        assert (decoded, is_list, stop) == (item, isinstance(item, list), end)
        assert isinstance(item, list) or data[start:stop] == item
        position = end
    assert position == len(data)


@given(st.integers(0, 2**300))
def test_integers(value: int) -> None:
    assert encode_uint(value) == rlp.sedes.big_endian_int.serialize(value)
    assert as_uint(encode_uint(value), "x", 304) == value


def test_integers_are_canonical_and_bounded() -> None:
    assert as_uint(b"", "x") == 0
    assert as_uint(b"\xff" * 8, "x", 64) == 2**64 - 1
    for item, bits, reason in (
        (b"\x00", 256, "x: an integer has leading zeros"),
        (b"\x00\x01", 256, "x: an integer has leading zeros"),
        (b"\x01" + bytes(8), 64, "x: expected at most 64 bits, got 9 bytes"),
        (b"\x01" + bytes(32), 256, "x: expected at most 256 bits, got 33 bytes"),
        ([], 256, "x: expected bytes, got a list"),
    ):
        with pytest.raises(DecodingError, match=reason):
            as_uint(item, "x", bits)


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (lambda: as_bytes([], "x"), "x: expected bytes, got a list"),
        (lambda: as_bytes(b"12", "x", 3), "x: expected 3 bytes, got 2"),
        (lambda: as_list(b"", "x"), "x: expected a list, got bytes"),
        (lambda: as_list([b""], "x", 2), "x: expected 2 items, got 1"),
    ],
)
def test_shapes(check: Callable[[], object], reason: str) -> None:
    with pytest.raises(DecodingError, match=reason):
        check()
    assert as_bytes(b"12", "x", 2) == b"12"
    assert as_list([b""], "x", 1) == [b""]
