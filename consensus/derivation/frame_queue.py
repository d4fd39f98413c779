"""Third stage: cuts batcher data into frames and prunes what cannot continue a channel.

Source: specs/protocol/holocene/derivation, "Frame Queue".
"""

import logging
from collections import deque
from collections.abc import Sequence

from consensus.block_refs import L1BlockRef
from consensus.codec.frame import MAX_FRAME_NUMBER, Frame, decode_batcher_data
from consensus.derivation.l1_retrieval import L1Retrieval
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained
from node.errors import DecodingError

_log = logging.getLogger(__name__)


class FrameQueue:
    """The frames of one batcher transaction at a time, in an order that a channel can have."""

    def __init__(self, previous: L1Retrieval) -> None:
        self._previous = previous
        self._frames: deque[Frame] = deque()

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_frame(self) -> Frame | Drained:
        """Return the next frame; transactions that do not parse are dropped whole."""
        while not self._frames:
            data = await self._previous.next_data()
            if isinstance(data, Drained):
                return data
            try:
                frames = decode_batcher_data(data)
            except DecodingError as error:
                _log.warning("batcher transaction dropped: %s", error)
                continue
            self._frames.extend(prune_frames(frames))
        return self._frames.popleft()

    def reset(self, start: PipelineStart) -> None:
        """Forget all frames."""
        self._frames.clear()
        self._previous.reset(start)


def prune_frames(frames: Sequence[Frame]) -> list[Frame]:
    """Drop frames that their neighbours show to be useless.

    Within a channel the numbers must rise by one and nothing follows the last; a new channel
    starts at 0, and by starting it abandons an unfinished one before it.
    """
    kept: list[Frame] = []
    for frame in frames:
        if frame.number == 0:
            _abandon_open_channel(kept, frame)
        # The first frame may continue a channel of an earlier transaction.
        if not kept or _follows(kept[-1], frame):
            kept.append(frame)
    return kept


def _abandon_open_channel(kept: list[Frame], opening: Frame) -> None:
    while kept and kept[-1].channel_id != opening.channel_id and not kept[-1].is_last:
        kept.pop()


def _follows(previous: Frame, frame: Frame) -> bool:
    if previous.channel_id != frame.channel_id:
        return frame.number == 0
    # 16 bits wrap in the reference implementation, so that number 0 may stand behind the highest.
    return not previous.is_last and frame.number == (previous.number + 1) % (MAX_FRAME_NUMBER + 1)
