"""Fifth stage: reads batches out of complete channels."""

import logging
from collections.abc import Iterator

from consensus.block_refs import L1BlockRef
from consensus.codec.batch import SPAN_BATCH, SingularBatch, UnsupportedBatch
from consensus.codec.channel import read_batches
from consensus.derivation.channel_assembler import ChannelAssembler
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained
from node.errors import CriticalError, DecodingError

_log = logging.getLogger(__name__)


class ChannelReader:
    """Yields the batches of one channel after the other."""

    def __init__(self, previous: ChannelAssembler) -> None:
        self._previous = previous
        self._batches: Iterator[SingularBatch] | None = None

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_batch(self) -> SingularBatch | Drained:
        """Return the next batch; a channel ends where it can no longer be decoded.

        CriticalError for a span batch, which cannot be read and must not be passed over.
        """
        while True:
            if self._batches is None:
                channel = await self._previous.next_channel()
                if isinstance(channel, Drained):
                    return channel
                self._batches = read_batches(channel)
            try:
                return next(self._batches)
            except StopIteration:
                pass
            except UnsupportedBatch as error:
                if error.batch_type == SPAN_BATCH:
                    # Going on without it would derive other blocks than everybody else.
                    raise CriticalError(
                        f"L1 block {self.current_l1.number}: the batcher posted a span batch, and "
                        "this node reads singular batches only"
                    ) from error
                _log.warning("rest of the channel dropped: %s", error)
            except DecodingError as error:
                _log.warning("rest of the channel dropped: %s", error)
            self._batches = None

    def flush(self) -> None:
        """Drop what is left of the current channel."""
        self._batches = None
        self._previous.flush()

    def reset(self, start: PipelineStart) -> None:
        """Drop what is left of the current channel."""
        self._batches = None
        self._previous.reset(start)
