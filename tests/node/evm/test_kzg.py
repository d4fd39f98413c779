"""KZG proofs beside c-kzg."""

from pathlib import Path

import ckzg
import pytest
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, Scalar

from node.evm import kzg
from node.evm.kzg import BLS_MODULUS, MalformedProof, is_proof
from tests.node.evm.machine import word

INFINITY = b"\xc0" + bytes(47)
ONE = G1Point().to_compressed_bytes()
BLOB = b"".join(word(value) for value in range(7, 7 + 4096))


@pytest.fixture(scope="module")
def setup() -> object:
    return ckzg.load_trusted_setup(str(Path(TRUSTED_SETUP_PATH).resolve()), 0)


def _same(setup: object, commitment: bytes, z: bytes, y: bytes, proof: bytes) -> bool | None:
    """Return what both say, None if both refuse."""
    try:
        ours: bool | None = is_proof(commitment, z, y, proof)
    except MalformedProof:
        ours = None
    try:
        theirs: bool | None = ckzg.verify_kzg_proof(commitment, z, y, proof, setup)
    except RuntimeError:
        theirs = None
    assert ours == theirs
    return ours


@pytest.fixture(scope="module")
def commitment(setup: object) -> bytes:
    made: bytes = ckzg.blob_to_kzg_commitment(BLOB, setup)
    return made


@given(z=st.one_of(st.integers(0, BLS_MODULUS - 1), st.integers(0, 3)))
@settings(max_examples=5, deadline=None)
def test_proofs_of_a_blob(setup: object, commitment: bytes, z: int) -> None:
    proof, y = ckzg.compute_kzg_proof(BLOB, word(z), setup)
    assert _same(setup, commitment, word(z), y, proof) is True
    wrong = word((int.from_bytes(y, "big") + 1) % BLS_MODULUS)
    assert _same(setup, commitment, word(z), wrong, proof) is False
    assert _same(setup, commitment, word((z + 1) % BLS_MODULUS), y, proof) is False
    assert _same(setup, proof, word(z), y, commitment) is False
    assert _same(setup, commitment, word(z), y, INFINITY) is False


def test_the_constant_polynomial(setup: object) -> None:
    for value in (0, 1, 12345, BLS_MODULUS - 1):
        constant = (G1Point() * Scalar.from_be_bytes(word(value))).to_compressed_bytes()
        assert _same(setup, constant, word(99), word(value), INFINITY) is True
        assert _same(setup, constant, word(99), word(5), INFINITY) is False


FIELD_PRIME = bytes.fromhex(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
)


@pytest.mark.parametrize(
    "point",
    [
        bytes(48),
        b"\x80" + bytes(47),
        b"\x40" + bytes(47),
        b"\xe0" + bytes(47),
        b"\xc0" + bytes(46) + b"\x01",
        b"\xc1" + bytes(47),
        b"\xff" * 48,
        b"\xa0" + bytes(47),
        bytes([ONE[0] & 0x7F]) + ONE[1:],
        bytes([ONE[0] | 0x40]) + ONE[1:],
        bytes([FIELD_PRIME[0] | 0x80]) + FIELD_PRIME[1:],
        b"\x80" + bytes(46) + b"\x04",  # of the curve, not of G1
        b"\x80" + bytes(46) + b"\x01",  # not of the curve
    ],
)
def test_points_that_are_none(setup: object, point: bytes) -> None:
    assert _same(setup, point, word(1), word(0), INFINITY) is None
    assert _same(setup, INFINITY, word(1), word(0), point) is None


@given(st.binary(min_size=48, max_size=48), st.sampled_from([0, 0x80, 0xA0, 0xC0, 0xE0]))
@settings(max_examples=100, deadline=None)
def test_any_48_bytes(setup: object, data: bytes, flags: int) -> None:
    point = bytes([data[0] & 0x1F | flags]) + data[1:]
    _same(setup, point, word(1), word(0), INFINITY)
    _same(setup, INFINITY, word(1), word(0), point)


def test_numbers_are_below_the_modulus(setup: object) -> None:
    assert _same(setup, INFINITY, word(BLS_MODULUS - 1), word(0), INFINITY) is True
    for number in (BLS_MODULUS, BLS_MODULUS + 1, 2**256 - 1):
        assert _same(setup, INFINITY, word(number), word(0), INFINITY) is None
        assert _same(setup, INFINITY, word(0), word(number), INFINITY) is None


def test_the_secret_is_the_ceremony_s() -> None:
    # The file: two counts, 4096 points of G1, then those of G2, the first of them the generator.
    lines = Path(TRUSTED_SETUP_PATH).read_text().split()
    assert lines[:2] == ["4096", "65"]
    assert kzg._SECRET_G2.to_compressed_bytes().hex() == lines[2 + 4096 + 1]
