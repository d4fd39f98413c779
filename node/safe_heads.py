"""Which safe head was derived from which L1 block: an entry for each that moved it, kept for ever.

What is taken back of the safe chain goes in the same commit. Between two entries the safe head
stayed where the earlier one says (op-node's safe-head database).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from node.errors import CorruptStore
from node.indices import canonical_hash
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table, number_key
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32

_VALUE_SIZE = 32 + 32 + 8


@dataclass(frozen=True, slots=True)
class SafeHead:
    """A safe head, and the L1 block that the data it came from was complete with."""

    l2_block: BlockRef
    derived_from: BlockRef


def note_safe_head(tx: WriteTransaction, safe: BlockRef, derived_from: BlockRef | None) -> None:
    """Follow the safe head to where it is now; `derived_from` is None where nothing was derived.

    Entries that contradict it are forgotten: those of L2 blocks above it or beside it, and those
    of L1 blocks after `derived_from`.
    """
    outdated: list[bytes] = []
    for entry in _downwards(tx):
        is_later = derived_from is not None and entry.derived_from.number > derived_from.number
        if (entry.l2_block.number < safe.number or entry.l2_block == safe) and not is_later:
            break
        outdated.append(number_key(entry.derived_from.number))
    for key in outdated:
        tx.delete(Table.SAFE_HEADS, key)
    if derived_from is not None:
        value = derived_from.hash + safe.hash + safe.number.to_bytes(8, "big")
        tx.put(Table.SAFE_HEADS, number_key(derived_from.number), value)


def safe_head_at(snapshot: Snapshot, l1_number: int) -> SafeHead | None:
    """Return the newest entry of an L1 block up to the given one; None before the first.

    CorruptStore if it names a block that is not canonical.
    """
    entry = next(_downwards(snapshot, number_key(l1_number)), None)
    if entry is not None and canonical_hash(snapshot, entry.l2_block.number) != entry.l2_block.hash:
        raise CorruptStore(
            f"safe head of L1 block {entry.derived_from.number}: block {entry.l2_block.number} "
            f"(0x{entry.l2_block.hash.hex()}) is not canonical"
        )
    return entry


def _downwards(snapshot: Snapshot, start: bytes = b"") -> Iterator[SafeHead]:
    for key, value in snapshot.items(Table.SAFE_HEADS, start, reverse=True):
        yield _decode(key, value)


def _decode(key: bytes, value: bytes) -> SafeHead:
    if len(value) != _VALUE_SIZE:
        raise CorruptStore(
            f"safe head of L1 block {int.from_bytes(key, 'big')}: expected {_VALUE_SIZE} bytes, "
            f"got {len(value)}"
        )
    return SafeHead(
        BlockRef(Hash32(value[32:64]), BlockNumber(int.from_bytes(value[64:], "big"))),
        BlockRef(Hash32(value[:32]), BlockNumber(int.from_bytes(key, "big"))),
    )
