"""One call has one encoding; whatever else comes is refused with what was expected."""

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from node.errors import DecodingError
from node.types.attribution_call import (
    APPEND,
    ATTRIBUTION_ADDRESS,
    CREDIT,
    HEAD,
    AppendCall,
    HeadCall,
    parse_call,
)
from node.types.primitives import Address

LOGGER = Address(b"\x11" * 20)


def append(stream: int, from_seq: int, packed: bytes) -> bytes:
    return APPEND + encode(["uint64", "uint64", "bytes"], [stream, from_seq, packed])


def encoded(data: bytes) -> bytes:
    """Parse a call and encode what was found, by another encoder."""
    call = parse_call(data)
    if isinstance(call, AppendCall):
        return append(call.stream, call.from_seq, data[call.start : call.end])
    if isinstance(call, HeadCall):
        return HEAD + encode(["address", "uint64"], [call.logger, call.stream])
    arguments = [call.logger, call.stream, call.dataset]
    return CREDIT + encode(["address", "uint64", "uint32"], arguments)


def test_address() -> None:
    assert ATTRIBUTION_ADDRESS.hex() == "0000000000000000000000000000000000000a77"


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(min_size=1, max_size=100))
def test_append_is_read_as_it_was_written(stream: int, from_seq: int, packed: bytes) -> None:
    data = append(stream, from_seq, packed)
    call = parse_call(data)
    assert isinstance(call, AppendCall)
    assert (call.stream, call.from_seq, data[call.start : call.end]) == (stream, from_seq, packed)


@given(
    st.sampled_from([APPEND, HEAD, CREDIT, b"\x00\x00\x00\x00", b""]),
    st.lists(st.integers(0, 100) | st.integers(0, 2**256 - 1), max_size=6),
    st.binary(max_size=3),
)
def test_any_call_is_canonical_or_refused(method: bytes, numbers: list[int], tail: bytes) -> None:
    data = method + b"".join(number.to_bytes(32, "big") for number in numbers) + tail
    try:
        again = encoded(data)
    except DecodingError:
        return
    assert again == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0x is not a function"),
        (b"\x01\x02\x03\x04\x05", "0x01020304 is not a function"),
        (APPEND, "at least 132 bytes, got 4"),
        (append(1, 2, b""), "one or more records"),
        (append(1, 2, b"abc")[:-1], "expected 164 bytes, got 163"),
        (append(1, 2, b"abc")[:-1] + b"\x01", "zeros behind the records"),
        (HEAD + b"\xff" * 64, "argument 0: expected at most 160 bits"),
        (HEAD, "expected 68 bytes, got 4"),
        (CREDIT + bytes(95), "expected 100 bytes, got 99"),
    ],
)
def test_refusals_say_what_was_expected(data: bytes, reason: str) -> None:
    with pytest.raises(DecodingError, match=reason):
        parse_call(data)
