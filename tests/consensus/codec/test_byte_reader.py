"""Reads from packed bytes: round trips, and what is not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.byte_reader import ByteReader, encode_bits, encode_uvarint
from node.errors import DecodingError


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_uvarint_round_trip(value: int, rest: bytes) -> None:
    raw = encode_uvarint(value)
    assert len(raw) == max(1, -(-value.bit_length() // 7))
    reader = ByteReader(raw + rest)
    assert reader.uvarint("number") == value
    assert reader.take(reader.left, "rest") == rest


@given(st.integers(0, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 2**n - 1))))
def test_bits_round_trip(case: tuple[int, int]) -> None:
    count, bits = case
    raw = encode_bits(bits, count)
    assert len(raw) == -(-count // 8)
    assert ByteReader(raw).bits(count, "bits") == bits


@pytest.mark.parametrize(
    ("raw", "value"),
    [(b"\x80\x00", 0), (b"\x81\x80\x00", 1), (b"\xff" * 9 + b"\x01", 2**64 - 1)],
)
def test_longer_uvarints(raw: bytes, value: int) -> None:
    assert ByteReader(raw).uvarint("number") == value


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "the input ends inside"),
        (b"\x80", "the input ends inside"),
        (b"\x80" * 9, "the input ends inside"),
        (b"\x80" * 10, "of at most 10 bytes"),
        (b"\x80" * 10 + b"\x00", "of at most 10 bytes"),
        (b"\xff" * 9 + b"\x02", "expected at most 64 bits"),
    ],
)
def test_bad_uvarints(raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=f"nonce: .*{message}"):
        ByteReader(raw).uvarint("nonce")


def test_refusals() -> None:
    with pytest.raises(DecodingError, match="check: expected 20 bytes, 3 are left"):
        ByteReader(b"abc").take(20, "check")
    with pytest.raises(DecodingError, match="bits: expected 3 bits, got 4"):
        ByteReader(b"\x08").bits(3, "bits")
    with pytest.raises(DecodingError, match="expected an RLP list, got a string"):
        ByteReader(b"\x80").rlp_list("data")
    with pytest.raises(DecodingError, match="type: expected a byte"):
        ByteReader(b"").peek("type")


def test_lists_come_with_their_prefix() -> None:
    reader = ByteReader(b"?\xc2\x01\x02rest", 1)
    assert reader.peek("list") == 0xC2
    assert reader.rlp_list("list") == b"\xc2\x01\x02"
    assert reader.left == 4
