"""Fifth stage: reads batches out of complete channels."""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Final

from consensus.block_refs import L1BlockRef
from consensus.codec.batch import SingularBatch
from consensus.codec.channel import decode_batch, read_raw_batches
from consensus.codec.span_batch import SpanBatch
from consensus.config import RollupConfig
from consensus.derivation.channel_assembler import ChannelAssembler
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained
from node.errors import DecodingError
from node.worker import run_in_thread

_LONG: Final = 1 << 16
"""Bytes of a batch whose decoding would hold up everything else that the event loop does."""

_log = logging.getLogger(__name__)


class ChannelReader:
    """Yields the batches of one channel after the other.

    A hundred bytes may decompress to a channel of the full size, and decoding that takes seconds:
    what may take long happens in a thread. What it works on is kept until it is done, so that a
    cancelled call can be repeated.
    """

    def __init__(self, config: RollupConfig, previous: ChannelAssembler) -> None:
        self._config = config
        self._previous = previous
        self._channel: bytes | None = None
        self._batches: Iterator[bytes] = iter(())
        self._batch: bytes | None = None

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_batch(self) -> SingularBatch | SpanBatch | Drained:
        """Return the next batch; a channel ends where it can no longer be decoded.

        A span batch that can be, but whose transactions cannot exist, is left out alone.
        """
        while True:
            if self._batch is None:
                self._batch = self._next_raw()
            if self._batch is not None:
                batch = await self._decode(self._batch)
                self._batch = None
                if batch is not None:
                    return batch
                continue
            if self._channel is None:
                channel = await self._previous.next_channel()
                if isinstance(channel, Drained):
                    return channel
                self._channel = channel
            await self._open(self._channel)

    def flush(self) -> None:
        """Drop what is left of the current channel."""
        self._forget()
        self._previous.flush()

    def reset(self, start: PipelineStart) -> None:
        """Drop what is left of the current channel."""
        self._forget()
        self._previous.reset(start)

    async def _open(self, channel: bytes) -> None:
        try:
            self._batches = await run_in_thread(partial(read_raw_batches, channel))
        except DecodingError as error:
            self._drop_rest(error)
        self._channel = None

    def _next_raw(self) -> bytes | None:
        """Return the channel's next batch, None at its end."""
        try:
            return next(self._batches, None)
        except DecodingError as error:
            self._drop_rest(error)
            return None

    async def _decode(self, raw: bytes) -> SingularBatch | SpanBatch | None:
        try:
            if len(raw) < _LONG:
                batch = decode_batch(raw)
            else:
                batch = await run_in_thread(partial(decode_batch, raw))
        except DecodingError as error:
            self._drop_rest(error)
            return None
        if isinstance(batch, SingularBatch):
            return batch
        try:
            if len(raw) < _LONG:
                return batch.derive(self._config)
            return await run_in_thread(partial(batch.derive, self._config))
        except DecodingError as error:
            _log.warning("span batch dropped: %s", error)
            return None

    def _drop_rest(self, error: DecodingError) -> None:
        _log.warning("rest of the channel dropped: %s", error)
        self._batches = iter(())

    def _forget(self) -> None:
        self._channel = self._batch = None
        self._batches = iter(())
