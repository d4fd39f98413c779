"""Fifth stage: reads batches out of complete channels."""

import logging
from collections.abc import Iterator

from consensus.block_refs import L1BlockRef
from consensus.codec.batch import SingularBatch, UnsupportedBatch
from consensus.codec.channel import read_batches
from consensus.derivation.channel_assembler import ChannelAssembler
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained
from node.errors import DecodingError

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
        """Return the next batch; a channel ends where it can no longer be decoded."""
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
                _log.error("rest of the channel dropped: %s", error)
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
