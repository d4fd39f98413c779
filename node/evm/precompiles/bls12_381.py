"""The seven precompiles on BLS12-381 (EIP-2537), by arkworks' native curve."""

from typing import Any

from eth.exceptions import VMError
from eth.precompiles.bls12_381.constants import (
    G1_MSM_DISCOUNTS,
    G1_MSM_MAX_DISCOUNT,
    G2_MSM_DISCOUNTS,
    G2_MSM_MAX_DISCOUNT,
)
from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

_FP_PADDING, _FP_SIZE = 16, 64
_G1_SIZE, _G2_SIZE, _SCALAR_SIZE = 2 * _FP_SIZE, 4 * _FP_SIZE, 32
_G1_TERM_SIZE, _G2_TERM_SIZE = _G1_SIZE + _SCALAR_SIZE, _G2_SIZE + _SCALAR_SIZE
_PAIR_SIZE = _G1_SIZE + _G2_SIZE

_G1_ADD_GAS, _G2_ADD_GAS = 375, 600
_G1_MULTIPLY_GAS, _G2_MULTIPLY_GAS = 12_000, 22_500
_DISCOUNT_DIVISOR = 1000
_PAIRING_GAS, _PAIR_GAS = 37_700, 32_600
_MAP_FP_GAS, _MAP_FP2_GAS = 5500, 23_800


def bls_g1_add(computation: Any) -> None:
    """Output the sum of two points of the curve, which need not be in G1."""
    data = _sized(computation, 2 * _G1_SIZE)
    computation.consume_gas(_G1_ADD_GAS, "BLS12_G1ADD")
    computation.output = _encode(_g1_of_curve(data[:_G1_SIZE]) + _g1_of_curve(data[_G1_SIZE:]))


def bls_g2_add(computation: Any) -> None:
    """Output the sum of two points of the twist, which need not be in G2."""
    data = _sized(computation, 2 * _G2_SIZE)
    computation.consume_gas(_G2_ADD_GAS, "BLS12_G2ADD")
    computation.output = _encode(_g2_of_twist(data[:_G2_SIZE]) + _g2_of_twist(data[_G2_SIZE:]))


def bls_g1_msm(computation: Any) -> None:
    """Output the sum of points of G1 times scalars."""
    count = _count(computation, _G1_TERM_SIZE)
    discount = _discount(count, G1_MSM_DISCOUNTS, G1_MSM_MAX_DISCOUNT)
    gas = count * _G1_MULTIPLY_GAS * discount // _DISCOUNT_DIVISOR
    computation.consume_gas(gas, "BLS12_G1MSM")
    terms = _split(computation, _G1_TERM_SIZE)
    points = [_g1(term[:_G1_SIZE]) for term in terms]
    scalars = [Scalar.from_be_bytes_mod_order(term[_G1_SIZE:]) for term in terms]
    computation.output = _encode(G1Point.multiexp_unchecked(points, scalars))


def bls_g2_msm(computation: Any) -> None:
    """Output the sum of points of G2 times scalars."""
    count = _count(computation, _G2_TERM_SIZE)
    discount = _discount(count, G2_MSM_DISCOUNTS, G2_MSM_MAX_DISCOUNT)
    gas = count * _G2_MULTIPLY_GAS * discount // _DISCOUNT_DIVISOR
    computation.consume_gas(gas, "BLS12_G2MSM")
    terms = _split(computation, _G2_TERM_SIZE)
    points = [_g2(term[:_G2_SIZE]) for term in terms]
    scalars = [Scalar.from_be_bytes_mod_order(term[_G2_SIZE:]) for term in terms]
    computation.output = _encode(G2Point.multiexp_unchecked(points, scalars))


