"""KZG commitments to blobs and their proofs, made and checked by c-kzg (EIP-4844, EIP-7594).

The library needs the ceremony's 4096 points: reading them takes about 1.5 s, once in a process and
at the first use. It keeps the interpreter's lock: a commitment or a blob proof takes 40 ms, the 128
cell proofs of a blob 220 ms, a check 2 ms (blob proof) or 10 ms (cell proofs) a blob.
"""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from node.errors import CriticalError
from node.evm.kzg import BLS_MODULUS
from node.types.blob_sidecar import (
    BLOB_PROOFS,
    BLOB_SIZE,
    CELL_PROOFS,
    CELLS_PER_BLOB,
    BlobSidecar,
    InvalidSidecar,
)

_SETUP_SHA256 = "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"
_MODULUS = BLS_MODULUS.to_bytes(32, "big")
_loading = threading.Lock()


def load_trusted_setup() -> None:
    """Read the ceremony's points now, so that the first transaction need not wait for it.

    CriticalError if the file is missing or not the ceremony's.
    """
    _library()


def commitment_to(blob: bytes) -> bytes:
    """Return the commitment to a blob; ValueError if the bytes are no blob."""
    _check_blob(blob)
    ckzg, setup = _library()
    made: bytes = ckzg.blob_to_kzg_commitment(blob, setup)
    return made


def make_sidecar(blobs: Sequence[bytes], version: int = BLOB_PROOFS) -> BlobSidecar:
    """Commit to blobs and prove it, by BLOB_PROOFS or CELL_PROOFS; ValueError if one is no blob."""
    if version not in (BLOB_PROOFS, CELL_PROOFS):
        raise ValueError(f"version: expected {BLOB_PROOFS} or {CELL_PROOFS}, got {version}")
    commitments = tuple(map(commitment_to, blobs))
    sidecar = BlobSidecar(CELL_PROOFS, tuple(blobs), commitments, ())
    if version == BLOB_PROOFS:
        return with_blob_proofs(sidecar)
    ckzg, setup = _library()
    proofs = [ckzg.compute_cells_and_kzg_proofs(blob, setup)[1] for blob in blobs]
    return replace(sidecar, proofs=tuple(proof for of_blob in proofs for proof in of_blob))


def with_blob_proofs(sidecar: BlobSidecar) -> BlobSidecar:
    """Return a sidecar of good blobs and commitments with blob proofs in place of cell proofs."""
    if sidecar.version == BLOB_PROOFS:
        return sidecar
    ckzg, setup = _library()
    pairs = zip(sidecar.blobs, sidecar.commitments, strict=True)
    proofs = tuple(ckzg.compute_blob_kzg_proof(*pair, setup) for pair in pairs)
    return replace(sidecar, version=BLOB_PROOFS, proofs=proofs)


def check_proofs(sidecar: BlobSidecar) -> None:
    """Check that each blob has the commitment beside it; InvalidSidecar says which has not.

    The numbers of blobs, commitments and proofs must be right.
    """
    if _holds(sidecar):
        return
    for index, blob in enumerate(sidecar.blobs):
        where = f"KZG verification error: invalid blob proof: blob {index}"
        if (place := _element_too_large(blob)) is not None:
            raise InvalidSidecar(f"{where}: field element {place} is not below the modulus")
        if not _holds(_only(sidecar, index)):
            raise InvalidSidecar(f"{where}: its commitment and proof do not prove it")
    raise CriticalError("c-kzg refuses blobs together that it takes one by one")


def _holds(sidecar: BlobSidecar) -> bool:
    ckzg, setup = _library()
    blobs, commitments, proofs = sidecar.blobs, sidecar.commitments, sidecar.proofs
    try:
        if sidecar.version == BLOB_PROOFS:
            joined = (b"".join(items) for items in (blobs, commitments, proofs))
            return bool(ckzg.verify_blob_kzg_proof_batch(*joined, setup))
        cells = [cell for blob in blobs for cell in ckzg.compute_cells(blob, setup)]
        return bool(
            ckzg.verify_cell_kzg_proof_batch(
                [commitment for commitment in commitments for _ in range(CELLS_PER_BLOB)],
                [*range(CELLS_PER_BLOB)] * len(blobs),
                cells,
                list(proofs),
                setup,
            )
        )
    except RuntimeError:  # how the library says that bytes are no point or no field element
        return False


def _only(sidecar: BlobSidecar, index: int) -> BlobSidecar:
    each = 1 if sidecar.version == BLOB_PROOFS else CELLS_PER_BLOB
    return BlobSidecar(
        sidecar.version,
        sidecar.blobs[index : index + 1],
        sidecar.commitments[index : index + 1],
        sidecar.proofs[index * each : (index + 1) * each],
    )


def _check_blob(blob: bytes) -> None:
    if len(blob) != BLOB_SIZE:
        raise ValueError(f"blob: expected {BLOB_SIZE} bytes, got {len(blob)}")
    if (place := _element_too_large(blob)) is not None:
        raise ValueError(f"blob: field element {place} is not below the modulus")


def _element_too_large(blob: bytes) -> int | None:
    for start in range(0, len(blob), 32):
        if blob[start : start + 32] >= _MODULUS:
            return start // 32
    return None


def _library() -> tuple[Any, Any]:
    """Return c-kzg and the setup that its functions take."""
    with _loading:
        return _load()


@cache
def _load() -> tuple[Any, Any]:
    # Most chains never see a blob: neither the library nor the points are loaded before one comes.
    import ckzg

    path = _setup_file()
    return ckzg, ckzg.load_trusted_setup(str(path), 0)


def _setup_file() -> Path:
    """Return the file of the ceremony's points, which py-evm has for its own precompile."""
    spec = find_spec("eth")
    if spec is None or spec.origin is None:
        raise CriticalError("trusted setup: expected py-evm to be installed, it is not")
    path = Path(spec.origin).parent / "_utils" / "kzg_trusted_setup.txt"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CriticalError(f"trusted setup: cannot read {path}: {error.strerror}") from error
    if found != _SETUP_SHA256:
        raise CriticalError(
            f"trusted setup: expected {path} to have the SHA-256 {_SETUP_SHA256}, got {found}"
        )
    return path
