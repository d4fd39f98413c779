"""Fifth stage: reads batches out of complete channels."""

import logging
from collections.abc import Iterator

from consensus.block_refs import L1BlockRef
from consensus.codec.batch import SingularBatch
from consensus.codec.channel import Batch, read_batches
from consensus.codec.span_batch import SpanBatch
from consensus.config import RollupConfig
from consensus.derivation.channel_assembler import ChannelAssembler
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained
from node.errors import DecodingError

_log = logging.getLogger(__name__)


class ChannelReader:
    """Yields the batches of one channel after the other."""

    def __init__(self, config: RollupConfig, previous: ChannelAssembler) -> None:
        self._config = config
        self._previous = previous
        self._batches: Iterator[Batch] | None = None

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_batch(self) -> SingularBatch | SpanBatch | Drained:
        """Return the next batch; a channel ends where it can no longer be decoded.

        A span batch that can be, but whose transactions cannot exist, is left out alone.
        """
        while True:
            if self._batches is None:
                channel = await self._previous.next_channel()
                if isinstance(channel, Drained):
                    return channel
                self._batches = read_batches(channel)
            batch = self._read(self._batches)
            if batch is None:
                self._batches = None
            elif isinstance(batch, SingularBatch):
                return batch
            else:
                try:
                    return batch.derive(self._config)
                except DecodingError as error:
                    _log.warning("span batch dropped: %s", error)

    @staticmethod
    def _read(batches: Iterator[Batch]) -> Batch | None:
        """Return the channel's next batch, None at its end."""
        try:
            return next(batches, None)
        except DecodingError as error:
            _log.warning("rest of the channel dropped: %s", error)
            return None

    def flush(self) -> None:
        """Drop what is left of the current channel."""
        self._batches = None
        self._previous.flush()

    def reset(self, start: PipelineStart) -> None:
        """Drop what is left of the current channel."""
        self._batches = None
        self._previous.reset(start)
