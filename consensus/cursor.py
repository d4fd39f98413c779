"""How far derivation had come when a safe head was stored: kept beside it, in the same commit."""

from dataclasses import dataclass

from node.errors import CorruptStore
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32

_SIZE = 40


@dataclass(frozen=True, slots=True)
class Cursor:
    """The L1 block that completed the data from which the safe head was derived."""

    derived_from: BlockRef

    def encode(self) -> bytes:
        """Return the bytes to store."""
        return self.derived_from.hash + self.derived_from.number.to_bytes(8, "big")


def decode_cursor(raw: bytes) -> Cursor:
    """Read stored bytes; CorruptStore if they are not a cursor."""
    if len(raw) != _SIZE:
        raise CorruptStore(f"cursor: expected {_SIZE} bytes, got {len(raw)}")
    number = BlockNumber(int.from_bytes(raw[32:], "big"))
    return Cursor(BlockRef(Hash32(raw[:32]), number))
