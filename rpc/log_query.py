"""The filter object of eth_getLogs and eth_newFilter."""

from collections.abc import Mapping
from dataclasses import dataclass

from node.errors import DecodingError
from node.log_filter import MAX_TOPICS, LogFilter
from node.reader import Reader
from node.types.primitives import Address, Hash32
from rpc.block_id import LATEST, BlockId, block_number
from rpc.encoding.hexadecimal import Json, describe
from rpc.errors import invalid_params
from rpc.params import address, array_of, hash32

MAX_ADDRESSES = 1_000
MAX_TOPIC_VALUES = 1_000

Topics = tuple[tuple[Hash32, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Logs as a caller asked for them, with tags not yet resolved to numbers."""

    from_block: BlockId
    to_block: BlockId
    block_hash: Hash32 | None
    addresses: tuple[Address, ...]
    topics: Topics

    def resolve(self, reader: Reader) -> LogFilter | None:
        """Return the filter as of now; None if it begins beyond the head and so finds nothing."""
        if self.block_hash is not None:
            return self.in_block(self.block_hash)
        first, last = _number(reader, self.from_block), _number(reader, self.to_block)
        if first > last:
            raise invalid_params(f"invalid block range params: from {first} to {last}")
        head = reader.heads().unsafe.number
        if first > head:
            return None
        return LogFilter(first, min(last, head), None, self.addresses, self.topics)

    def in_block(self, block_hash: Hash32) -> LogFilter:
        """Return the same conditions for one block."""
        return LogFilter(block_hash=block_hash, addresses=self.addresses, topics=self.topics)

    def covers(self, number: int) -> bool:
        """Whether a new block is in range; tags set no bound to what is still to come."""
        first, last = self.from_block.at, self.to_block.at
        return not (isinstance(first, int) and number < first) and not (
            isinstance(last, int) and number > last
        )


def log_query(value: Json) -> LogQuery:
    """Read a filter object."""
    if not isinstance(value, Mapping):
        raise DecodingError(f"expected a filter object, got {describe(value)}")
    block_hash, first, last = (value.get(key) for key in ("blockHash", "fromBlock", "toBlock"))
    if block_hash is not None and (first is not None or last is not None):
        raise DecodingError(
            "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"
        )
    return LogQuery(
        from_block=LATEST if first is None else block_number(first),
        to_block=LATEST if last is None else block_number(last),
        block_hash=None if block_hash is None else hash32(block_hash),
        addresses=_addresses(value.get("address")),
        topics=_topics(value.get("topics")),
    )


def _addresses(value: Json) -> tuple[Address, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (address(value),)
    addresses: tuple[Address, ...] = array_of(address, MAX_ADDRESSES)(value)
    return addresses


def _topics(value: Json) -> Topics:
    if value is None:
        return ()
    topics: Topics = array_of(_topic, MAX_TOPICS)(value)
    return topics


def _topic(value: Json) -> tuple[Hash32, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return (hash32(value),)
    if isinstance(value, list) and None in value:
        return None
    choices: tuple[Hash32, ...] = array_of(hash32, MAX_TOPIC_VALUES)(value)
    return choices or None


def _number(reader: Reader, block: BlockId) -> int:
    match block.at:
        case int(number):
            return number
        case "earliest":
            return 0
        case "safe":
            return reader.heads().safe.number
        case "finalized":
            return reader.heads().finalized.number
        case _:
            return reader.heads().unsafe.number
