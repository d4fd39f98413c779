"""Bounded compression and decompression of channels.

A damaged stream still counts up to its damage: batches before it are part of the rollup, so the
longest good prefix must come out the same on every node. What op-node's streaming readers hand out
before they fail is the measure.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import brotli

from node.errors import DecodingError

_BROTLI_VERSION: Final = 1
_ZLIB_NIBBLES: Final = (8, 15)
_ZLIB_CHUNK: Final = 256

# op-node reads brotli through a 4096-byte buffer that has lost its first byte to the version, then
# directly in pieces of 32 KiB; output that a damaged piece would have given is lost with it.
_BROTLI_FIRST_CHUNK: Final = 4095
_BROTLI_CHUNK: Final = 32768
_BROTLI_OUTPUT_STEP: Final = 1 << 16


class Compression(Enum):
    """How a channel's batches are compressed."""

    ZLIB = "zlib"
    BROTLI = "brotli"


@dataclass(frozen=True, slots=True)
class Decompressed:
    """The good prefix of a stream; `damage` says how it ended if not cleanly."""

    data: bytes = field(repr=False)
    damage: str | None


def detect_compression(data: bytes) -> Compression:
    """Tell the algorithm by a channel's first byte; DecodingError if it is none of ours."""
    if not data:
        raise DecodingError("channel: expected compressed batches, got no data")
    if data[0] & 0x0F in _ZLIB_NIBBLES:
        return Compression.ZLIB
    if data[0] == _BROTLI_VERSION:
        return Compression.BROTLI
    raise DecodingError(f"channel: expected a zlib or brotli stream, got byte 0x{data[0]:02x}")


def decompress(data: bytes, limit: int) -> Decompressed:
    """Decompress a channel into at most `limit` bytes, whatever it claims to hold.

    DecodingError if the algorithm is unknown. Bytes behind the end of the stream are ignored.
    """
    if detect_compression(data) is Compression.ZLIB:
        return _inflate(data, limit)
    return _decompress_brotli(data[1:], limit)


def compressor(algorithm: Compression, quality: int) -> "ZlibCompressor | BrotliCompressor":
    """Return a streaming compressor; `quality` is 0 to 9 for zlib, 0 to 11 for brotli."""
    if algorithm is Compression.ZLIB:
        return ZlibCompressor(quality)
    return BrotliCompressor(quality)


class ZlibCompressor:
    """A zlib stream in the making."""

    def __init__(self, quality: int) -> None:
        self._stream = zlib.compressobj(quality)

    def process(self, data: bytes) -> bytes:
        """Take input; return what output there is."""
        return self._stream.compress(data)

    def flush(self) -> bytes:
        """Return all output up to here, at the cost of a few bytes."""
        return self._stream.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """End the stream."""
        return self._stream.flush()


class BrotliCompressor:
    """A brotli stream in the making, behind the version byte that channels put in front."""

    def __init__(self, quality: int) -> None:
        self._stream = brotli.Compressor(quality=quality)
        self._head = bytes([_BROTLI_VERSION])

    def process(self, data: bytes) -> bytes:
        """Take input; return what output there is."""
        return self._with_head(self._stream.process(data))

    def flush(self) -> bytes:
        """Return all output up to here, at the cost of a few bytes."""
        return self._with_head(self._stream.flush())

    def finish(self) -> bytes:
        """End the stream."""
        return self._with_head(self._stream.finish())

    def _with_head(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + data


def _inflate(data: bytes, limit: int) -> Decompressed:
    stream = zlib.decompressobj()
    output = bytearray()
    for start in range(0, len(data), _ZLIB_CHUNK):
        chunk = data[start : start + _ZLIB_CHUNK]
        try:
            output += stream.decompress(chunk, limit - len(output))
        except zlib.error as error:
            output += _inflate_until_damage(data[:start], chunk, limit - len(output))
            return Decompressed(bytes(output), f"zlib: {error}")
        if stream.eof or len(output) >= limit:
            return Decompressed(bytes(output), None)
    return Decompressed(bytes(output), "zlib: the stream is cut off")


def _inflate_until_damage(before: bytes, chunk: bytes, limit: int) -> bytes:
    """Return what `chunk` yields up to its first bad symbol, given the good bytes `before` it.

    The library keeps nothing of a call that fails, so calls ask for one byte at a time.
    """
    stream = zlib.decompressobj()
    for start in range(0, len(before), _ZLIB_CHUNK):
        stream.decompress(before[start : start + _ZLIB_CHUNK])
    output = bytearray()
    for position in range(len(chunk)):
        pending = chunk[position : position + 1]
        while len(output) < limit:
            try:
                piece = stream.decompress(pending, 1)
            except zlib.error:
                return bytes(output)
            output += piece
            pending = stream.unconsumed_tail
            if not piece and not pending:
                break
    return bytes(output)


def _decompress_brotli(data: bytes, limit: int) -> Decompressed:
    stream = brotli.Decompressor()
    output = bytearray()
    for start, chunk in _brotli_chunks(data):
        try:
            _feed_brotli(stream, chunk, output, limit)
        except brotli.error as error:
            # The library also fails on bytes behind the end, which are no damage.
            whole = _brotli_before_excess(data, start, limit)
            if whole is not None:
                return Decompressed(whole, None)
            return Decompressed(bytes(output), f"brotli: {error}")
        if stream.is_finished() or len(output) >= limit:
            return Decompressed(bytes(output[:limit]), None)
    return Decompressed(bytes(output), "brotli: the stream is cut off")


def _feed_brotli(
    stream: "brotli.Decompressor", chunk: bytes, output: bytearray, limit: int
) -> None:
    """Give the decoder a chunk and take everything out that it yields.

    A decoder that can accept more may still hold output: only an empty answer says it is dry.
    """
    pending = chunk
    while len(output) < limit and not stream.is_finished():
        piece = stream.process(pending, output_buffer_limit=_BROTLI_OUTPUT_STEP)
        if not piece and stream.can_accept_more_data():
            return
        output += piece
        pending = b""


def _brotli_before_excess(data: bytes, start: int, limit: int) -> bytes | None:
    """Return all output if the stream ends inside the chunk at `start`, None if it is damaged."""
    stream = brotli.Decompressor()
    output = bytearray()
    _feed_brotli(stream, data[:start], output, limit)
    for position in range(start, min(len(data), start + _BROTLI_CHUNK)):
        try:
            _feed_brotli(stream, data[position : position + 1], output, limit)
        except brotli.error:
            return None
        if stream.is_finished() or len(output) >= limit:
            return bytes(output[:limit])
    return None


def _brotli_chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    start, size = 0, _BROTLI_FIRST_CHUNK
    while start < len(data):
        yield start, data[start : start + size]
        start, size = start + size, _BROTLI_CHUNK
