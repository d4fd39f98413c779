"""Blobs of the embedded L1's blocks, kept for as long as a beacon node would.

A row for each blob, in the order in which they came, says what to forget first. An unwound block's
blobs stay until then: its transactions go back to the pool, which needs them.
"""

from node.errors import CorruptStore
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table
from node.storage.seal import seal, unseal
from node.types.blob_sidecar import BLOB_SIZE, POINT_SIZE, Blob, versioned_hash
from node.types.block import Block
from node.types.primitives import Hash32
from node.types.transaction import Transaction

RETAINED_BLOCKS = 4096 * 32  # MIN_EPOCHS_FOR_BLOB_SIDECARS_REQUESTS, with a block in each slot
RETAINED_BLOBS = 32_768  # 4 GiB

_ROW = b"\x00"  # versioned hashes begin with 0x01
_COMMITMENT = slice(8, 8 + POINT_SIZE)
_PROOF = slice(8 + POINT_SIZE, 8 + 2 * POINT_SIZE)
_DATA = slice(8 + 2 * POINT_SIZE, 8 + 2 * POINT_SIZE + BLOB_SIZE)


def put_blobs(
    tx: WriteTransaction,
    block: Block,
    *,
    retained_blocks: int = RETAINED_BLOCKS,
    retained_blobs: int = RETAINED_BLOBS,
) -> None:
    """Keep the blobs that the block's transactions carry, and forget those that are too old.

    Blocks from elsewhere carry none.
    """
    blobs = [
        blob
        for item in block.transactions
        if isinstance(item, Transaction) and item.sidecar is not None
        for blob in item.sidecar.proven_blobs()
    ]
    if not blobs:
        return
    sequence = _next_sequence(tx)
    for place, blob in enumerate(blobs, sequence):
        key, order = versioned_hash(blob.commitment), place.to_bytes(8, "big")
        stored = b"".join((order, blob.commitment, blob.proof, blob.data))
        tx.put(Table.BLOBS, key, seal(key, stored))
        tx.put(Table.BLOBS, _ROW + order, block.number.to_bytes(8, "big") + key)
    oldest_kept = sequence + len(blobs) - retained_blobs
    _forget(tx, oldest_kept, block.number - retained_blocks)


def get_blob(snapshot: Snapshot, name: Hash32) -> Blob | None:
    """Return the blob of a versioned hash; CorruptStore if the stored bytes are not that."""
    raw = snapshot.get(Table.BLOBS, name)
    if raw is None:
        return None
    raw = unseal(Table.BLOBS, name, raw)
    blob = Blob(raw[_DATA], raw[_COMMITMENT], raw[_PROOF])
    if len(raw) != _DATA.stop or versioned_hash(blob.commitment) != name:
        raise CorruptStore(f"blob 0x{name.hex()}: it has another hash or size")
    return blob


def _next_sequence(tx: WriteTransaction) -> int:
    for key, _ in tx.items(Table.BLOBS, prefix=_ROW, reverse=True):
        return int.from_bytes(key[1:], "big") + 1
    return 0


def _forget(tx: WriteTransaction, oldest_kept: int, last_forgotten_block: int) -> None:
    """Forget the blobs of rows before `oldest_kept`, or of blocks up to the given one."""
    outdated: list[tuple[bytes, bytes]] = []
    for key, value in tx.items(Table.BLOBS, prefix=_ROW):
        sequence, number = (int.from_bytes(raw, "big") for raw in (key[1:], value[:8]))
        if sequence >= oldest_kept and number > last_forgotten_block:
            break
        outdated.append((key, value[8:]))
    for key, name in outdated:
        tx.delete(Table.BLOBS, key)
        stored = tx.get(Table.BLOBS, name)
        # Else it came again since.
        if stored is not None and unseal(Table.BLOBS, name, stored)[:8] == key[1:]:
            tx.delete(Table.BLOBS, name)
