"""G1: the curve's points over the prime field, all of them of order R (or infinity)."""

from gmpy2 import invert, mpz

from node.evm.bn254.field import B, P, R, T

Point = tuple[mpz, mpz] | None
"""Affine coordinates below P; None is infinity."""

BETA = 18 * T**3 + 18 * T**2 + 9 * T + 1
"""A cube root of 1 modulo P: (BETA x, y) is LAMBDA times (x, y)."""

LAMBDA = 36 * T**3 + 18 * T**2 + 6 * T + 1
"""A cube root of 1 modulo R."""


def is_on_curve(x: mpz, y: mpz) -> bool:
    """Return whether (x, y), both below P, is a finite point of the curve."""
    return bool((y * y - x * x * x - B) % P == 0)


def add(left: Point, right: Point) -> Point:
    """Return the sum of two points of the curve."""
    if left is None:
        return right
    if right is None:
        return left
    x, y = left
    other_x, other_y = right
    if x == other_x:
        return double(left) if y == other_y else None
    slope = (other_y - y) * invert(other_x - x, P) % P
    third_x = (slope * slope - x - other_x) % P
    return third_x, (slope * (x - third_x) - y) % P


def double(point: Point) -> Point:
    """Return twice a point of the curve."""
    if point is None:
        return None
    x, y = point  # y is not 0: the order of the group is odd
    slope = 3 * x * x * invert(2 * y, P) % P
    third_x = (slope * slope - 2 * x) % P
    return third_x, (slope * (x - third_x) - y) % P


def multiply(point: Point, scalar: int) -> Point:
    """Return the point added to itself `scalar` times; the scalar is not negative.

    Split in two (Gallant, Lambert, Vanstone), the scalar costs half the doublings; the halves are
    read side by side, two bits of each at a time.
    """
    if point is None:
        return None
    x, y = point
    first, second = _halves(scalar % R)
    image = (x * BETA % P, y if second >= 0 else P - y)
    second = abs(second)
    sums = _sums(point, image)
    product: Point = None
    top = max(first.bit_length(), second.bit_length())
    for at in range(top - top % 2, -1, -2):
        product = double(double(product))
        product = add(product, sums[first >> at & 3][second >> at & 3])
    return product


def _halves(scalar: mpz) -> tuple[mpz, mpz]:
    """Split a scalar below R into a + b LAMBDA modulo R, where 0 <= a and both are below 2^128.

    (6 T^2 + 4 T + 1, 2 T + 1) and (2 T + 1, -6 T^2 - 2 T) are splits of 0, whose determinant is R:
    of both as much is taken from (scalar, 0) as fits.
    """
    long, short, other = 6 * T**2 + 4 * T + 1, 2 * T + 1, 6 * T**2 + 2 * T
    first, second = scalar * other // R, scalar * short // R
    return scalar - first * long - second * short, second * other - first * short


def _sums(left: Point, right: Point) -> list[list[Point]]:
    """Return i times left + j times right at [i][j], both below 4."""
    row: list[Point] = [None, right, double(right)]
    row.append(add(row[2], right))
    rows = [row]
    for _ in range(3):
        rows.append([add(left, point) for point in rows[-1]])
    return rows
