"""Random input of precompiles: right, nearly right and wrong."""

import hashlib
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from coincurve import PrivateKey
from py_ecc import bls12_381, optimized_bls12_381, optimized_bn128
from py_ecc.bls.g2_primitives import G1_to_pubkey

from node.types.primitives import keccak256
from node.types.transaction import SECP256K1_N

_BN_P: int = optimized_bn128.field_modulus
_BN_N: int = optimized_bn128.curve_order
_BLS_P: int = bls12_381.field_modulus
_BLS_N: int = bls12_381.curve_order
_BLS_FIELD = 64
_MULTIPLES = 8
"""How many points of each group there are to choose from."""

# Seconds each, in pure Python: cases with them are few.
SLOW = (8, 10, 12, 14, 15, 16, 17)
FAST = tuple(number for number in range(1, 19) if number not in SLOW)
"""The last of them is none."""


def precompile_input(rng: Random, precompile: int) -> bytes:
    """Return input for the precompile with this number: mostly valid, sometimes damaged."""
    data = _WRITERS.get(precompile, _any_bytes)(rng)
    return _damaged(rng, data) if rng.random() < 0.25 else data


def _damaged(rng: Random, data: bytes) -> bytes:
    choice = rng.randrange(5)
    if choice == 0:
        return data[: rng.randrange(len(data) + 1)]
    if choice == 1:
        return data + rng.randbytes(rng.choice((1, 31, 32, 64)))
    if choice == 2 and data:
        changed = bytearray(data)
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    if choice == 3:
        return rng.randbytes(len(data))
    return bytes(len(data))


def _any_bytes(rng: Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 31, 32, 33, 64, 100, 200)))


def _ecrecover(rng: Random) -> bytes:
    digest = rng.randbytes(32)
    signature = PrivateKey(keccak256(rng.randbytes(8))).sign_recoverable(digest, hasher=None)
    r, s, v = (
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
        27 + signature[64],
    )
    choice = rng.randrange(8)
    if choice == 0:
        s, v = SECP256K1_N - s, 55 - v
    elif choice == 1:
        v = rng.choice((0, 1, 26, 29, 2**8 + 27, 2**255))
    elif choice == 2:
        r = rng.choice((0, SECP256K1_N, SECP256K1_N - 1, r + 1, 2**256 - 1))
    elif choice == 3:
        s = rng.choice((0, SECP256K1_N, SECP256K1_N - 1, 2**256 - 1))
    return digest + b"".join(n.to_bytes(32, "big") for n in (v, r, s))


def _modexp(rng: Random) -> bytes:
    sizes = [rng.choice((0, 1, 2, 8, 31, 32, 33, 64, 97)) for _ in range(3)]
    data = b"".join(rng.choice((rng.randbytes, bytes))(size) for size in sizes)
    if rng.random() < 0.1:
        # Not the largest: the specs fail to add to it.
        sizes[rng.randrange(3)] = rng.choice((2**16, 2**32, 2**64, 2**255))
    return b"".join(size.to_bytes(32, "big") for size in sizes) + data


def _bn_point(rng: Random) -> bytes:
    choice = rng.randrange(8)
    if choice == 0:
        return bytes(64)
    x, y = _bn_g1()[rng.randrange(_MULTIPLES)]
    if choice == 1:
        x += _BN_P
    elif choice == 2:
        y = _BN_P - y
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def _bn_multiply(rng: Random) -> bytes:
    scalar = rng.choice((0, 1, 2, _BN_N, _BN_N + 1, 2**256 - 1, rng.getrandbits(256)))
    return _bn_point(rng) + scalar.to_bytes(32, "big")


def _bn_pairing(rng: Random) -> bytes:
    """Pairs e(aP, bQ) e(-cP, dQ), whose product is one if ab = cd."""
    if rng.random() < 0.1:
        return b""
    pairs = [(a, b, False) for a, b in ((1, 1), (2, 1), (1, 2), (2, 2)) if rng.random() < 0.5]
    pairs += [(b, a, True) for a, b, _ in pairs]
    data = b""
    for a, b, is_negative in pairs[:3] if rng.random() < 0.3 else pairs[:2]:
        x, y = _bn_g1()[a - 1]
        numbers = (x, _BN_P - y if is_negative else y, *_bn_g2()[b - 1])
        data += b"".join(n.to_bytes(32, "big") for n in numbers)
    return data


def _blake2(rng: Random) -> bytes:
    rounds = rng.choice((0, 1, 2, 12, 50, 2**32 - 1))
    flag = rng.choice((0, 1, 1, 0, 2, 255))
    return rounds.to_bytes(4, "big") + rng.randbytes(64 + 128 + 16) + bytes([flag])


