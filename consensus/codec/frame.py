"""Frames: the numbered slices of a channel, and the batcher transactions that carry them.

Source: specs/protocol/derivation, "Batcher Transaction Format" and "Frame Format".
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NewType

from node.errors import DecodingError

ChannelId = NewType("ChannelId", bytes)

CHANNEL_ID_SIZE: Final = 16
FRAME_OVERHEAD: Final = 23
"""Bytes of a frame besides its data."""

MAX_FRAME_DATA: Final = 1_000_000
MAX_FRAME_NUMBER: Final = 2**16 - 1
DERIVATION_VERSION: Final = 0

_HEADER = struct.Struct(">16sHI")


@dataclass(frozen=True, slots=True)
class Frame:
    """Slice `number` of a channel's compressed bytes, counted from 0."""

    channel_id: ChannelId
    number: int
    data: bytes = field(repr=False)
    is_last: bool

    def encode(self) -> bytes:
        """Return the frame as it stands in a batcher transaction."""
        header = _HEADER.pack(self.channel_id, self.number, len(self.data))
        return header + self.data + (b"\x01" if self.is_last else b"\x00")


def encode_batcher_data(frames: Iterable[Frame]) -> bytes:
    """Return the data of a batcher transaction that carries `frames`."""
    return bytes([DERIVATION_VERSION]) + b"".join(frame.encode() for frame in frames)


def decode_batcher_data(data: bytes) -> tuple[Frame, ...]:
    """Decode the data of a batcher transaction: at least one frame, and nothing else.

    DecodingError drops all of it, good frames included.
    """
    if not data:
        raise DecodingError("batcher transaction: expected a version byte, got no data")
    if data[0] != DERIVATION_VERSION:
        raise DecodingError(f"batcher transaction: expected version 0, got {data[0]}")
    if len(data) == 1:
        raise DecodingError("batcher transaction: expected at least one frame, got none")
    frames = []
    position = 1
    while position < len(data):
        frame, position = _decode_frame(data, position)
        frames.append(frame)
    return tuple(frames)


def _decode_frame(data: bytes, start: int) -> tuple[Frame, int]:
    begin = start + _HEADER.size
    if begin > len(data):
        raise DecodingError(f"frame: expected {_HEADER.size} bytes of header at {start}")
    channel_id, number, size = _HEADER.unpack_from(data, start)
    if size > MAX_FRAME_DATA:
        raise DecodingError(f"frame data: expected at most {MAX_FRAME_DATA} bytes, got {size}")
    end = begin + size
    if end >= len(data):
        raise DecodingError(f"frame: expected {size} bytes of data and a flag at {begin}")
    if data[end] > 1:
        raise DecodingError(f"is_last: expected 0 or 1, got {data[end]}")
    frame = Frame(ChannelId(channel_id), number, data[begin:end], data[end] == 1)
    return frame, end + 1
