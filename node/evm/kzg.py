"""KZG proofs on BLS12-381, checked (polynomial-commitments.md of the consensus specs, EIP-4844).

Of the trusted setup a check needs one number only, the secret times the generator of G2: there is
no file of 4096 points to load.
"""

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

BLS_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""The order of the groups, and what the values of a blob are below."""

_SECRET_G2 = G2Point.from_compressed_bytes(  # g2_monomial[1] of the ceremony of 2023
    bytes.fromhex(
        "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d"
        "2914e5870cb452d2afaaab24f3499f72185cbfee53492714734429b7b38608e2"
        "3926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
    )
)


class MalformedProof(ValueError):
    """An argument is no field element or no point of G1."""


def is_proof(commitment: bytes, z: bytes, y: bytes, proof: bytes) -> bool:
    """Return whether the polynomial of a commitment is y at z; MalformedProof if bytes are wrong.

    The numbers are 32 bytes, big-endian, below BLS_MODULUS; the points 48 bytes, compressed.
    """
    polynomial, quotient = _point(commitment), _point(proof)
    at, value = _scalar(z), _scalar(y)
    # p(s) - y = q(s) (s - z) for the secret s, with each product made by a pairing.
    remainder = polynomial - G1Point() * value + quotient * at
    return GT.pairing_check([-remainder, quotient], [G2Point(), _SECRET_G2])


def _scalar(data: bytes) -> Scalar:
    try:
        return Scalar.from_be_bytes(data)
    except ValueError as error:
        raise MalformedProof(f"expected a number below {BLS_MODULUS}, got {data.hex()}") from error


def _point(data: bytes) -> G1Point:
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError as error:
        raise MalformedProof(f"{data.hex()} is no point of G1: {error}") from error
    if point.to_compressed_bytes() != data:  # the library takes infinity in many spellings
        raise MalformedProof(f"{data.hex()} is not how a point of G1 is written")
    return point
