"""POINT_EVALUATION: what a blob's polynomial is at a point, by a KZG proof (EIP-4844)."""

import hashlib
from typing import Any

from eth.exceptions import VMError

from node.evm.kzg import BLS_MODULUS, MalformedProof, is_proof

_GAS = 50_000
_SIZE = 192
_FIELD_ELEMENTS_PER_BLOB = 4096
_RESULT = _FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + BLS_MODULUS.to_bytes(32, "big")


def point_evaluation(computation: Any) -> None:
    """Check a KZG proof: the blob behind a versioned hash is y at point z (EIP-4844)."""
    computation.consume_gas(_GAS, "POINT_EVALUATION")
    size = len(computation.msg.data)
    if size != _SIZE:
        raise VMError(f"point evaluation: expected {_SIZE} bytes, got {size}")
    data = computation.msg.data_as_bytes
    versioned_hash, z, y, commitment, proof = (
        data[start:end] for start, end in ((0, 32), (32, 64), (64, 96), (96, 144), (144, 192))
    )
    if versioned_hash != b"\x01" + hashlib.sha256(commitment).digest()[1:]:
        raise VMError("point evaluation: the commitment does not match the versioned hash")
    try:
        is_valid = is_proof(commitment, z, y, proof)
    except MalformedProof as error:
        raise VMError(f"point evaluation: {error}") from error
    if not is_valid:
        raise VMError("point evaluation: the proof is wrong")
    computation.output = _RESULT
