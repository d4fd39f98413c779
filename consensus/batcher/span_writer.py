"""A channel that holds one span batch: written whole, when its last block is known."""

from typing import Final

from consensus.codec.batch import SingularBatch
from consensus.codec.channel import ChannelFull, ChannelWriter
from consensus.codec.frame import ChannelId, Frame
from consensus.codec.span_batch import MAX_ELEMENTS, span_of
from consensus.config import MAX_RLP_BYTES, RollupConfig
from node.errors import InvalidInput

_BLOCK_BYTES: Final = 8
_PREFIX_BYTES: Final = 80


class SpanWriter:
    """Blocks in, frames out. `first_opens_epoch`: the first block has another origin than its
    parent.
    """

    def __init__(
        self, channel_id: ChannelId, config: RollupConfig, *, first_opens_epoch: bool
    ) -> None:
        self.channel_id = channel_id
        self.rlp_bytes = _PREFIX_BYTES
        """About the size of the span batch so far, before compression, and hardly ever less."""
        self._config = config
        self._first_opens_epoch = first_opens_epoch
        self._batches: list[SingularBatch] = []
        self._tx_count = 0

    def add(self, batch: SingularBatch) -> None:
        """Append the next block; ChannelFull if readers would not take so many."""
        size = _size(batch)
        count = self._tx_count + len(batch.transactions)
        if self.rlp_bytes + size > MAX_RLP_BYTES or count > MAX_ELEMENTS:
            raise ChannelFull(
                f"channel: expected at most {MAX_RLP_BYTES} bytes and {MAX_ELEMENTS} transactions, "
                f"got {self.rlp_bytes + size} and {count}"
            )
        self._batches.append(batch)
        self.rlp_bytes += size
        self._tx_count = count

    def take_back(self) -> None:
        """Remove the block that was added last; InvalidInput if it is the only one."""
        if len(self._batches) < 2:
            raise InvalidInput("channel: expected two blocks at least, to take one back")
        batch = self._batches.pop()
        self.rlp_bytes -= _size(batch)
        self._tx_count -= len(batch.transactions)

    def compressed_size(self) -> int:
        """Return the bytes that the blocks so far take. Costs as much time as writing them."""
        return len(self._stream().close())

    def frames(self, max_frame_size: int) -> tuple[Frame, ...]:
        """Cut the channel into frames of at most `max_frame_size` encoded bytes."""
        return self._stream().frames(max_frame_size)

    def _stream(self) -> ChannelWriter:
        writer = ChannelWriter(self.channel_id)
        opens = self._first_opens_epoch
        writer.add(span_of(self._batches, self._config, first_opens_epoch=opens))
        return writer


def _size(batch: SingularBatch) -> int:
    # No transaction grows: what it loses by being split is more than its bits and numbers take.
    return _BLOCK_BYTES + sum(map(len, batch.transactions))
