"""Points of bn254's twist, in G2 and outside of it, made by py_ecc: the reference."""

from gmpy2 import mpz
from py_ecc import optimized_bn128 as reference

from node.evm.bn254 import g2
from node.evm.bn254.field import P, R

P_INT, R_INT = int(P), int(R)
COFACTOR_PRIMES = (
    10069,
    5864401,
    1875725156269,
    197620364512881247228717050342013327560683201906968909,
)
"""The twist has R times these many points."""

COFACTOR = 2 * P_INT - R_INT

Reference = tuple[reference.FQ2, reference.FQ2, reference.FQ2]


def twist_point(seed: int) -> Reference:
    """Return the first point of the twist whose x is `seed` or one of the next numbers, plus u."""
    x = reference.FQ2([seed, 1])
    y = None
    while y is None:
        x += reference.FQ2.one()
        y = _root(x * x * x + reference.b2)
    point = (x, y, reference.FQ2.one())
    assert reference.is_on_curve(point, reference.b2)
    return point


def _root(square: reference.FQ2) -> reference.FQ2 | None:
    """Return a square root in Fp2 (Scott's complex method; P is 3 modulo 4)."""
    a, b = (int(part) for part in square.coeffs)
    norm = pow(a * a + b * b, (P_INT + 1) // 4, P_INT)
    for sign in (norm, -norm):
        half = (a + sign) * pow(2, -1, P_INT) % P_INT
        real = pow(half, (P_INT + 1) // 4, P_INT)
        if real:
            root = reference.FQ2([real, b * pow(2 * real, -1, P_INT) % P_INT])
            if root * root == square:
                return root
    return None


def of_order(prime: int, seed: int = 1) -> Reference:
    """Return a point of the twist whose order is a prime factor of their number."""
    while True:
        point: Reference = reference.multiply(twist_point(seed), COFACTOR * R_INT // prime)
        if not reference.is_inf(point):
            return point
        seed += 1000


def ours(point: Reference) -> g2.Point:
    """Return a finite point as our code has it."""
    x, y = reference.normalize(point)
    (a, b), (c, d) = x.coeffs, y.coeffs
    return (mpz(int(a)), mpz(int(b))), (mpz(int(c)), mpz(int(d)))
