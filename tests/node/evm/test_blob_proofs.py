from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from py_arkworks_bls12381 import G1Point, Scalar

from node.errors import CriticalError
from node.evm import blob_proofs
from node.evm.blob_proofs import check_proofs, commitment_to, make_sidecar, with_blob_proofs
from node.evm.kzg import BLS_MODULUS
from node.types.blob_sidecar import (
    BLOB_PROOFS,
    BLOB_SIZE,
    CELL_PROOFS,
    BlobSidecar,
    InvalidSidecar,
)
from tests.node.blobs import blob, sidecar
from tests.node.evm.machine import word

INFINITY = b"\xc0" + bytes(47)
VERSIONS = pytest.mark.parametrize("version", [BLOB_PROOFS, CELL_PROOFS], ids=["blob", "cell"])


def test_the_commitment_to_a_constant_is_that_multiple_of_the_generator() -> None:
    for value in (0, 1, 12_345, BLS_MODULUS - 1):
        expected = G1Point() * Scalar.from_be_bytes(word(value))
        assert commitment_to(word(value) * 4096) == expected.to_compressed_bytes()
    assert make_sidecar([word(5) * 4096]).proofs == (INFINITY,)


@VERSIONS
def test_what_is_made_is_right(version: int) -> None:
    made = sidecar(1, 2, 3, version=version)
    assert made.blobs == (blob(1), blob(2), blob(3))
    made.check_hashes(made.versioned_hashes())
    check_proofs(made)
    check_proofs(make_sidecar([], version))


def test_cell_proofs_become_blob_proofs() -> None:
    cells = sidecar(1, 2, version=CELL_PROOFS)
    assert with_blob_proofs(cells) == sidecar(1, 2)
    assert with_blob_proofs(sidecar(1, 2)) is sidecar(1, 2)


def _with(made: BlobSidecar, name: str, index: int, value: bytes) -> BlobSidecar:
    items = list(getattr(made, name))
    items[index] = value
    changed: dict[str, Any] = {name: tuple(items)}
    return replace(made, **changed)


@VERSIONS
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("blobs", blob(9)),
        ("commitments", INFINITY),
        ("commitments", bytes(48)),
        ("proofs", INFINITY),
        ("proofs", b"\xff" * 48),
    ],
)
def test_the_blob_that_is_not_proven_is_named(version: int, name: str, value: bytes) -> None:
    made = sidecar(1, 2, 3, version=version)
    wrong = _with(made, name, len(getattr(made, name)) - 1, value)
    with pytest.raises(InvalidSidecar) as caught:
        check_proofs(wrong)
    assert str(caught.value) == (
        "KZG verification error: invalid blob proof: blob 2: its commitment and proof do not "
        "prove it"
    )


@VERSIONS
def test_proofs_do_not_change_places(version: int) -> None:
    made = sidecar(1, 2, version=version)
    middle = len(made.proofs) // 2
    with pytest.raises(InvalidSidecar, match="blob 0: its commitment"):
        check_proofs(replace(made, proofs=made.proofs[middle:] + made.proofs[:middle]))


@VERSIONS
@pytest.mark.parametrize("number", [BLS_MODULUS, 2**256 - 1])
def test_field_elements_are_below_the_modulus(version: int, number: int) -> None:
    made = sidecar(1, 2, version=version)
    large = blob(2)[: 32 * 17] + word(number) + blob(2)[32 * 18 :]
    with pytest.raises(InvalidSidecar, match=r"blob 1: field element 17 is not below the modulus"):
        check_proofs(_with(made, "blobs", 1, large))
    with pytest.raises(ValueError, match="field element 17 is not below the modulus"):
        make_sidecar([large], version)


def test_what_is_no_blob() -> None:
    for size in (0, BLOB_SIZE - 1, BLOB_SIZE + 1):
        with pytest.raises(ValueError, match=f"expected 131072 bytes, got {size}"):
            commitment_to(bytes(size))
    with pytest.raises(ValueError, match="expected 0 or 1, got 2"):
        make_sidecar([blob(1)], 2)


def test_another_trusted_setup_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "eth"
    (package / "_utils").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "_utils" / "kzg_trusted_setup.txt").write_text("4096\n65\n")

    class Spec:
        origin = str(package / "__init__.py")

    monkeypatch.setattr(blob_proofs, "find_spec", lambda name: Spec)
    with pytest.raises(CriticalError, match="to have the SHA-256 d39b"):
        blob_proofs._setup_file()
    (package / "_utils" / "kzg_trusted_setup.txt").unlink()
    with pytest.raises(CriticalError, match="cannot read"):
        blob_proofs._setup_file()
