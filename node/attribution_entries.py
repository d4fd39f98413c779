"""Entries of the table ATTRIBUTION: what is kept about a place on the chain, and their codec.

| key                                             | what                                       |
|-------------------------------------------------|--------------------------------------------|
| 00, logger, stream, first sequence number       | `Batch`: receipts that one `append` wrote  |
| 01, place                                       | `HubLog`: an event of the AttributionHub   |
| 02, event, argument's position, argument, place | nothing: finds a `HubLog`                  |
| 03, account, block, transaction                 | `Funding`: who gave it most of its OPEN    |
| 04, dataset, logger, stream, sequence number    | nothing: finds the streams that name it   |
| 05, block number                                | the keys of all entries that a block made  |

All values are sealed. Integers in keys are big-endian, so that entries are in the chain's order.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from node.errors import CorruptStore, DecodingError
from node.storage.schema import Table, number_key
from node.storage.seal import unseal
from node.types.attribution_summary import BatchSummary, decode_summary, encode_summary
from node.types.primitives import Address, BlockNumber, Hash32
from node.types.rlp_codec import (
    Decoded,
    RlpItem,
    as_bytes,
    as_list,
    as_uint,
    decode,
    encode,
    encode_uint,
)

BATCH, HUB_LOG, HUB_ARGUMENT, FUNDING, NAMED, BLOCK = (bytes([kind]) for kind in range(6))
_EVENT_SIZE = 8


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a log is on the canonical chain; `log_index` counts within its transaction."""

    block: BlockNumber
    transaction_index: int
    log_index: int

    def encode(self) -> bytes:
        """Return 16 bytes that sort as places do."""
        return (
            number_key(self.block)
            + self.transaction_index.to_bytes(4, "big")
            + self.log_index.to_bytes(4, "big")
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Receipts that one `append` wrote: `count` from `from_seq` on, worth `amount` gwei together.

    `timestamp` is the block's, in seconds. `summary` is None if a contract wrote them, so that no
    block holds their records. `is_deposit`: an L1 deposit did it, not a transaction of L2.
    """

    logger: Address
    stream: int
    from_seq: int
    place: Place
    timestamp: int
    is_deposit: bool
    count: int
    amount: int
    summary: BatchSummary | None


@dataclass(frozen=True, slots=True)
class HubLog:
    """An event of the AttributionHub, not decoded; see `Batch` for the other fields."""

    place: Place
    timestamp: int
    is_deposit: bool
    topics: tuple[Hash32, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Funding:
    """A transaction that gave an account more than it had, or created it, and who sent that."""

    funder: Address
    block: BlockNumber
    transaction_index: int


def stream_prefix(logger: Address, stream: int) -> bytes:
    """Return what the keys of a stream's batches begin with."""
    return BATCH + logger + number_key(stream)


def batch_key(logger: Address, stream: int, from_seq: int) -> bytes:
    """Return the key of a batch."""
    return stream_prefix(logger, stream) + number_key(from_seq)


def argument_prefix(event: Hash32, position: int = 0, argument: bytes = b"") -> bytes:
    """Return what the keys of all events of a kind begin with, or of those with an argument.

    `event` is the first topic, `position` that of the topic with the argument; 0 means any.
    """
    return HUB_ARGUMENT + event[:_EVENT_SIZE] + bytes([position]) + argument


def named_prefix(dataset: int) -> bytes:
    """Return what the keys of all batches begin with that name a dataset."""
    return NAMED + dataset.to_bytes(4, "big")


def block_key(number: int) -> bytes:
    """Return the key of the list of what a block added."""
    return BLOCK + number_key(number)


def encode_batch(batch: Batch) -> bytes:
    """Return the value of a batch; the key has logger, stream and first sequence number."""
    return encode(
        [
            *_place_items(batch.place, batch.timestamp, batch.is_deposit),
            encode_uint(batch.count),
            encode_uint(batch.amount),
            b"" if batch.summary is None else encode_summary(batch.summary),
        ]
    )


def decode_batch(key: bytes, stored: bytes) -> Batch:
    """Read a batch; CorruptStore if it is not what was written."""
    try:
        items = as_list(decode(unseal(Table.ATTRIBUTION, key, stored), 1), "batch", 8)
        summary = as_bytes(items[7], "summary")
        place, timestamp, is_deposit = _place(items)
        return Batch(
            logger=Address(key[1:21]),
            stream=int.from_bytes(key[21:29], "big"),
            from_seq=int.from_bytes(key[29:], "big"),
            place=place,
            timestamp=timestamp,
            is_deposit=is_deposit,
            count=as_uint(items[5], "count"),
            amount=as_uint(items[6], "amount"),
            summary=decode_summary(summary) if summary else None,
        )
    except DecodingError as error:
        raise _corrupt(key, error) from error


def encode_hub_log(log: HubLog) -> bytes:
    """Return the value of an event of the Hub."""
    return encode(
        [
            *_place_items(log.place, log.timestamp, log.is_deposit),
            list(log.topics),
            log.data,
        ]
    )


def decode_hub_log(key: bytes, stored: bytes) -> HubLog:
    """Read an event of the Hub; CorruptStore if it is not what was written."""
    try:
        items = as_list(decode(unseal(Table.ATTRIBUTION, key, stored), 2), "hub log", 7)
        topics = [Hash32(as_bytes(topic, "topic", 32)) for topic in as_list(items[5], "topics")]
        return HubLog(*_place(items), tuple(topics), as_bytes(items[6], "data"))
    except DecodingError as error:
        raise _corrupt(key, error) from error


def funding_key(account: Address, block: int, transaction_index: int) -> bytes:
    """Return the key of a funding; its value is the funder."""
    return FUNDING + account + number_key(block) + transaction_index.to_bytes(4, "big")


def decode_funding(key: bytes, stored: bytes) -> Funding:
    """Read a funding; CorruptStore if it is not what was written."""
    funder = Address(unseal(Table.ATTRIBUTION, key, stored))
    number = int.from_bytes
    return Funding(funder, BlockNumber(number(key[21:29], "big")), number(key[29:], "big"))


def encode_keys(keys: Iterable[bytes]) -> bytes:
    """Return the value that lists what a block added."""
    return encode(list(keys))


def decode_keys(key: bytes, stored: bytes) -> list[bytes]:
    """Read the list of what a block added; CorruptStore if it is not what was written."""
    try:
        items = as_list(decode(unseal(Table.ATTRIBUTION, key, stored), 1), "keys")
        return [as_bytes(item, "key") for item in items]
    except DecodingError as error:
        raise _corrupt(key, error) from error


def _place_items(place: Place, timestamp: int, is_deposit: bool) -> list[RlpItem]:
    numbers = (place.block, place.transaction_index, place.log_index, timestamp, int(is_deposit))
    return [encode_uint(number) for number in numbers]


def _place(items: list[Decoded]) -> tuple[Place, int, bool]:
    block, transaction_index, log_index, timestamp, is_deposit = (
        as_uint(item, "place") for item in items[:5]
    )
    place = Place(BlockNumber(block), transaction_index, log_index)
    return place, timestamp, bool(is_deposit)


def _corrupt(key: bytes, error: DecodingError) -> CorruptStore:
    return CorruptStore(f"{Table.ATTRIBUTION}: entry 0x{key.hex()}: {error}")