def _point_evaluation(rng: Random) -> bytes:
    """A polynomial that is the same everywhere: its proof is the point at infinity."""
    y = rng.choice((0, 1, 2, rng.randrange(_BLS_N)))
    commitment: bytes = G1_to_pubkey(optimized_bls12_381.multiply(optimized_bls12_381.G1, y))
    versioned_hash = b"\x01" + hashlib.sha256(commitment).digest()[1:]
    z = rng.choice((0, 5, _BLS_N - 1, _BLS_N))
    claimed = y if rng.random() < 0.7 else rng.choice((y + 1, _BLS_N, y + _BLS_N)) % 2**256
    values = z.to_bytes(32, "big") + claimed.to_bytes(32, "big")
    return versioned_hash + values + commitment + b"\xc0" + bytes(47)


def _field(rng: Random, value: int) -> bytes:
    if rng.random() < 0.04:
        value += _BLS_P
    raw = value.to_bytes(_BLS_FIELD, "big")
    return b"\x01" + raw[1:] if rng.random() < 0.02 else raw


def _g1(rng: Random) -> bytes:
    choice = rng.randrange(10)
    if choice == 0:
        return bytes(2 * _BLS_FIELD)
    if choice == 1:
        point = _outside_subgroup()[rng.randrange(4)]
    else:
        point = _bls_g1()[rng.randrange(_MULTIPLES)]
    return b"".join(_field(rng, coordinate) for coordinate in point)


def _g2(rng: Random) -> bytes:
    choice = rng.randrange(10)
    if choice == 0:
        return bytes(4 * _BLS_FIELD)
    point = _bls_g2()[rng.randrange(_MULTIPLES)]
    return b"".join(_field(rng, coordinate) for coordinate in point)


def _scalar(rng: Random) -> bytes:
    choices = (0, 1, 2, _BLS_N - 1, _BLS_N, _BLS_N + 1, 2**256 - 1, rng.getrandbits(256))
    return rng.choice(choices).to_bytes(32, "big")


def _terms(point: Callable[[Random], bytes]) -> Callable[[Random], bytes]:
    def write(rng: Random) -> bytes:
        return b"".join(point(rng) + _scalar(rng) for _ in range(rng.choice((0, 1, 1, 2, 3))))

    return write


def _bls_pairing(rng: Random) -> bytes:
    if rng.random() < 0.5:  # e(P, Q) e(-P, Q) = 1
        x, y = _bls_g1()[rng.randrange(_MULTIPLES)]
        q = b"".join(n.to_bytes(64, "big") for n in _bls_g2()[rng.randrange(_MULTIPLES)])
        return b"".join(x.to_bytes(64, "big") + n.to_bytes(64, "big") + q for n in (y, _BLS_P - y))
    return b"".join(_g1(rng) + _g2(rng) for _ in range(rng.choice((0, 1, 2))))


_WRITERS: dict[int, Callable[[Random], bytes]] = {
    1: _ecrecover,
    5: _modexp,
    6: lambda rng: _bn_point(rng) + _bn_point(rng),
    7: _bn_multiply,
    8: _bn_pairing,
    9: _blake2,
    10: _point_evaluation,
    11: lambda rng: _g1(rng) + _g1(rng),
    12: _terms(_g1),
    13: lambda rng: _g2(rng) + _g2(rng),
    14: _terms(_g2),
    15: _bls_pairing,
    16: lambda rng: _field(rng, rng.randrange(_BLS_P)),
    17: lambda rng: _field(rng, rng.randrange(_BLS_P)) + _field(rng, rng.randrange(_BLS_P)),
}


def _multiples(curve: Any, generator: Any) -> list[Any]:
    return [curve.normalize(curve.multiply(generator, n)) for n in range(1, _MULTIPLES + 1)]


@cache
def _bn_g1() -> list[tuple[int, int]]:
    points = _multiples(optimized_bn128, optimized_bn128.G1)
    return [(int(x), int(y)) for x, y in points]


@cache
def _bn_g2() -> list[tuple[int, ...]]:
    """In the order of EIP-197: the imaginary part comes first."""
    points = _multiples(optimized_bn128, optimized_bn128.G2)
    return [tuple(int(n) for c in point for n in reversed(c.coeffs)) for point in points]


@cache
def _bls_g1() -> list[tuple[int, int]]:
    points = _multiples(optimized_bls12_381, optimized_bls12_381.G1)
    return [(int(x), int(y)) for x, y in points]


@cache
def _bls_g2() -> list[tuple[int, ...]]:
    """In the order of EIP-2537: the real part comes first."""
    points = _multiples(optimized_bls12_381, optimized_bls12_381.G2)
    return [tuple(int(n) for c in point for n in c.coeffs) for point in points]


@cache
def _outside_subgroup() -> list[tuple[int, int]]:
    """Points of the curve y^2 = x^3 + 4; next to none of them are in the subgroup."""
    points: list[tuple[int, int]] = []
    x = 1
    while len(points) < 4:
        square = (x**3 + 4) % _BLS_P
        y = pow(square, (_BLS_P + 1) // 4, _BLS_P)
        if y * y % _BLS_P == square:
            points.append((x, y))
        x += 1
    return points
