"""G2: the points of order R on the twist y^2 = x^3 + 3 / (9 + u) over Fp2.

(x, y) on the twist is (x w^2, y w^3) on the curve over Fp12. The twist has many points of other
orders; `lines` finds them out.
"""

from collections.abc import Iterator

from gmpy2 import mpz

from node.evm.bn254 import fp2, fp12, g1
from node.evm.bn254.field import B, P, T
from node.evm.bn254.fp2 import XI, Fp2
from node.evm.bn254.fp12 import Fp12

Point = tuple[Fp2, Fp2]
"""Affine coordinates below P; infinity is no value of this type."""

_ZERO = mpz(0)
_TWIST_B = fp2.divide((mpz(B), mpz(0)), XI)
_PSI_X = fp2.power(XI, (P - 1) // 3)
_PSI_Y = fp2.power(XI, (P - 1) // 2)

DOUBLE, _ADD, _SUBTRACT, _ADD_PSI, _SUBTRACT_PSI_2 = range(5)


class NotInSubgroup(Exception):
    """A point of the twist whose order is not R."""


def is_on_twist(point: Point) -> bool:
    """Return whether a point is on the twist; its order may be any."""
    x, y = point
    a, b = fp2.square(y)
    c, d = fp2.mul(fp2.square(x), x)
    return bool((a - c - _TWIST_B[0]) % P == 0 and (b - d - _TWIST_B[1]) % P == 0)


def psi(point: Point) -> Point:
    """Return the point to the power of P, seen from the twist: P times it, if it is in G2."""
    x, y = point
    return fp2.mul(fp2.conjugate(x), _PSI_X), fp2.mul(fp2.conjugate(y), _PSI_Y)


def _loop() -> tuple[int, ...]:
    """Return the steps from Q to (6 T + 2) Q + psi(Q) - psi^2(Q), by signed binary digits."""
    digits, rest = [], int(6 * T + 2)
    while rest:
        digit = 2 - rest % 4 if rest % 2 else 0
        digits.append(digit)
        rest = (rest - digit) // 2
    steps = []
    for digit in reversed(digits[:-1]):
        steps.append(DOUBLE)
        if digit:
            steps.append(_ADD if digit == 1 else _SUBTRACT)
    return (*steps, _ADD_PSI, _SUBTRACT_PSI_2)


STEPS = _loop()
"""The loop of the optimal ate pairing. Before each DOUBLE its accumulator is squared."""


def lines(q: Point, p: g1.Point) -> Iterator[Fp12]:
    """Yield for each of STEPS the value at p of the line through the points that it adds.

    1 if p is infinity. Raises NotInSubgroup, at the latest in place of the last value. That the
    loop's last point tells: it is -psi^3(q) if and only if q is in G2. psi^2 - (6 T^2 + 1) psi + P
    is zero on the whole twist; where 6 T + 2 + psi - psi^2 + psi^3 is zero as well, so is their
    resultant, whose common divisor with the number of points of the twist is R.
    """
    once = psi(q)
    twice = psi(once)
    addends = (q, q, _negative(q), once, _negative(twice))
    t = q
    for step in STEPS:
        addend = t if step == DOUBLE else addends[step]
        try:
            slope = _tangent(t) if step == DOUBLE else _chord(t, addend)
        except ZeroDivisionError:  # a small multiple of q is infinity
            raise NotInSubgroup from None
        third = _third(t, addend, slope)
        if step == _SUBTRACT_PSI_2 and third != _negative(psi(twice)):
            raise NotInSubgroup
        yield fp12.ONE if p is None else _line(slope, t, p)
        t = third


def _negative(point: Point) -> Point:
    x, (a, b) = point
    return x, (-a % P, -b % P)


def _tangent(point: Point) -> Fp2:
    x, (a, b) = point
    c, d = fp2.square(x)
    return fp2.divide((3 * c, 3 * d), (2 * a, 2 * b))


def _chord(left: Point, right: Point) -> Fp2:
    (a, b), (c, d) = left
    (e, f), (g, h) = right
    return fp2.divide((g - c, h - d), (e - a, f - b))


def _third(left: Point, right: Point, slope: Fp2) -> Point:
    (a, b), (c, d) = left
    (e, f), _ = right
    g, h = fp2.square(slope)
    x = ((g - a - e) % P, (h - b - f) % P)
    i, j = fp2.mul(slope, (a - x[0], b - x[1]))
    return x, ((i - c) % P, (j - d) % P)


def _line(slope: Fp2, through: Point, at: tuple[mpz, mpz]) -> Fp12:
    """Return y - slope x w + (slope t_x - t_y) w^3, the line through t at the point (x, y)."""
    x, (a, b) = through
    c, d = fp2.mul(slope, x)
    constant, constant_u = c - a, d - b
    minus_x = P - at[0]
    slope_x, slope_x_u = slope[0] * minus_x, slope[1] * minus_x
    # An element a + b u of Fp2 is a - 9 b + b w^6.
    w, w7 = (slope_x - 9 * slope_x_u) % P, slope_x_u % P
    w3, w9 = (constant - 9 * constant_u) % P, constant_u % P
    return fp12.from_coefficients([at[1], w, _ZERO, w3, _ZERO, _ZERO, _ZERO, w7, _ZERO, w9])
