"""Fp2: pairs (a, b) of field elements, standing for a + b u where u^2 = -1."""

from gmpy2 import invert, mpz

from node.evm.bn254.field import P

Fp2 = tuple[mpz, mpz]

XI: Fp2 = (mpz(9), mpz(1))
"""9 + u, neither a square nor a cube: it makes the twist and the field Fp12."""


def mul(left: Fp2, right: Fp2) -> Fp2:
    """Return the product."""
    a, b = left
    c, d = right
    return (a * c - b * d) % P, (a * d + b * c) % P


def square(value: Fp2) -> Fp2:
    """Return the square."""
    a, b = value
    return (a + b) * (a - b) % P, 2 * a * b % P


def divide(left: Fp2, right: Fp2) -> Fp2:
    """Return the quotient; ZeroDivisionError if the divisor is 0."""
    a, b = right
    inverse = invert(a * a + b * b, P)
    return mul(left, (a * inverse, -b * inverse))


def conjugate(value: Fp2) -> Fp2:
    """Return the P-th power."""
    a, b = value
    return a, -b % P


def power(value: Fp2, exponent: int) -> Fp2:
    """Return the power; the exponent is not negative."""
    result: Fp2 = (mpz(1), mpz(0))
    for bit in bin(exponent)[2:]:
        result = square(result)
        if bit == "1":
            result = mul(result, value)
    return result
