"""Channels: writing and reading, damage, bombs, and one from a live network."""

import contextlib
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.batch import SingularBatch
from consensus.codec.channel import (
    Batch,
    ChannelFull,
    ChannelWriter,
    UnsupportedBatch,
    read_batches,
    split_into_frames,
)
from consensus.codec.compression import BrotliCompressor, Compression, ZlibCompressor
from consensus.codec.frame import FRAME_OVERHEAD, MAX_FRAME_DATA, ChannelId
from consensus.codec.span_batch import RawSpanBatch
from node.errors import DecodingError, InvalidInput
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32, keccak256
from node.types.rlp_codec import encode
from tests.consensus.codec.test_batch import BATCHES

VECTORS = Path(__file__).parents[3] / "../shared/vectors/channels"
ID = ChannelId(bytes(range(16)))
ALGORITHMS = pytest.mark.parametrize("algorithm", list(Compression))


def noise(size: int, seed: bytes = b"") -> bytes:
    """Return bytes that do not compress."""
    blocks = range(-(-size // 32))
    return b"".join(keccak256(seed + i.to_bytes(4, "big")) for i in blocks)[:size]


def batch_of(data: bytes, timestamp: int = 1) -> SingularBatch:
    zero = Hash32(bytes(32))
    return SingularBatch(zero, BlockRef(zero, BlockNumber(0)), timestamp, (data,))


def read_until_damage(data: bytes) -> tuple[list[Batch], str]:
    """Return the batches that a channel yields, and why it ended early if it did."""
    batches: list[Batch] = []
    reader = read_batches(data)
    while True:
        try:
            batches.append(next(reader))
        except StopIteration:
            return batches, ""
        except DecodingError as error:
            return batches, str(error)


@given(
    st.lists(BATCHES, max_size=6), st.sampled_from(Compression), st.integers(FRAME_OVERHEAD + 1, 99)
)
def test_round_trip(
    batches: list[SingularBatch], algorithm: Compression, max_frame_size: int
) -> None:
    writer = ChannelWriter(ID, compression=algorithm)
    for batch in batches:
        writer.add(batch)
    frames = writer.frames(max_frame_size)
    data = b"".join(frame.data for frame in frames)
    assert list(read_batches(data)) == batches
    assert data == writer.close()
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert [frame.is_last for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert all(len(frame.encode()) <= max_frame_size for frame in frames)
    assert {frame.channel_id for frame in frames} == {ID}


@ALGORITHMS
def test_size_is_known_on_the_way(algorithm: Compression) -> None:
    writer = ChannelWriter(ID, compression=algorithm)
    assert writer.compressed_size() <= 2
    sizes = []
    for timestamp in range(5):
        writer.add(batch_of(noise(1000, bytes([timestamp])), timestamp))
        sizes.append(writer.compressed_size())
        assert writer.compressed_size() == sizes[-1]
    assert sizes == sorted(sizes)
    assert 5000 <= sizes[-1] <= 5600
    assert writer.batch_count == 5
    assert writer.rlp_bytes > 5000
    assert sizes[-1] <= len(writer.close()) <= sizes[-1] + 20


def test_full_channel_refuses_and_stays_usable() -> None:
    writer = ChannelWriter(ID, max_rlp_bytes=300)
    writer.add(batch_of(bytes(100)))
    with pytest.raises(ChannelFull, match="expected at most 300 bytes"):
        writer.add(batch_of(bytes(100)))
    assert list(read_batches(writer.close())) == [batch_of(bytes(100))]
    with pytest.raises(ChannelFull, match="closed"):
        writer.add(batch_of(b""))


def test_bad_parameters() -> None:
    with pytest.raises(InvalidInput, match="expected 16 bytes, got 3"):
        ChannelWriter(ChannelId(b"abc"))
    with pytest.raises(InvalidInput, match="expected at least 24 bytes, got 23"):
        split_into_frames(ID, b"data", FRAME_OVERHEAD)
    with pytest.raises(InvalidInput, match="expected at most 65536 frames, got 65537"):
        split_into_frames(ID, bytes(65537), FRAME_OVERHEAD + 1)


def test_frames_never_exceed_what_readers_accept() -> None:
    frames = split_into_frames(ID, bytes(MAX_FRAME_DATA + 1), 10 * MAX_FRAME_DATA)
    assert [len(frame.data) for frame in frames] == [MAX_FRAME_DATA, 1]


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x01", b"\x78\x9c", b"\x78\xda"]))
def test_hostile_bytes(data: bytes, head: bytes) -> None:
    with contextlib.suppress(DecodingError):
        list(read_batches(head + data))


@given(st.binary(max_size=300), st.sampled_from(Compression))
def test_hostile_content(content: bytes, algorithm: Compression) -> None:
    stream = ZlibCompressor(6) if algorithm is Compression.ZLIB else BrotliCompressor(6)
    with contextlib.suppress(DecodingError):
        list(read_batches(stream.process(content) + stream.finish()))


@given(st.sampled_from(Compression), st.data())
def test_damaged_streams(algorithm: Compression, data: st.DataObject) -> None:
    writer = ChannelWriter(ID, compression=algorithm)
    batches = [batch_of(noise(200, bytes([i])), i) for i in range(8)]
    for batch in batches:
        writer.add(batch)
    raw = bytearray(writer.close())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    found, damage = read_until_damage(bytes(raw))
    assert read_until_damage(bytes(raw)) == (found, damage)


@ALGORITHMS
def test_truncated_stream(algorithm: Compression) -> None:
    writer = ChannelWriter(ID, compression=algorithm)
    for i in range(3):
        writer.add(batch_of(noise(500, bytes([i])), i))
    writer.compressed_size()
    raw = writer.close()
    cut = writer_without_last(algorithm)
    found, damage = read_until_damage(raw[:cut])
    assert [batch.timestamp for batch in found] == [0, 1]
    assert "cut off" in damage


def writer_without_last(algorithm: Compression) -> int:
    """Return the size of two whole batches and a bit of the third."""
    writer = ChannelWriter(ID, compression=algorithm)
    for i in range(2):
        writer.add(batch_of(noise(500, bytes([i])), i))
    return writer.compressed_size() + 100


def test_zlib_is_read_up_to_the_damage() -> None:
    writer = ChannelWriter(ID, compression=Compression.ZLIB)
    for i in range(20):
        writer.add(batch_of(noise(100, bytes([i])), i))
    flushed = writer.compressed_size()
    writer.add(batch_of(noise(100, b"lost"), 20))
    raw = writer.close()
    reserved_block_type = b"\x07"
    found, damage = read_until_damage(raw[:flushed] + reserved_block_type + bytes(40))
    assert len(found) == 20
    assert "invalid block type" in damage
    found, damage = read_until_damage(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert len(found) == 21
    assert "incorrect data check" in damage


def test_brotli_loses_the_piece_that_holds_the_damage() -> None:
    writer = ChannelWriter(ID)
    for i in range(20):
        writer.add(batch_of(noise(1000, bytes([i])), i))
    flushed = writer.compressed_size()
    found, damage = read_until_damage(writer.close()[:flushed] + b"\xff" * 40)
    assert [batch.timestamp for batch in found] == [0, 1, 2, 3]  # all in the first 4095 bytes
    assert "brotli" in damage


@ALGORITHMS
def test_bytes_behind_the_stream_are_ignored(algorithm: Compression) -> None:
    writer = ChannelWriter(ID, compression=algorithm)
    writer.add(batch_of(b"first"))
    assert read_until_damage(writer.close() + b"more") == ([batch_of(b"first")], "")


def test_long_brotli_stream_with_excess() -> None:
    writer = ChannelWriter(ID)
    batches = [batch_of(noise(30_000, bytes([i])), i) for i in range(5)]
    for batch in batches:
        writer.add(batch)
    assert read_until_damage(writer.close() + b"more") == (batches, "")


@ALGORITHMS
def test_bombs_are_cut_at_the_limit(algorithm: Compression) -> None:
    stream = ZlibCompressor(9) if algorithm is Compression.ZLIB else BrotliCompressor(5)
    first = encode(batch_of(b"first").encode())
    bomb = stream.process(first + b"\xbb" + (30_000_000).to_bytes(4, "big") + bytes(30_000_000))
    bomb += stream.finish()
    assert len(bomb) < 40_000
    batches = read_batches(bomb, 1_000_000)
    assert next(batches) == batch_of(b"first")
    with pytest.raises(DecodingError, match="an item of 30000000 bytes, "):
        next(batches)


def test_only_batches_wholly_inside_the_limit_count() -> None:
    writer = ChannelWriter(ID)
    for i in range(3):
        writer.add(batch_of(noise(100, bytes([i])), i))
    raw = writer.close()
    assert len(list(read_batches(raw, writer.rlp_bytes))) == 3
    batches = read_batches(raw, writer.rlp_bytes - 1)
    assert [next(batches).timestamp, next(batches).timestamp] == [0, 1]
    with pytest.raises(DecodingError):
        next(batches)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "got no data"),
        (b"\x02abc", "got byte 0x02"),
        (b"\x7f\x00", "zlib"),
        (b"\x01", "cut off"),
    ],
)
def test_refusals(raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        list(read_batches(raw))


def test_batches_are_byte_strings() -> None:
    stream = ZlibCompressor(6)
    raw = stream.process(encode([b"a", b"list"])) + stream.finish()
    with pytest.raises(DecodingError, match="expected a batch as an RLP string, got a list"):
        list(read_batches(raw))


def test_unknown_batch_type_ends_the_channel() -> None:
    stream = ZlibCompressor(6)
    first, last = encode(batch_of(b"1").encode()), encode(batch_of(b"3").encode())
    raw = stream.process(first + encode(bytes([2, 1, 2])) + last) + stream.finish()
    batches = read_batches(raw)
    assert next(batches) == batch_of(b"1")
    with pytest.raises(UnsupportedBatch):
        next(batches)
    assert list(batches) == []


def test_real_channel() -> None:
    path = VECTORS / "op-mainnet-channel.hex.gz"
    if not path.exists():
        pytest.skip("the vectors of the OP Stack's networks are not at hand")
    raw = bytes.fromhex(gzip.decompress(path.read_bytes()).decode().strip().removeprefix("0x"))
    (batch,) = read_batches(raw)
    assert isinstance(batch, RawSpanBatch)
    writer = ChannelWriter(ID, compression=Compression.ZLIB)
    writer.add(batch)
    assert list(read_batches(writer.close())) == [batch]
