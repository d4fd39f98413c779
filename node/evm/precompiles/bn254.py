"""ECADD, ECMUL and ECPAIRING on bn254 (EIP-196 and EIP-197, priced by EIP-1108)."""

from typing import Any

from eth.exceptions import VMError
from gmpy2 import mpz

from node.evm.bn254 import g1, g2
from node.evm.bn254.field import P
from node.evm.bn254.pairing import is_product_one

_ADD_GAS = 150
_MULTIPLY_GAS = 6000
_PAIRING_GAS = 45_000
_PAIR_GAS = 34_000
_WORD = 32
_PAIR_SIZE = 6 * _WORD


def bn254_add(computation: Any) -> None:
    """Output the sum of two points; what the input lacks is zero, what is too much is ignored."""
    computation.consume_gas(_ADD_GAS, "ECADD")
    data = bytes(computation.msg.data[: 4 * _WORD]).ljust(4 * _WORD, b"\x00")
    computation.output = _encode(g1.add(_decode_g1(data, 0), _decode_g1(data, 2)))


def bn254_multiply(computation: Any) -> None:
    """Output a point times a scalar; what the input lacks is zero, what is too much is ignored."""
    computation.consume_gas(_MULTIPLY_GAS, "ECMUL")
    data = bytes(computation.msg.data[: 3 * _WORD]).ljust(3 * _WORD, b"\x00")
    scalar = int.from_bytes(data[2 * _WORD :], "big")
    computation.output = _encode(g1.multiply(_decode_g1(data, 0), scalar))


def bn254_pairing(computation: Any) -> None:
    """Output 1 if the pairings of the input's pairs multiply to one (of none: they do), else 0."""
    size = len(computation.msg.data)
    count, rest = divmod(size, _PAIR_SIZE)
    if rest:
        raise VMError(f"bn254 pairing: expected a multiple of {_PAIR_SIZE} bytes, got {size}")
    computation.consume_gas(_PAIRING_GAS + _PAIR_GAS * count, "ECPAIRING")
    data = computation.msg.data_as_bytes
    words = range(0, 6 * count, 6)
    pairs = [(_decode_g1(data, word), _decode_g2(data, word + 2)) for word in words]
    try:
        is_one = is_product_one(pairs, computation.state.execution_context.interrupt)
    except g2.NotInSubgroup:
        raise VMError("bn254 pairing: a point is not in G2") from None
    computation.output = int(is_one).to_bytes(_WORD, "big")


def _decode_g1(data: bytes, word: int) -> g1.Point:
    x, y = _coordinate(data, word), _coordinate(data, word + 1)
    if x == 0 and y == 0:
        return None
    if not g1.is_on_curve(x, y):
        raise VMError("bn254: a point is not on the curve")
    return x, y


def _decode_g2(data: bytes, word: int) -> g2.Point | None:
    """Decode a point of the twist; the imaginary part of a coordinate comes first."""
    x_u, x, y_u, y = (_coordinate(data, at) for at in range(word, word + 4))
    if x == 0 and x_u == 0 and y == 0 and y_u == 0:
        return None
    point = ((x, x_u), (y, y_u))
    if not g2.is_on_twist(point):
        raise VMError("bn254: a point is not on the twist")
    return point


def _coordinate(data: bytes, word: int) -> mpz:
    value = int.from_bytes(data[_WORD * word : _WORD * (word + 1)], "big")
    if value >= P:
        raise VMError(f"bn254: expected a coordinate below {P}, got {value}")
    return mpz(value)


def _encode(point: g1.Point) -> bytes:
    if point is None:
        return bytes(2 * _WORD)
    x, y = point
    return int(x).to_bytes(_WORD, "big") + int(y).to_bytes(_WORD, "big")
