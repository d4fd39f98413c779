"""Blobs, and signed transactions that carry them."""

from dataclasses import replace
from functools import cache
from typing import Any

from node.evm.blob_proofs import make_sidecar
from node.types.blob_sidecar import BLOB_PROOFS, BLOB_SIZE, BlobSidecar
from node.types.blob_transaction import encode_pooled_transaction, sign_blob
from node.types.transaction import Transaction
from tests.node.execution.signing import GWEI, RECIPIENT
from tests.node.pooled_chain import CHAIN_ID, KEYS


def blob(seed: int) -> bytes:
    """Return a blob that differs from that of any other seed."""
    return (b"\0" + seed.to_bytes(31, "big")) * (BLOB_SIZE // 32 - 1) + bytes(32)


@cache
def sidecar(*seeds: int, version: int = BLOB_PROOFS) -> BlobSidecar:
    """Return the blobs of some seeds with their proofs; made once."""
    if len(seeds) == 1:
        return make_sidecar([blob(seeds[0])], version)
    parts = [sidecar(seed, version=version) for seed in seeds]
    return BlobSidecar(
        version,
        tuple(item for part in parts for item in part.blobs),
        tuple(item for part in parts for item in part.commitments),
        tuple(item for part in parts for item in part.proofs),
    )


def blob_transaction(
    carried: BlobSidecar, *, user: int = 0, key: bytes | None = None, **fields: Any
) -> Transaction:
    """Sign a transaction of a user, or of any key, that names and carries these blobs."""
    defaults: dict[str, Any] = {
        "chain_id": CHAIN_ID,
        "nonce": 0,
        "max_priority_fee_per_gas": GWEI,
        "max_fee_per_gas": 100 * GWEI,
        "max_fee_per_blob_gas": GWEI,
        "gas": 21_000,
        "to": RECIPIENT,
    }
    return sign_blob(key or KEYS[user], carried, **(defaults | fields))


def carrying(tx: Transaction, carried: BlobSidecar | None) -> bytes:
    """Return the encoding of a transaction with other blobs than it was signed for."""
    return encode_pooled_transaction(replace(tx, sidecar=carried))
