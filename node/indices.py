"""Where to find things: written and taken back in the commit of the block they belong to."""

from collections.abc import Iterable

from node.errors import CorruptStore
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table, number_key
from node.types.block import Block
from node.types.primitives import UINT64_MAX, BlockNumber, Hash32


def add_block(tx: WriteTransaction, block: Block) -> None:
    """Make a block canonical in the indices: by number and by its transactions' hashes."""
    tx.put(Table.CANONICAL, number_key(block.number), block.hash)
    tx.put(Table.NUMBERS, block.hash, number_key(block.number))
    for index, transaction in enumerate(block.transactions):
        place = block.hash + index.to_bytes(4, "big")
        tx.put(Table.TRANSACTIONS, transaction.hash, place)


def remove_block(tx: WriteTransaction, block: Block) -> None:
    """Take a canonical block out again. Its number stays known by hash, as the block does."""
    tx.delete(Table.CANONICAL, number_key(block.number))
    for transaction in block.transactions:
        tx.delete(Table.TRANSACTIONS, transaction.hash)


def forget_transactions(tx: WriteTransaction, hashes: Iterable[Hash32]) -> None:
    """Let transactions of a pruned block no longer be found by hash."""
    for tx_hash in hashes:
        tx.delete(Table.TRANSACTIONS, tx_hash)


def canonical_hash(snapshot: Snapshot, number: int) -> Hash32 | None:
    """Return the hash of the canonical block at a height."""
    if not 0 <= number <= UINT64_MAX:
        return None
    raw = snapshot.get(Table.CANONICAL, number_key(number))
    return None if raw is None else Hash32(_checked("canonical hash", number_key(number), raw, 32))


def number_of(snapshot: Snapshot, block_hash: Hash32) -> BlockNumber | None:
    """Return the height of a stored block, canonical or not."""
    raw = snapshot.get(Table.NUMBERS, block_hash)
    if raw is None:
        return None
    return BlockNumber(int.from_bytes(_checked("number", block_hash, raw, 8), "big"))


def is_canonical(snapshot: Snapshot, block_hash: Hash32) -> bool:
    """Whether a stored block is part of the canonical chain."""
    number = number_of(snapshot, block_hash)
    return number is not None and canonical_hash(snapshot, number) == block_hash


def transaction_place(snapshot: Snapshot, tx_hash: Hash32) -> tuple[Hash32, int] | None:
    """Return the canonical block of a transaction and its index in it."""
    raw = snapshot.get(Table.TRANSACTIONS, tx_hash)
    if raw is None:
        return None
    place = _checked("place of transaction", tx_hash, raw, 36)
    return Hash32(place[:32]), int.from_bytes(place[32:], "big")


def _checked(what: str, key: bytes, raw: bytes, size: int) -> bytes:
    if len(raw) != size:
        raise CorruptStore(f"{what} 0x{key.hex()}: expected {size} bytes, got {len(raw)}")
    return raw
