"""What the pool asks of a transaction with blobs (EIP-4844, EIP-7594), in go-ethereum's words."""

from dataclasses import replace

from node.errors import FeeCapTooLow
from node.evm.blob_proofs import check_proofs, with_blob_proofs
from node.reader import Reader
from node.types.blob_sidecar import (
    BLOB_PROOFS,
    BLOB_SIZE,
    CELLS_PER_BLOB,
    POINT_SIZE,
    BlobSidecar,
    InvalidSidecar,
)
from node.types.transaction import BLOB, Transaction

MIN_BLOB_FEE_CAP = 1  # wei for a unit of blob gas, which never costs less
# A blob, a commitment, cell proofs, and RLP's prefixes: of 4 bytes, 1 byte each, and the lists'.
MAX_SIDECAR_BYTES_PER_BLOB = BLOB_SIZE + 4 + (POINT_SIZE + 1) * (1 + CELLS_PER_BLOB) + 16


def check_sidecar(tx: Transaction, maximum: int) -> None:
    """Check the blobs of a transaction against its hashes, but not the proofs: that takes longer.

    `maximum` is how many blobs a block holds.
    """
    count = len(tx.blob_versioned_hashes)
    if count > maximum:
        raise InvalidSidecar(f"too many blobs in transaction: have {count}, permitted {maximum}")
    if tx.max_fee_per_blob_gas < MIN_BLOB_FEE_CAP:
        raise FeeCapTooLow(
            f"transaction gas price below minimum: blob fee cap {tx.max_fee_per_blob_gas}, "
            f"minimum needed {MIN_BLOB_FEE_CAP}"
        )
    _sidecar(tx).check_hashes(tx.blob_versioned_hashes)


def with_checked_proofs(tx: Transaction) -> Transaction:
    """Check the proofs, and return the transaction with blob proofs whichever it came with.

    Before Osaka go-ethereum takes blob proofs alone, but tools send cell proofs already. Nobody
    asks this node for cells, so those are not kept.
    """
    sidecar = _sidecar(tx)
    check_proofs(sidecar)
    return tx if sidecar.version == BLOB_PROOFS else replace(tx, sidecar=with_blob_proofs(sidecar))


def with_stored_blobs(tx: Transaction, reader: Reader) -> Transaction:
    """Return a transaction from an unwound block with its blobs, if they are still stored."""
    stored = [reader.blob(name) for name in tx.blob_versioned_hashes]
    blobs = [blob for blob in stored if blob is not None]
    if tx.type != BLOB or len(blobs) < len(stored):
        return tx
    sidecar = BlobSidecar(
        BLOB_PROOFS,
        tuple(blob.data for blob in blobs),
        tuple(blob.commitment for blob in blobs),
        tuple(blob.proof for blob in blobs),
    )
    return replace(tx, sidecar=sidecar)


def _sidecar(tx: Transaction) -> BlobSidecar:
    if tx.sidecar is None:
        raise InvalidSidecar("missing sidecar in blob transaction")
    return tx.sidecar
