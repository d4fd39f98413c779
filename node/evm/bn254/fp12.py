"""Fp12: polynomials in w below degree 12, modulo w^12 - 18 w^6 + 82.

w^6 is 9 + u, so that Fp2 is spanned by 1 and w^6. An element is one big integer: its coefficients,
each below P, lie side by side in slots of 544 bits. A product of polynomials is then one product of
integers, made at GMP's speed, instead of 144 made at Python's (Kronecker's substitution). The slots
never run over: a product's coefficient is below 12 P^2 < 2^512, what `_reduce` adds makes it less
than 2^525, and nothing below is ever negative.
"""

from collections.abc import Sequence
from typing import TypeAlias

from gmpy2 import mpz, pack, unpack

from node.evm.bn254 import fp2
from node.evm.bn254.field import P
from node.evm.bn254.fp2 import Fp2

Fp12: TypeAlias = mpz

_SLOT = 544
_HALF = 6 * _SLOT
_HALF_MASK = (mpz(1) << _HALF) - 1
_LIFT = pack([P << 270] * 6, _SLOT)
"""0 modulo P in each slot, above all that `_reduce` subtracts."""

ONE: Fp12 = mpz(1)
W: Fp12 = mpz(1) << _SLOT


def from_coefficients(coefficients: Sequence[mpz]) -> Fp12:
    """Return the element with these coefficients (up to 12, of 1 first), each below P."""
    return pack(coefficients, _SLOT)


def coefficients(element: Fp12) -> list[mpz]:
    """Return the twelve coefficients."""
    slots: list[mpz] = unpack(element, _SLOT)
    return slots + [mpz(0)] * (12 - len(slots))


def mul(left: Fp12, right: Fp12) -> Fp12:
    """Return the product; a square, if both are the same, costs GMP less."""
    return _reduce(left * right)


def power(element: Fp12, exponent: int) -> Fp12:
    """Return the power; the exponent is not negative."""
    result = ONE
    for bit in bin(exponent)[2:]:
        result = mul(result, result)
        if bit == "1":
            result = mul(result, element)
    return result


def _reduce(product: mpz) -> Fp12:
    """Bring 23 slots down to 12, by w^12 = 18 w^6 - 82 and so w^18 = 242 w^6 - 1476."""
    first = product & _HALF_MASK
    second = (product >> _HALF) & _HALF_MASK
    third = (product >> 2 * _HALF) & _HALF_MASK
    fourth = product >> 3 * _HALF
    low = first + _LIFT - 82 * third - 1476 * fourth
    high = second + 18 * third + 242 * fourth
    return _modulo(low | (high << _HALF))


def _modulo(slots: mpz) -> Fp12:
    return pack([slot % P for slot in unpack(slots, _SLOT)], _SLOT)


Endomorphism = tuple[Fp12, ...]
"""A map that keeps sums and products, as the images of 1, w, w^2, ..., w^11."""


def _endomorphism(image_of_w: Fp12) -> Endomorphism:
    images = [ONE]
    for _ in range(11):
        images.append(mul(images[-1], image_of_w))
    return tuple(images)


def apply(endomorphism: Endomorphism, element: Fp12) -> Fp12:
    """Return the image of an element."""
    pairs = zip(unpack(element, _SLOT), endomorphism, strict=False)  # the highest slots may be 0
    return _modulo(sum(coefficient * image for coefficient, image in pairs))


FROBENIUS = _endomorphism(power(W, P))
"""To the power of P."""

FROBENIUS_2 = _endomorphism(apply(FROBENIUS, FROBENIUS[1]))
"""To the power of P^2."""

FROBENIUS_3 = _endomorphism(apply(FROBENIUS, FROBENIUS_2[1]))
"""To the power of P^3."""

CONJUGATION = _endomorphism((P - 1) << _SLOT)
"""To the power of P^6: w becomes -w. Where the pairing's values are, this is the inverse."""


def inverse(element: Fp12) -> Fp12:
    """Return 1 / element; ZeroDivisionError if it is 0.

    The product of the element with its conjugates over Fp2 is in Fp2, where dividing is easy.
    """
    conjugate = apply(CONJUGATION, element)
    over_fp6 = mul(element, conjugate)
    once = apply(FROBENIUS_2, over_fp6)
    others = mul(once, apply(FROBENIUS_2, once))
    norm = coefficients(mul(over_fp6, others))
    inverted = fp2.divide((mpz(1), mpz(0)), (norm[0] + 9 * norm[6], norm[6]))
    return mul(mul(conjugate, others), from_fp2(inverted))


def from_fp2(value: Fp2) -> Fp12:
    """Return a + b u as a - 9 b + b w^6."""
    a, b = value
    return (a - 9 * b) % P | (b << _HALF)