def bls_pairing(computation: Any) -> None:
    """Output 1 if the pairings of the input's pairs multiply to one, else 0."""
    count = _count(computation, _PAIR_SIZE)
    computation.consume_gas(_PAIRING_GAS + _PAIR_GAS * count, "BLS12_PAIRING_CHECK")
    pairs = _split(computation, _PAIR_SIZE)
    left = [_g1(pair[:_G1_SIZE]) for pair in pairs]
    right = [_g2(pair[_G1_SIZE:]) for pair in pairs]
    computation.output = int(GT.pairing_check(left, right)).to_bytes(32, "big")


def bls_map_fp_to_g1(computation: Any) -> None:
    """Output the point of G1 to which a field element maps."""
    data = _sized(computation, _FP_SIZE)
    computation.consume_gas(_MAP_FP_GAS, "BLS12_MAP_FP_TO_G1")
    try:
        point = G1Point.map_from_fp_be(_unpadded(data))
    except ValueError as error:
        raise VMError(f"bls12-381 map: {error}") from error
    computation.output = _encode(point)


def bls_map_fp2_to_g2(computation: Any) -> None:
    """Output the point of G2 to which an element of Fp2 maps."""
    data = _sized(computation, 2 * _FP_SIZE)
    computation.consume_gas(_MAP_FP2_GAS, "BLS12_MAP_FP2_TO_G2")
    try:
        point = G2Point.map_from_fp2_be(_unpadded(data))
    except ValueError as error:
        raise VMError(f"bls12-381 map: {error}") from error
    computation.output = _encode(point)


def _sized(computation: Any, size: int) -> bytes:
    data = computation.msg.data
    if len(data) != size:
        raise VMError(f"bls12-381: expected {size} bytes, got {len(data)}")
    return bytes(data)


def _count(computation: Any, size: int) -> int:
    """Return how many parts of `size` bytes the data is; VMError if it is none, or not whole."""
    total = len(computation.msg.data)
    if not total or total % size:
        raise VMError(f"bls12-381: expected one or more times {size} bytes, got {total}")
    return int(total // size)


def _split(computation: Any, size: int) -> list[bytes]:
    data: bytes = computation.msg.data_as_bytes
    return [data[at : at + size] for at in range(0, len(data), size)]


def _discount(count: int, discounts: list[int], least: int) -> int:
    return discounts[count - 1] if count <= len(discounts) else least


# The library refuses coordinates that are not below the field's prime; zeros are infinity to it.


def _g1(data: bytes) -> G1Point:
    try:
        return G1Point.from_xy_bytes_be(_unpadded(data))
    except ValueError as error:
        raise VMError(f"bls12-381: a point is not in G1: {error}") from error


def _g1_of_curve(data: bytes) -> G1Point:
    try:
        return G1Point.from_xy_bytes_unchecked_be(_unpadded(data))
    except ValueError as error:
        raise VMError(f"bls12-381: a point is not on the curve: {error}") from error


def _g2(data: bytes) -> G2Point:
    try:
        return G2Point.from_xy_bytes_be(_unpadded(data))
    except ValueError as error:
        raise VMError(f"bls12-381: a point is not in G2: {error}") from error


def _g2_of_twist(data: bytes) -> G2Point:
    try:
        return G2Point.from_xy_bytes_unchecked_be(_unpadded(data))
    except ValueError as error:
        raise VMError(f"bls12-381: a point is not on the twist: {error}") from error


def _unpadded(data: bytes) -> bytes:
    """Strip field elements of 64 bytes of the zeros that each begins with."""
    elements = []
    for at in range(0, len(data), _FP_SIZE):
        if any(data[at : at + _FP_PADDING]):
            raise VMError("bls12-381: expected a field element to begin with 16 zeros")
        elements.append(data[at + _FP_PADDING : at + _FP_SIZE])
    return b"".join(elements)


def _encode(point: G1Point | G2Point) -> bytes:
    coordinates = point.to_xy_bytes_be()
    size = _FP_SIZE - _FP_PADDING
    return b"".join(
        bytes(_FP_PADDING) + coordinates[at : at + size] for at in range(0, len(coordinates), size)
    )
