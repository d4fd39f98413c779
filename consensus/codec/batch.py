"""Singular batches: what a channel says about one L2 block, beyond what L1 itself determines.

Source: specs/protocol/derivation, "Batch Format".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from node.errors import DecodingError
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from node.types.rlp_codec import (
    Decoded,
    RlpItem,
    as_bytes,
    as_uint,
    decode_prefix,
    encode,
    item_span,
)
from node.types.rlp_codec import encode_uint as uint

SINGULAR_BATCH: Final = 0

_FIELDS: Final = 5


@dataclass(frozen=True, slots=True)
class SingularBatch:
    """The inputs of one L2 block. `timestamp` is in seconds.

    `transactions` are encoded and unchecked: no deposits, which L1 supplies.
    """

    parent_hash: Hash32
    epoch: BlockRef
    timestamp: int
    transactions: tuple[bytes, ...] = field(repr=False)

    def encode(self) -> bytes:
        """Return the batch with its type byte, before the RLP string that wraps it."""
        fields: list[RlpItem] = [
            self.parent_hash,
            uint(self.epoch.number),
            self.epoch.hash,
            uint(self.timestamp),
            list(self.transactions),
        ]
        return bytes([SINGULAR_BATCH]) + encode(fields)


def decode_singular_batch(data: bytes) -> SingularBatch:
    """Decode a batch with its type byte.

    Bytes behind the RLP list are ignored, as the reference implementations do.
    """
    is_list, begin, end = item_span(data, 1, len(data))
    if not is_list:
        raise DecodingError("singular batch: expected a list, got bytes")
    payload, position = data[begin:end], 0
    fields: list[Decoded] = []
    for _ in range(_FIELDS - 1):
        _check_present(payload, position, len(fields))
        item, position = decode_prefix(payload, position, 1)
        fields.append(item)
    parent_hash, number, epoch_hash, timestamp = fields
    return SingularBatch(
        parent_hash=Hash32(as_bytes(parent_hash, "batch parent_hash", 32)),
        epoch=BlockRef(
            Hash32(as_bytes(epoch_hash, "batch epoch_hash", 32)),
            BlockNumber(as_uint(number, "batch epoch_number", 64)),
        ),
        timestamp=as_uint(timestamp, "batch timestamp", 64),
        transactions=tuple(_transactions(payload, position)),
    )


def _transactions(payload: bytes, position: int) -> Iterator[bytes]:
    """Yield what the last field lists. One by one: there may be a hundred million of them."""
    _check_present(payload, position, _FIELDS - 1)
    is_list, position, end = item_span(payload, position, len(payload))
    if not is_list:
        raise DecodingError("batch transactions: expected a list, got bytes")
    if end < len(payload):
        raise DecodingError(f"singular batch: expected {_FIELDS} items, got more")
    while position < end:
        is_list, begin, position = item_span(payload, position, end)
        if is_list:
            raise DecodingError("batch transaction: expected bytes, got a list")
        yield payload[begin:position]


def _check_present(payload: bytes, position: int, count: int) -> None:
    if position == len(payload):
        raise DecodingError(f"singular batch: expected {_FIELDS} items, got {count}")
