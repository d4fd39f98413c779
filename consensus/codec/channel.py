"""Channels: compressed runs of batches, cut into frames.

Source: specs/protocol/derivation, "Channel Format"; brotli and the size limit of Fjord.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

from consensus.codec.batch import SINGULAR_BATCH, SingularBatch, decode_singular_batch
from consensus.codec.compression import Compression, compressor, decompress
from consensus.codec.frame import (
    CHANNEL_ID_SIZE,
    FRAME_OVERHEAD,
    MAX_FRAME_DATA,
    MAX_FRAME_NUMBER,
    ChannelId,
    Frame,
)
from consensus.codec.span_batch import SPAN_BATCH, RawSpanBatch, decode_span_batch
from consensus.config import MAX_RLP_BYTES
from node.errors import DecodingError, InvalidInput
from node.types.rlp_codec import encode, item_span

DEFAULT_QUALITY: Final = 9


Batch: TypeAlias = SingularBatch | RawSpanBatch


class UnsupportedBatch(DecodingError):
    """A batch of a type that there is not (yet); its channel ends here."""


class ChannelFull(InvalidInput):
    """The batch does not fit into the channel any more; it was not added."""


class ChannelWriter:
    """A channel in the making: batches in, frames out. The caller supplies a unique id."""

    def __init__(
        self,
        channel_id: ChannelId,
        *,
        compression: Compression = Compression.BROTLI,
        quality: int = DEFAULT_QUALITY,
        max_rlp_bytes: int = MAX_RLP_BYTES,
    ) -> None:
        if len(channel_id) != CHANNEL_ID_SIZE:
            raise InvalidInput(
                f"channel id: expected {CHANNEL_ID_SIZE} bytes, got {len(channel_id)}"
            )
        self.channel_id = channel_id
        self.batch_count = 0
        self.rlp_bytes = 0
        self._max_rlp_bytes = max_rlp_bytes
        self._compressor = compressor(compression, quality)
        self._output = bytearray()
        self._is_flushed = True
        self._is_closed = False

    def add(self, batch: Batch) -> None:
        """Append a batch; ChannelFull if readers would no longer reach its end."""
        if self._is_closed:
            raise ChannelFull("channel: it is closed")
        item = encode(batch.encode())
        if self.rlp_bytes + len(item) > self._max_rlp_bytes:
            raise ChannelFull(
                f"channel: expected at most {self._max_rlp_bytes} bytes of batches, "
                f"got {self.rlp_bytes + len(item)}"
            )
        self._output += self._compressor.process(item)
        self._is_flushed = False
        self.rlp_bytes += len(item)
        self.batch_count += 1

    def compressed_size(self) -> int:
        """Return the bytes that the batches so far take, compressed.

        Asking costs up to about ten bytes of output when batches were added since it was last
        asked; closing adds about as much again.
        """
        if not self._is_flushed:
            self._output += self._compressor.flush()
            self._is_flushed = True
        return len(self._output)

    def close(self) -> bytes:
        """End the channel and return its compressed bytes; the same bytes when called again."""
        if not self._is_closed:
            self._output += self._compressor.finish()
            self._is_closed = True
        return bytes(self._output)

    def frames(self, max_frame_size: int) -> tuple[Frame, ...]:
        """Close the channel and cut it into frames of at most `max_frame_size` encoded bytes."""
        return split_into_frames(self.channel_id, self.close(), max_frame_size)


def split_into_frames(channel_id: ChannelId, data: bytes, max_frame_size: int) -> tuple[Frame, ...]:
    """Cut compressed bytes into frames, the last one marked; at least one even for no bytes.

    `max_frame_size` counts the frame's own 23 bytes too.
    """
    step = min(max_frame_size - FRAME_OVERHEAD, MAX_FRAME_DATA)
    if step < 1:
        raise InvalidInput(
            f"frame size: expected at least {FRAME_OVERHEAD + 1} bytes, got {max_frame_size}"
        )
    count = max(1, -(-len(data) // step))
    if count > MAX_FRAME_NUMBER + 1:
        raise InvalidInput(f"channel: expected at most {MAX_FRAME_NUMBER + 1} frames, got {count}")
    return tuple(
        Frame(channel_id, number, data[number * step : (number + 1) * step], number == count - 1)
        for number in range(count)
    )


def read_batches(channel_data: bytes, max_rlp_bytes: int = MAX_RLP_BYTES) -> Iterator[Batch]:
    """Yield the batches of a complete channel.

    DecodingError where the channel stops making sense (UnsupportedBatch for an unknown batch
    type): what came before it counts, what follows does not.
    """
    for raw in read_raw_batches(channel_data, max_rlp_bytes):
        yield decode_batch(raw)


def decode_batch(data: bytes) -> Batch:
    """Decode a batch with its type byte; UnsupportedBatch for a type that is none of the two."""
    if not data:
        raise DecodingError("batch: expected a type byte, got no data")
    if data[0] == SINGULAR_BATCH:
        return decode_singular_batch(data)
    if data[0] == SPAN_BATCH:
        return decode_span_batch(data)
    raise UnsupportedBatch(f"batch type: expected {SINGULAR_BATCH} or {SPAN_BATCH}, got {data[0]}")


def read_raw_batches(channel_data: bytes, max_rlp_bytes: int = MAX_RLP_BYTES) -> Iterator[bytes]:
    """Decompress a channel and return an iterator over each batch's bytes, type byte first.

    Errors are as in `read_batches`, the iterator's too; only the call itself takes long.
    """
    stream = decompress(channel_data, max_rlp_bytes)
    return _split(stream.data, stream.damage)


def _split(data: bytes, damage: str | None) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        try:
            is_list, begin, end = item_span(data, position, len(data))
        except DecodingError as error:
            # What is damaged usually ends inside a batch; the damage is the reason then.
            raise DecodingError(f"channel: {damage or error}") from error
        if is_list:
            raise DecodingError("channel: expected a batch as an RLP string, got a list")
        yield data[begin:end]
        position = end
    if damage is not None:
        raise DecodingError(f"channel: {damage}")
