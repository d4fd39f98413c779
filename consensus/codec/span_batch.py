"""Span batches: the inputs of consecutive L2 blocks in one batch.

Source: specs/protocol/delta/span-batches. Reading takes two steps, because damage means different
things in them: a batch that cannot be taken apart ends its channel, one that can, but not be put
together into transactions, is left out alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from consensus.codec.batch import SingularBatch
from consensus.codec.byte_reader import ByteReader, encode_bits, encode_uvarint
from consensus.codec.span_transactions import (
    SpanTransactions,
    read_span_transactions,
    split_transactions,
)
from consensus.config import RollupConfig
from node.errors import DecodingError, InvalidInput
from node.types.primitives import UINT64_MAX

SPAN_BATCH: Final = 1
CHECK_SIZE: Final = 20
MAX_ELEMENTS: Final = 10_000_000
"""The most blocks, and the most transactions, of one span batch."""


@dataclass(frozen=True, slots=True)
class SpanBlock:
    """The inputs of one block of a span. `timestamp` is in seconds, `transactions` are encoded."""

    epoch_number: int
    timestamp: int
    transactions: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SpanBatch:
    """What a span batch says. The checks are the first 20 bytes of hashes: of the parent of its
    first block, and of the L1 origin of its last. Numbers wrap at 64 bits, as in the reference;
    no span that is accepted wraps.
    """

    parent_check: bytes
    l1_origin_check: bytes
    first_timestamp: int
    block_time: int
    first_epoch: int
    last_epoch: int
    origin_bits: int = field(repr=False)
    tx_counts: tuple[int, ...] = field(repr=False)
    transactions: tuple[bytes, ...] = field(repr=False)

    @property
    def block_count(self) -> int:
        """How many blocks it is for, at least one."""
        return len(self.tx_counts)

    @property
    def last_timestamp(self) -> int:
        """The timestamp of the last block."""
        return (self.first_timestamp + self.block_time * (self.block_count - 1)) & UINT64_MAX

    def epoch_at(self, index: int) -> int:
        """Return the number of the L1 origin of block `index`."""
        advances = (self.origin_bits & ((2 << index) - 1)) >> 1
        return (self.first_epoch + advances.bit_count()) & UINT64_MAX

    def blocks(self, first: int) -> Iterator[SpanBlock]:
        """Yield the blocks from index `first` on, each when asked for: there may be millions."""
        epoch = self.epoch_at(first)
        timestamp = self.first_timestamp + self.block_time * first
        start = sum(self.tx_counts[:first])
        digits = f"{self.origin_bits:0{self.block_count}b}"[::-1]
        for index in range(first, self.block_count):
            if index > first and digits[index] == "1":
                epoch += 1
            end = start + self.tx_counts[index]
            yield SpanBlock(epoch, timestamp, self.transactions[start:end])
            start = end
            timestamp += self.block_time


@dataclass(frozen=True, slots=True)
class RawSpanBatch:
    """A span batch as it is written. `relative_timestamp` counts seconds from the L2 genesis.

    Bit i of `origin_bits` says that block i has another L1 origin than its parent.
    """

    relative_timestamp: int
    last_epoch: int
    parent_check: bytes
    l1_origin_check: bytes
    origin_bits: int = field(repr=False)
    tx_counts: tuple[int, ...] = field(repr=False)
    transactions: SpanTransactions = field(repr=False)

    def encode(self) -> bytes:
        """Return the batch with its type byte, before the RLP string that wraps it."""
        return b"".join(
            (
                bytes([SPAN_BATCH]),
                encode_uvarint(self.relative_timestamp),
                encode_uvarint(self.last_epoch),
                self.parent_check,
                self.l1_origin_check,
                encode_uvarint(len(self.tx_counts)),
                encode_bits(self.origin_bits, len(self.tx_counts)),
                *map(encode_uvarint, self.tx_counts),
                self.transactions.encode(),
            )
        )

    def derive(self, config: RollupConfig) -> SpanBatch:
        """Return what it means on a chain; DecodingError if a transaction cannot be restored."""
        advances = (self.origin_bits >> 1).bit_count()
        return SpanBatch(
            parent_check=self.parent_check,
            l1_origin_check=self.l1_origin_check,
            first_timestamp=(config.genesis.l2_time + self.relative_timestamp) & UINT64_MAX,
            block_time=config.block_time,
            first_epoch=(self.last_epoch - advances) & UINT64_MAX,
            last_epoch=self.last_epoch,
            origin_bits=self.origin_bits,
            tx_counts=self.tx_counts,
            transactions=self.transactions.restore(config.l2_chain_id),
        )


def decode_span_batch(data: bytes) -> RawSpanBatch:
    """Take a span batch apart, its type byte first; bytes behind its end are ignored.

    DecodingError if it is cut off, empty, or claims more than MAX_ELEMENTS of anything.
    """
    reader = ByteReader(data, 1)
    relative_timestamp = reader.uvarint("relative timestamp")
    last_epoch = reader.uvarint("L1 origin number")
    parent_check = reader.take(CHECK_SIZE, "parent check")
    l1_origin_check = reader.take(CHECK_SIZE, "L1 origin check")
    block_count = reader.uvarint("block count")
    if not 0 < block_count <= MAX_ELEMENTS:
        raise DecodingError(f"block count: expected 1 to {MAX_ELEMENTS}, got {block_count}")
    origin_bits = reader.bits(block_count, "origin bits")
    tx_counts = tuple(_tx_counts(reader, block_count))
    tx_count = sum(tx_counts)
    return RawSpanBatch(
        relative_timestamp,
        last_epoch,
        parent_check,
        l1_origin_check,
        origin_bits,
        tx_counts,
        read_span_transactions(reader, tx_count),
    )


def _tx_counts(reader: ByteReader, block_count: int) -> Iterator[int]:
    total = 0
    for _ in range(block_count):
        count = reader.uvarint("transaction count")
        total += count
        # Here rather than behind the last one: ten million large numbers take much memory.
        if total > MAX_ELEMENTS:
            raise DecodingError(f"transaction counts: expected at most {MAX_ELEMENTS}, got {total}")
        yield count


def span_of(
    batches: Sequence[SingularBatch], config: RollupConfig, *, first_opens_epoch: bool
) -> RawSpanBatch:
    """Return the span batch of consecutive blocks, given as singular batches.

    `first_opens_epoch` says that the first block has another L1 origin than its parent.
    InvalidInput if the batches do not follow one another, or hold what a span batch cannot say.
    """
    if not batches:
        raise InvalidInput("span batch: expected one block at least, got none")
    digits = ["1" if first_opens_epoch else "0"]
    for before, after in pairwise(batches):
        if after.timestamp != before.timestamp + config.block_time:
            raise InvalidInput(
                f"span batch: expected a block at {before.timestamp + config.block_time} s after "
                f"the one at {before.timestamp} s, got one at {after.timestamp} s"
            )
        step = after.epoch.number - before.epoch.number
        if step not in (0, 1):
            raise InvalidInput(
                f"span batch: expected epoch {before.epoch.number} or the next, "
                f"got {after.epoch.number}"
            )
        digits.append(str(step))
    first, last = batches[0], batches[-1]
    return RawSpanBatch(
        relative_timestamp=first.timestamp - config.genesis.l2_time,
        last_epoch=last.epoch.number,
        parent_check=first.parent_hash[:CHECK_SIZE],
        l1_origin_check=last.epoch.hash[:CHECK_SIZE],
        origin_bits=int("".join(reversed(digits)), 2),
        tx_counts=tuple(len(batch.transactions) for batch in batches),
        transactions=split_transactions(
            [raw for batch in batches for raw in batch.transactions], config.l2_chain_id
        ),
    )
