"""One channel in the making: which blocks go in, and when it is time to close it."""

from dataclasses import dataclass, field
from enum import Enum

from consensus.batcher.span_writer import SpanWriter
from consensus.codec.batch import SingularBatch
from consensus.codec.channel import ChannelFull, ChannelWriter
from consensus.codec.frame import ChannelId, encode_batcher_data
from consensus.config import RollupConfig
from consensus.l1_info import decode_l1_info_deposit
from node.errors import InvalidInput
from node.types.block import Block, BlockRef
from node.types.deposit import DepositTransaction

_VERSION_BYTE = 1


class BatchType(Enum):
    """How blocks are written into a channel: one batch each, or one for all."""

    SINGULAR = "singular"
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """When a channel is complete, whichever comes first.

    `max_bytes` of compressed data, `max_age_l1_blocks` since it was opened, `idle_s` seconds
    without a new block, or `window_margin` L1 blocks before the sequencing window of its first
    epoch ends. `max_frame_bytes` is what one L1 transaction, or one blob, carries.
    """

    max_bytes: int = 480_000
    max_frame_bytes: int = 120_000
    max_age_l1_blocks: int = 5
    idle_s: float = 4.0
    window_margin: int = 10


@dataclass(frozen=True, slots=True)
class ClosedChannel:
    """A finished channel: its frames, each with the version byte before it, and its blocks."""

    channel_id: ChannelId
    pieces: tuple[bytes, ...] = field(repr=False)
    first: BlockRef
    last: BlockRef


@dataclass(frozen=True, slots=True)
class _Taken:
    """A block in the channel: the number of its L1 origin, and its time in seconds."""

    block: BlockRef
    epoch: int
    timestamp: int


class ChannelBuilder:
    """Takes consecutive blocks. `opened_at_l1` is L1's height, `now` seconds since the epoch."""

    def __init__(
        self,
        channel_id: ChannelId,
        config: RollupConfig,
        limits: ChannelLimits,
        batch_type: BatchType,
        *,
        opened_at_l1: int,
        now: float,
    ) -> None:
        self._taken: list[_Taken] = []
        self._channel_id = channel_id
        self._config = config
        self._limits = limits
        self._batch_type = batch_type
        self._writer: ChannelWriter | SpanWriter | None = None
        self._opened_at_l1 = opened_at_l1
        self._last_added = now
        self._is_full = False
        self._measured_bytes = 0
        self._measured_rlp = 0

    @property
    def first(self) -> BlockRef | None:
        """The first block, None before there is one."""
        return self._taken[0].block if self._taken else None

    @property
    def last(self) -> BlockRef | None:
        """The last block."""
        return self._taken[-1].block if self._taken else None

    @property
    def is_full(self) -> bool:
        """Whether no block fits in any more."""
        return self._is_full

    def add(self, block: Block, now: float) -> bool:
        """Append the child of the last block; False if it does not fit, and full from now on.

        A full channel may give back blocks before this one, too: `last` is the last that it keeps.
        """
        if self.last is not None and block.header.parent_hash != self.last.hash:
            raise InvalidInput(
                f"channel: expected the child of block {self.last.number}, got block "
                f"{block.number} with another parent"
            )
        batch = batch_of(block)
        if self._writer is None:
            self._writer = self._make_writer(block)
        try:
            self._writer.add(batch)
        except ChannelFull:
            self._is_full = True
            return False
        self._taken.append(_Taken(block.header.ref, batch.epoch.number, batch.timestamp))
        self._last_added = now
        if isinstance(self._writer, ChannelWriter):
            self._is_full = self._reaches_size(self._writer)
            return True
        self._is_full = self._writer.fill()
        del self._taken[self._writer.block_count :]
        return self.last == block.header.ref

    def is_due(self, l1_head: int, now: float) -> bool:
        """Whether to close the channel now rather than wait for more blocks."""
        if not self._taken:
            return False
        window_end = (
            self._taken[0].epoch + self._config.seq_window_size - self._limits.window_margin
        )
        return (
            self._is_full
            or l1_head >= self._opened_at_l1 + self._limits.max_age_l1_blocks
            or l1_head >= max(window_end, self._opened_at_l1 + 1)
            or now >= self._last_added + self._limits.idle_s
        )

    def is_overdue(self, now: float) -> bool:
        """Whether the blocks up to one of now span more L1 blocks than a channel may wait.

        So they do after an L1 reorg or a pause. They are late already, and if there are no others,
        none will come at once.
        """
        if not self._taken:
            return False
        first, last = self._taken[0], self._taken[-1]
        is_of_now = now <= last.timestamp + self._limits.idle_s
        return last.epoch - first.epoch > self._limits.max_age_l1_blocks and is_of_now

    def close(self) -> ClosedChannel:
        """Finish the channel."""
        if self.first is None or self.last is None or self._writer is None:
            raise InvalidInput("channel: expected at least one block before it is closed")
        frames = self._writer.frames(self._limits.max_frame_bytes - _VERSION_BYTE)
        pieces = tuple(encode_batcher_data([frame]) for frame in frames)
        return ClosedChannel(self._channel_id, pieces, self.first, self.last)

    def _make_writer(self, first: Block) -> ChannelWriter | SpanWriter:
        if self._batch_type is BatchType.SINGULAR:
            return ChannelWriter(self._channel_id)
        opens_epoch = decode_l1_info_deposit(first).sequence_number == 0
        limit = self._limits.max_bytes
        return SpanWriter(self._channel_id, self._config, limit, first_opens_epoch=opens_epoch)

    def _reaches_size(self, writer: ChannelWriter) -> bool:
        # Measuring costs bytes of output, so it waits until the input could have filled the rest.
        unmeasured = writer.rlp_bytes - self._measured_rlp
        if self._measured_bytes + unmeasured < self._limits.max_bytes:
            return False
        self._measured_bytes = writer.compressed_size()
        self._measured_rlp = writer.rlp_bytes
        return self._measured_bytes >= self._limits.max_bytes


def batch_of(block: Block) -> SingularBatch:
    """Return what L1 must be told of an L2 block; DecodingError if it has no L1 attributes.

    Deposits are left out: derivation adds them from L1 itself.
    """
    info = decode_l1_info_deposit(block)
    return SingularBatch(
        parent_hash=block.header.parent_hash,
        epoch=info.l1_block,
        timestamp=block.header.timestamp,
        transactions=tuple(
            tx.raw for tx in block.transactions if not isinstance(tx, DepositTransaction)
        ),
    )
