"""Fourth stage: puts frames together into one channel at a time.

Source: specs/protocol/holocene/derivation, "Channel Bank".
"""

import logging
from dataclasses import dataclass, field
from typing import Final

from consensus.block_refs import L1BlockRef
from consensus.codec.frame import ChannelId, Frame
from consensus.config import CHANNEL_TIMEOUT, MAX_RLP_BYTES
from consensus.derivation.frame_queue import FrameQueue
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained

FRAME_COST: Final = 200
"""Bytes that a frame counts towards a channel's size besides its data."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OpenChannel:
    """A channel whose last frame is still missing. `opened_at` is an L1 block number."""

    channel_id: ChannelId
    opened_at: int
    size: int = 0
    parts: list[bytes] = field(default_factory=list)


class ChannelAssembler:
    """Yields complete channels; holds at most one that is incomplete."""

    def __init__(self, previous: FrameQueue) -> None:
        self._previous = previous
        self._channel: _OpenChannel | None = None

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_channel(self) -> bytes | Drained:
        """Return the compressed bytes of the next complete channel."""
        self._drop_timed_out()
        while True:
            frame = await self._previous.next_frame()
            if isinstance(frame, Drained):
                return frame
            complete = self._add(frame)
            if complete is not None:
                return complete

    def flush(self) -> None:
        """Drop the channel in the making."""
        self._channel = None

    def reset(self, start: PipelineStart) -> None:
        """Drop the channel in the making."""
        self.flush()
        self._previous.reset(start)

    def _add(self, frame: Frame) -> bytes | None:
        """Take a frame; return the channel's bytes if that completed it."""
        if frame.number == 0:
            if self._channel is not None:
                self._log_drop("a new channel begins")
            self._channel = _OpenChannel(frame.channel_id, self.current_l1.number)
        channel = self._channel
        if (
            channel is None
            or frame.channel_id != channel.channel_id
            or frame.number != len(channel.parts)
        ):
            _log.warning(
                "frame %d of channel %s dropped: out of order", frame.number, frame.channel_id.hex()
            )
            return None
        channel.parts.append(frame.data)
        channel.size += len(frame.data) + FRAME_COST
        if channel.size > MAX_RLP_BYTES:
            self._log_drop(f"it has grown beyond {MAX_RLP_BYTES} bytes")
            self._channel = None
            return None
        if not frame.is_last:
            return None
        self._channel = None
        return b"".join(channel.parts)

    def _drop_timed_out(self) -> None:
        channel = self._channel
        if channel is None or channel.opened_at + CHANNEL_TIMEOUT >= self.current_l1.number:
            return
        self._log_drop(f"opened at L1 block {channel.opened_at}, timed out")
        self._channel = None

    def _log_drop(self, reason: str) -> None:
        if self._channel is not None:
            _log.warning("channel %s dropped: %s", self._channel.channel_id.hex(), reason)
