"""Blob packing: both directions, held against a plain reading of the specification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.blob import BLOB_SIZE, MAX_BLOB_DATA, decode_blob, encode_blob
from node.errors import DecodingError, InvalidInput

MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
DATA = st.one_of(
    st.binary(max_size=400),
    st.tuples(st.binary(min_size=1, max_size=200), st.integers(1, 1000)).map(
        lambda pair: (pair[0] * pair[1])[:MAX_BLOB_DATA]
    ),
)


def packed_plainly(data: bytes) -> bytes:
    """Pack group by group, bit by bit, as the specification tells it."""
    rest = bytearray(b"\0" + len(data).to_bytes(3, "big") + data)

    def take(size: int) -> bytes:
        piece = bytes(rest[:size]).ljust(size, b"\0")
        del rest[:size]
        return piece

    blob = b""
    for _ in range(1024):
        tail_a, x = take(31), take(1)[0]
        tail_b, y = take(31), take(1)[0]
        tail_c, z = take(31), take(1)[0]
        tail_d = take(31)
        blob += bytes([x & 0x3F]) + tail_a
        blob += bytes([(y & 0x0F) | ((x & 0xC0) >> 2)]) + tail_b
        blob += bytes([z & 0x3F]) + tail_c
        blob += bytes([((z & 0xC0) >> 2) | ((y & 0xF0) >> 4)]) + tail_d
    return blob


@given(DATA)
def test_round_trip(data: bytes) -> None:
    blob = encode_blob(data)
    assert blob == packed_plainly(data)
    assert decode_blob(blob) == data


@pytest.mark.parametrize("size", [0, 1, 26, 27, 28, 123, 124, 127, MAX_BLOB_DATA])
def test_sizes(size: int) -> None:
    data = bytes(index * 37 & 0xFF for index in range(size))
    blob = encode_blob(data)
    assert len(blob) == BLOB_SIZE
    assert decode_blob(blob) == data


def test_elements_are_canonical() -> None:
    blob = encode_blob(b"\xff" * MAX_BLOB_DATA)
    elements = [int.from_bytes(blob[i : i + 32], "big") for i in range(0, BLOB_SIZE, 32)]
    assert max(elements) < MODULUS


@given(st.binary(max_size=60), st.data())
def test_damage(data: bytes, draw: st.DataObject) -> None:
    blob = bytearray(encode_blob(data))
    place = draw.draw(st.one_of(st.integers(0, 200), st.integers(0, BLOB_SIZE - 1)))
    blob[place] ^= draw.draw(st.integers(1, 255))
    try:
        found = decode_blob(bytes(blob))
    except DecodingError:
        return
    if place > 0:  # there, two bits are read past
        assert found != data
        assert encode_blob(found) == blob


def changed(place: int, value: int) -> bytes:
    blob = bytearray(encode_blob(b"data"))
    blob[place] = value
    return bytes(blob)


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"", "expected 131072 bytes, got 0"),
        (bytes(BLOB_SIZE + 1), "got 131073"),
        (changed(1, 1), "expected encoding version 0, got 1"),
        (changed(2, 2), "expected at most 130044 bytes, it claims 131076"),
        (changed(32, 0x40), "field elements of 254 bits"),
        (changed(128, 0x80), "field elements of 254 bits"),
        (changed(BLOB_SIZE - 32, 0x80), "field elements of 254 bits"),
        (changed(9, 1), "expected zeros behind its 4 bytes"),
        (changed(BLOB_SIZE - 1, 1), "expected zeros behind"),
        (changed(BLOB_SIZE - 32, 1), "expected zeros behind"),
        (changed(4, 3), "expected zeros behind its 3 bytes"),
    ],
)
def test_refusals(blob: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        decode_blob(blob)


@pytest.mark.parametrize("bits", [0x40, 0x80, 0xC0])
def test_the_top_bits_of_the_first_element_do_not_matter(bits: int) -> None:
    """As in op-node and kona: who refused such a blob would derive another chain."""
    assert decode_blob(changed(0, bits)) == b"data"
    with pytest.raises(DecodingError, match="expected zeros behind"):
        decode_blob(changed(0, bits | 1))


def test_too_much_data() -> None:
    with pytest.raises(InvalidInput, match="expected at most 130044 bytes, got 130045"):
        encode_blob(bytes(MAX_BLOB_DATA + 1))
