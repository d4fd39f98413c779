"""The optimal ate pairing of bn254, as far as EIP-197 needs it: is a product of pairings one?"""

from collections.abc import Sequence

from node.evm.bn254 import fp12, g1, g2
from node.evm.bn254.field import T
from node.evm.bn254.fp12 import (
    CONJUGATION,
    FROBENIUS,
    FROBENIUS_2,
    FROBENIUS_3,
    Fp12,
    apply,
    mul,
)
from node.evm.environment import Interrupt, no_interrupt


def is_product_one(
    pairs: Sequence[tuple[g1.Point, g2.Point | None]], interrupt: Interrupt = no_interrupt
) -> bool:
    """Return whether the pairings of these points multiply to one.

    All points are on their curves; NotInSubgroup if one of the twist is not in G2. A thousand pairs
    take a second: `interrupt` is called now and then.
    """
    finite = [(p, q) for p, q in pairs if q is not None]
    return bool(final_power(_loops(finite, interrupt)) == fp12.ONE)


def _loops(pairs: Sequence[tuple[g1.Point, g2.Point]], interrupt: Interrupt) -> Fp12:
    """Run the loops of all pairs side by side, so that they share the squarings."""
    values = [g2.lines(q, p) for p, q in pairs]
    accumulator = fp12.ONE
    for step in g2.STEPS:
        interrupt()
        if step == g2.DOUBLE:
            accumulator = mul(accumulator, accumulator)
        for value in values:
            accumulator = mul(accumulator, next(value))
    return accumulator


def final_power(value: Fp12) -> Fp12:
    """Return the value to the power of (P^12 - 1) / R.

    That is P^6 - 1, then P^2 + 1, which are easy, then (P^4 - P^2 + 1) / R by its digits in base P,
    which are polynomials in T, along the addition chain of Scott et al., "On the final
    exponentiation for calculating pairings on ordinary elliptic curves" (2009), section 5.
    """
    value = mul(apply(CONJUGATION, value), fp12.inverse(value))
    value = mul(apply(FROBENIUS_2, value), value)
    to_t = fp12.power(value, T)
    to_t2 = fp12.power(to_t, T)
    to_t3 = fp12.power(to_t2, T)
    powers = (apply(FROBENIUS, value), apply(FROBENIUS_2, value), apply(FROBENIUS_3, value))
    y0 = mul(mul(powers[0], powers[1]), powers[2])
    y1 = _inverse(value)
    y2 = apply(FROBENIUS_2, to_t2)
    y3 = _inverse(apply(FROBENIUS, to_t))
    y4 = _inverse(mul(to_t, apply(FROBENIUS, to_t2)))
    y5 = _inverse(to_t2)
    y6 = _inverse(mul(to_t3, apply(FROBENIUS, to_t3)))
    # y0 y1^2 y2^6 y3^12 y4^18 y5^30 y6^36
    inner = mul(mul(mul(y6, y6), y4), y5)
    outer = mul(mul(y3, y5), inner)
    inner = mul(inner, y2)
    outer = mul(mul(outer, outer), inner)
    outer = mul(outer, outer)
    inner = mul(outer, y1)
    outer = mul(outer, y0)
    return mul(mul(inner, inner), outer)


def _inverse(unit: Fp12) -> Fp12:
    """Return the inverse of a (P^6 - 1)-th power."""
    return apply(CONJUGATION, unit)
