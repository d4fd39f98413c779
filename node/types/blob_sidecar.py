"""Blobs beside a type 3 transaction: what its versioned hashes stand for (EIP-4844, EIP-7594)."""

import hashlib
from dataclasses import dataclass
from typing import Final

from node.errors import InvalidTransaction
from node.types.primitives import Hash32

FIELD_ELEMENTS_PER_BLOB: Final = 4096
BLOB_SIZE: Final = 32 * FIELD_ELEMENTS_PER_BLOB
POINT_SIZE: Final = 48
CELLS_PER_BLOB: Final = 128
VERSIONED_HASH_VERSION: Final = b"\x01"

BLOB_PROOFS: Final = 0
CELL_PROOFS: Final = 1


class InvalidSidecar(InvalidTransaction):
    """The blobs, commitments or proofs are not those of the transaction's versioned hashes."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob with its commitment, and the proof that they belong together (EIP-4844)."""

    data: bytes
    commitment: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class BlobSidecar:
    """The blobs of one transaction, 131,072 bytes each, and the 48-byte points that go with them.

    `version` says which proofs there are: BLOB_PROOFS, one for each blob (EIP-4844), or
    CELL_PROOFS, 128 for each (EIP-7594, the form since Osaka).
    """

    version: int
    blobs: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    proofs: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """The bytes of its contents."""
        points = len(self.commitments) + len(self.proofs)
        return BLOB_SIZE * len(self.blobs) + POINT_SIZE * points

    def versioned_hashes(self) -> tuple[Hash32, ...]:
        """Return what the transaction names its blobs by."""
        return tuple(map(versioned_hash, self.commitments))

    def check_hashes(self, hashes: tuple[Hash32, ...]) -> None:
        """Check counts and commitments against the hashes in a transaction, but not the proofs.

        InvalidSidecar names what differs, in the words of go-ethereum.
        """
        expected = len(hashes)
        if len(self.blobs) != expected:
            raise InvalidSidecar(
                f"invalid number of {len(self.blobs)} blobs compared to {expected} blob hashes"
            )
        if len(self.commitments) != expected:
            raise InvalidSidecar(
                f"invalid number of {len(self.commitments)} blob commitments compared to "
                f"{expected} blob hashes"
            )
        proofs = expected * (CELLS_PER_BLOB if self.version == CELL_PROOFS else 1)
        if len(self.proofs) != proofs:
            raise InvalidSidecar(
                f"invalid number of {len(self.proofs)} blob proofs expected {proofs}"
            )
        for index, (actual, wanted) in enumerate(zip(self.versioned_hashes(), hashes, strict=True)):
            if actual != wanted:
                raise InvalidSidecar(
                    f"blob {index}: computed hash 0x{actual.hex()} mismatches transaction one "
                    f"0x{wanted.hex()}"
                )

    def proven_blobs(self) -> tuple[Blob, ...]:
        """Return the blobs one by one; ValueError if the proofs are those of cells."""
        if self.version != BLOB_PROOFS:
            raise ValueError(f"expected blob proofs (version 0), got version {self.version}")
        return tuple(map(Blob, self.blobs, self.commitments, self.proofs))


def versioned_hash(commitment: bytes) -> Hash32:
    """Return what a transaction names the blob of a commitment by (EIP-4844)."""
    return Hash32(VERSIONED_HASH_VERSION + hashlib.sha256(commitment).digest()[1:])
