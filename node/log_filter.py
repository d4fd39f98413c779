"""Searching the logs of a chain, as eth_getLogs defines it (execution APIs)."""

from collections.abc import Iterator
from dataclasses import dataclass

from node.errors import InvalidInput
from node.types.block import Block
from node.types.primitives import UINT64_MAX, Address, BlockNumber, Hash32
from node.types.receipt import Log, Receipt, bloom_bits

MAX_LOG_BLOCKS = 50_000
MAX_LOGS = 10_000
MAX_TOPICS = 4


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs: of blocks `from_block` to `to_block` (both included) or of one `block_hash`.

    No `addresses` means any. `topics` holds, for each position, the values that match there; None
    and an empty tuple let any value match; a log with fewer topics than positions does not match.
    """

    from_block: int = 0
    to_block: int = 0
    block_hash: Hash32 | None = None
    addresses: tuple[Address, ...] = ()
    topics: tuple[tuple[Hash32, ...] | None, ...] = ()

    def check(self) -> None:
        """InvalidInput if this asks for too much or for what cannot be."""
        if len(self.topics) > MAX_TOPICS:
            raise InvalidInput(f"topics: expected at most {MAX_TOPICS}, got {len(self.topics)}")
        if self.block_hash is not None:
            return
        if self.from_block > self.to_block:
            raise InvalidInput(
                f"invalid block range: fromBlock {self.from_block} is after toBlock {self.to_block}"
            )
        if self.from_block < 0 or self.to_block > UINT64_MAX:
            raise InvalidInput(
                "invalid block range: expected numbers of 64 bits, "
                f"got {self.from_block} to {self.to_block}"
            )
        if self.to_block - self.from_block >= MAX_LOG_BLOCKS:
            raise InvalidInput(
                f"block range too large: expected at most {MAX_LOG_BLOCKS} blocks, "
                f"got {self.to_block - self.from_block + 1}"
            )

    def matches(self, log: Log) -> bool:
        """Whether this asks for the log."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(log.topics) < len(self.topics):
            return False
        return all(
            not wanted or topic in wanted
            for wanted, topic in zip(self.topics, log.topics, strict=False)
        )

    def bloom_masks(self) -> tuple[tuple[int, ...], ...]:
        """Return bit masks: a bloom that contains a match covers one mask of each group."""
        groups = [group for group in (self.addresses, *self.topics) if group]
        return tuple(tuple(bloom_bits(entry) for entry in group) for group in groups)


def bloom_may_match(bloom: bytes, masks: tuple[tuple[int, ...], ...]) -> bool:
    """Whether logs under this bloom can match a filter with these masks."""
    bits = int.from_bytes(bloom, "big")
    return all(any(bits & mask == mask for mask in group) for group in masks)


@dataclass(frozen=True, slots=True)
class LocatedLog:
    """A log and its place. `log_index` counts within the block, `timestamp` is in seconds."""

    log: Log
    block_hash: Hash32
    block_number: BlockNumber
    timestamp: int
    transaction_hash: Hash32
    transaction_index: int
    log_index: int


def block_logs(block: Block, receipts: tuple[Receipt, ...]) -> Iterator[LocatedLog]:
    """Return all logs of a block in order."""
    log_index = 0
    for index, (tx, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        for log in receipt.logs:
            yield LocatedLog(
                log, block.hash, block.number, block.header.timestamp, tx.hash, index, log_index
            )
            log_index += 1
