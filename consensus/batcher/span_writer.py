"""A channel that holds one span batch: written whole, when its last block is known."""

from bisect import bisect_right
from typing import Final

from consensus.codec.batch import SingularBatch
from consensus.codec.channel import ChannelFull, ChannelWriter, split_into_frames
from consensus.codec.frame import ChannelId, Frame
from consensus.codec.span_batch import MAX_ELEMENTS, span_of
from consensus.config import MAX_RLP_BYTES, RollupConfig

_BLOCK_BYTES: Final = 8
_PREFIX_BYTES: Final = 80
_SPARE_SHARE: Final = 256  # who fills all but this part of a channel has filled it
_GUESSES: Final = 4


class SpanWriter:
    """Blocks in, frames out. `first_opens_epoch`: the first block has another origin than its
    parent. `max_bytes` of compressed data are aimed at.
    """

    def __init__(
        self,
        channel_id: ChannelId,
        config: RollupConfig,
        max_bytes: int,
        *,
        first_opens_epoch: bool,
    ) -> None:
        self.channel_id = channel_id
        self._config = config
        self._max_bytes = max_bytes
        self._first_opens_epoch = first_opens_epoch
        self._batches: list[SingularBatch] = []
        self._sizes = [_PREFIX_BYTES]  # of the span batch with so many blocks, uncompressed
        self._tx_count = 0
        self._measured = (0, 0)  # the most blocks that are known to fit, and their bytes
        self._written: tuple[int, bytes] = (0, b"")

    @property
    def block_count(self) -> int:
        """How many blocks it holds."""
        return len(self._batches)

    @property
    def rlp_bytes(self) -> int:
        """About the size of the span batch so far, before compression, and hardly ever less."""
        return self._sizes[-1]

    def add(self, batch: SingularBatch) -> None:
        """Append the next block; ChannelFull if readers would not take so many."""
        size = self.rlp_bytes + _size(batch)
        count = self._tx_count + len(batch.transactions)
        if size > MAX_RLP_BYTES or count > MAX_ELEMENTS:
            raise ChannelFull(
                f"channel: expected at most {MAX_RLP_BYTES} bytes and {MAX_ELEMENTS} transactions, "
                f"got {size} and {count}"
            )
        self._batches.append(batch)
        self._sizes.append(size)
        self._tx_count = count

    def fill(self) -> bool:
        """Return whether it is full. The last blocks are taken back if they are too many; the first
        one stays.

        What begins another frame for a few bytes can as well begin the next channel.
        """
        if not self._may_be_full():
            return False
        size = self._compressed_size(self.block_count)
        if size < self._max_bytes:
            self._measured = (self.block_count, size)
            return self._is_filled_by(size)
        self._shorten(size)
        return True

    def frames(self, max_frame_size: int) -> tuple[Frame, ...]:
        """Cut the channel into frames of at most `max_frame_size` encoded bytes."""
        data = self._compressed(self.block_count)
        return split_into_frames(self.channel_id, data, max_frame_size)

    def _may_be_full(self) -> bool:
        """Whether it is time to measure, which takes as long as writing all.

        So it waits until the rest is full if it compresses like what was measured, or until there
        is as much again: what is different then is at most as much as what it was told by.
        """
        count, size = self._measured
        measured = self._sizes[count]
        added, room = self.rlp_bytes - measured, self._max_bytes - size
        ratio = size / measured if count else 1.0
        return added * ratio >= room or added >= max(room, measured)

    def _shorten(self, size: int) -> None:
        """Keep as many blocks as fit, about. `size` is what all of them take, compressed."""
        fitting, too_many = self._measured, (self.block_count, size)
        guesses = 0
        while too_many[0] - fitting[0] > 1 and not self._is_filled_by(fitting[1]):
            count = self._guess(fitting, too_many)
            if guesses >= _GUESSES:
                count = (fitting[0] + too_many[0]) // 2
            guesses += 1
            size = self._compressed_size(count)
            if size < self._max_bytes:
                fitting = (count, size)
            else:
                too_many = (count, size)
        kept = max(1, fitting[0])
        self._tx_count -= sum(len(batch.transactions) for batch in self._batches[kept:])
        del self._batches[kept:], self._sizes[kept + 1 :]

    def _guess(self, fitting: tuple[int, int], too_many: tuple[int, int]) -> int:
        """Return a number of blocks between two, as if the compressed size rose evenly."""
        (low, low_size), (high, high_size) = fitting, too_many
        goal = self._max_bytes - self._max_bytes // (2 * _SPARE_SHARE)
        share = (goal - low_size) / (high_size - low_size)
        size = self._sizes[low] + share * (self._sizes[high] - self._sizes[low])
        return min(max(bisect_right(self._sizes, size) - 1, low + 1), high - 1)

    def _is_filled_by(self, size: int) -> bool:
        return size >= self._max_bytes - self._max_bytes // _SPARE_SHARE

    def _compressed_size(self, count: int) -> int:
        return len(self._compressed(count))

    def _compressed(self, count: int) -> bytes:
        if self._written[0] != count:
            writer = ChannelWriter(self.channel_id)
            opens = self._first_opens_epoch
            batches = self._batches[:count]
            writer.add(span_of(batches, self._config, first_opens_epoch=opens))
            self._written = (count, writer.close())
        return self._written[1]


def _size(batch: SingularBatch) -> int:
    # No transaction grows: what it loses by being split is more than its bits and numbers take.
    return _BLOCK_BYTES + sum(map(len, batch.transactions))
