"""Frames and batcher transactions: both directions, and hostile bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.channel import decode_batch, read_batches
from consensus.codec.frame import (
    FRAME_OVERHEAD,
    MAX_FRAME_DATA,
    ChannelId,
    Frame,
    decode_batcher_data,
    encode_batcher_data,
)
from consensus.codec.span_batch import RawSpanBatch
from node.errors import DecodingError
from node.types.transaction import Transaction, decode_transaction

VECTORS = Path(__file__).parents[3] / "../shared/vectors/channels"

FRAMES = st.builds(
    Frame,
    st.binary(min_size=16, max_size=16).map(ChannelId),
    st.integers(0, 2**16 - 1),
    st.binary(max_size=60),
    st.booleans(),
)
FRAME = Frame(ChannelId(bytes(range(16))), 258, b"data", is_last=True)


@given(st.lists(FRAMES, min_size=1, max_size=5))
def test_round_trip(frames: list[Frame]) -> None:
    data = encode_batcher_data(frames)
    assert decode_batcher_data(data) == tuple(frames)
    assert len(data) == 1 + sum(FRAME_OVERHEAD + len(frame.data) for frame in frames)


def test_layout() -> None:
    expected = bytes(range(16)) + b"\x01\x02" + b"\x00\x00\x00\x04" + b"data" + b"\x01"
    assert FRAME.encode() == expected


@given(st.binary(max_size=200))
def test_hostile_bytes(data: bytes) -> None:
    for candidate in (data, b"\x00" + data):
        try:
            frames = decode_batcher_data(candidate)
        except DecodingError:
            continue
        assert encode_batcher_data(frames) == candidate


@given(st.lists(FRAMES, min_size=1, max_size=3), st.data())
def test_damaged_frames(frames: list[Frame], data: st.DataObject) -> None:
    raw = bytearray(encode_batcher_data(frames))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    del raw[data.draw(st.integers(0, len(raw))) :]
    try:
        decode_batcher_data(bytes(raw))
    except DecodingError as error:
        assert "expected" in str(error)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a version byte"),
        (b"\x01" + FRAME.encode(), "expected version 0, got 1"),
        (b"\x00", "expected at least one frame"),
        (b"\x00" + FRAME.encode()[:-1], "expected 4 bytes of data and a flag"),
        (b"\x00" + FRAME.encode()[:10], "expected 22 bytes of header"),
        (b"\x00" + FRAME.encode()[:-1] + b"\x02", "expected 0 or 1, got 2"),
        (b"\x00" + FRAME.encode() + b"\x00", "header at 28"),
    ],
)
def test_refusals(data: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        decode_batcher_data(data)


def test_frame_data_is_bounded() -> None:
    largest = Frame(FRAME.channel_id, 0, bytes(MAX_FRAME_DATA), is_last=True)
    assert decode_batcher_data(encode_batcher_data([largest])) == (largest,)
    larger = Frame(FRAME.channel_id, 0, bytes(MAX_FRAME_DATA + 1), is_last=True)
    with pytest.raises(DecodingError, match="expected at most 1000000 bytes"):
        decode_batcher_data(encode_batcher_data([larger]))


def test_real_batcher_transaction() -> None:
    path = VECTORS / "op-mainnet-batcher-tx.bin"
    if not path.exists():
        pytest.skip("the vectors of the OP Stack's networks are not at hand")
    transaction = decode_transaction(path.read_bytes())
    assert isinstance(transaction, Transaction)
    (frame,) = decode_batcher_data(transaction.data)
    assert (frame.number, frame.is_last) == (0, True)
    assert encode_batcher_data([frame]) == transaction.data
    # Its batcher never marks the end of a stream; the batch counts all the same.
    batch = next(read_batches(frame.data))
    assert isinstance(batch, RawSpanBatch)
    assert decode_batch(batch.encode()) == batch
