"""Singular batches: what a channel says about one L2 block, beyond what L1 itself determines.

Source: specs/protocol/derivation, "Batch Format".
"""

from dataclasses import dataclass, field
from typing import Final

from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from node.types.rlp_codec import RlpItem, as_bytes, as_list, as_uint, decode_prefix, encode
from node.types.rlp_codec import encode_uint as uint

SINGULAR_BATCH: Final = 0

_SINGULAR_DEPTH: Final = 2


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
    item, _ = decode_prefix(data, 1, _SINGULAR_DEPTH)
    fields = as_list(item, "singular batch", 5)
    return SingularBatch(
        parent_hash=Hash32(as_bytes(fields[0], "batch parent_hash", 32)),
        epoch=BlockRef(
            Hash32(as_bytes(fields[2], "batch epoch_hash", 32)),
            BlockNumber(as_uint(fields[1], "batch epoch_number", 64)),
        ),
        timestamp=as_uint(fields[3], "batch timestamp", 64),
        transactions=tuple(
            as_bytes(item, "batch transaction") for item in as_list(fields[4], "transactions")
        ),
    )
