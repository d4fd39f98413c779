"""Where a stream's state lies and how its slot is packed."""

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from node.types.attribution_stream import StreamState, credit_slot, stream_slot, unpack_stream
from node.types.primitives import Address

LOGGER = Address(bytes(range(20)))


def test_slots() -> None:
    key = LOGGER + (2**64 - 2).to_bytes(8, "big")
    assert stream_slot(LOGGER, 2**64 - 2).to_bytes(32, "big") == keccak(b"\x02" + key)
    expected = keccak(b"\x03" + key + b"\x00\x00\x01\x02")
    assert credit_slot(LOGGER, 2**64 - 2, 258).to_bytes(32, "big") == expected


def test_packing_layout() -> None:
    word = StreamState(count=0x0102030405, amount=6, credited=7).pack().to_bytes(32, "big")
    assert word == bytes.fromhex("0102030405") + (6).to_bytes(12, "big") + (7).to_bytes(15, "big")
    assert unpack_stream(0) == StreamState(0, 0, 0)


@given(st.integers(0, 2**256 - 1))
def test_every_word_round_trips(word: int) -> None:
    assert unpack_stream(word).pack() == word


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**96 - 1), st.integers(0, 2**120 - 1))
def test_every_state_round_trips(count: int, amount: int, credited: int) -> None:
    state = StreamState(count, amount, credited)
    assert unpack_stream(state.pack()) == state


@pytest.mark.parametrize(
    "state", [StreamState(2**40, 0, 0), StreamState(0, 2**96, 0), StreamState(0, 0, 2**120)]
)
def test_too_large(state: StreamState) -> None:
    assert not state.fits
    with pytest.raises(OverflowError, match="does not fit"):
        state.pack()
