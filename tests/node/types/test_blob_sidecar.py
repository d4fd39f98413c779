import hashlib
from dataclasses import replace

import pytest

from node.types.blob_sidecar import (
    BLOB_PROOFS,
    BLOB_SIZE,
    CELL_PROOFS,
    Blob,
    BlobSidecar,
    InvalidSidecar,
    versioned_hash,
)

BLOBS = (b"\1" * BLOB_SIZE, b"\2" * BLOB_SIZE)
COMMITMENTS = (b"\3" * 48, b"\4" * 48)
PROOFS = (b"\5" * 48, b"\6" * 48)
SIDECAR = BlobSidecar(BLOB_PROOFS, BLOBS, COMMITMENTS, PROOFS)
CELLS = BlobSidecar(CELL_PROOFS, BLOBS, COMMITMENTS, PROOFS * 128)


def test_versioned_hashes_are_of_the_commitments() -> None:
    expected = tuple(b"\1" + hashlib.sha256(item).digest()[1:] for item in COMMITMENTS)
    assert SIDECAR.versioned_hashes() == expected
    assert versioned_hash(COMMITMENTS[0]) == expected[0]


@pytest.mark.parametrize("sidecar", [SIDECAR, CELLS])
def test_its_own_hashes_are_right(sidecar: BlobSidecar) -> None:
    sidecar.check_hashes(sidecar.versioned_hashes())


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        (replace(SIDECAR, blobs=BLOBS[:1]), "invalid number of 1 blobs compared to 2 blob hashes"),
        (replace(SIDECAR, blobs=()), "invalid number of 0 blobs compared to 2 blob hashes"),
        (
            replace(SIDECAR, commitments=(*COMMITMENTS, b"")),
            "invalid number of 3 blob commitments compared to 2 blob hashes",
        ),
        (replace(SIDECAR, proofs=PROOFS * 128), "invalid number of 256 blob proofs expected 2"),
        (replace(CELLS, proofs=PROOFS), "invalid number of 2 blob proofs expected 256"),
        (
            replace(SIDECAR, commitments=COMMITMENTS[::-1]),
            f"blob 0: computed hash 0x{versioned_hash(COMMITMENTS[1]).hex()} mismatches "
            f"transaction one 0x{versioned_hash(COMMITMENTS[0]).hex()}",
        ),
    ],
)
def test_what_differs_is_named(sidecar: BlobSidecar, message: str) -> None:
    with pytest.raises(InvalidSidecar) as caught:
        sidecar.check_hashes(SIDECAR.versioned_hashes())
    assert str(caught.value) == message


def test_one_by_one_with_blob_proofs_only() -> None:
    expected = tuple(map(Blob, BLOBS, COMMITMENTS, PROOFS))
    assert SIDECAR.proven_blobs() == expected
    with pytest.raises(ValueError, match="version 1"):
        CELLS.proven_blobs()


def test_size() -> None:
    assert SIDECAR.size == 2 * (131_072 + 48 + 48)
    assert CELLS.size == 2 * (131_072 + 48 + 128 * 48)
