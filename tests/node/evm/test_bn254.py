"""bn254 beside py_ecc, and the claims that its shortcuts stand on."""

from math import gcd, prod

import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as reference

from node.errors import OutOfTime
from node.evm.bn254 import fp2, fp12, g1, g2, pairing
from node.evm.bn254.field import P, R, T
from tests.node.evm.bn254_points import (
    COFACTOR,
    COFACTOR_PRIMES,
    P_INT,
    R_INT,
    Reference,
    of_order,
    ours,
    twist_point,
)

GENERATOR = (mpz(1), mpz(2))
G2 = ours(reference.G2)

scalars = st.one_of(
    st.integers(0, 20),
    st.integers(0, 2**256 - 1),
    st.builds(lambda n: R_INT + n, st.integers(-3, 3)),
    st.builds(lambda n: int(g1.LAMBDA) + n, st.integers(-3, 3)),
)
elements = st.lists(st.integers(0, P_INT - 1), min_size=12, max_size=12)


def _g1_reference(point: g1.Point) -> object:
    return reference.Z1 if point is None else (*map(reference.FQ, map(int, point)), reference.FQ(1))


def _g1_ours(point: tuple[reference.FQ, reference.FQ, reference.FQ]) -> g1.Point:
    if reference.is_inf(point):
        return None
    x, y = reference.normalize(point)
    return mpz(int(x)), mpz(int(y))


def test_the_numbers_are_the_curve_s() -> None:
    assert (reference.field_modulus, reference.curve_order) == (P, R)
    assert prod(COFACTOR_PRIMES) == COFACTOR


# G1


@given(scalars)
@settings(max_examples=40, deadline=None)
def test_multiply_is_the_reference_s(scalar: int) -> None:
    expected = reference.multiply(reference.G1, scalar)
    assert g1.multiply(GENERATOR, scalar) == _g1_ours(expected)


@given(scalars, scalars)
@settings(max_examples=40, deadline=None)
def test_add_is_the_reference_s(left: int, right: int) -> None:
    a, b = g1.multiply(GENERATOR, left), g1.multiply(GENERATOR, right)
    assert g1.add(a, b) == _g1_ours(reference.add(_g1_reference(a), _g1_reference(b)))
    assert g1.add(a, b) == g1.multiply(GENERATOR, left + right)


def test_g1_at_the_edges() -> None:
    opposite = (GENERATOR[0], P - GENERATOR[1])
    assert g1.add(GENERATOR, opposite) is None
    assert g1.add(None, None) is None
    assert g1.add(GENERATOR, None) == g1.add(None, GENERATOR) == GENERATOR
    assert g1.add(GENERATOR, GENERATOR) == g1.double(GENERATOR) == g1.multiply(GENERATOR, 2)
    assert g1.double(None) is None
    assert g1.multiply(None, 5) is None
    assert g1.multiply(GENERATOR, 0) is None
    assert g1.multiply(GENERATOR, R_INT) is None
    assert g1.multiply(GENERATOR, R_INT - 1) == opposite


@given(st.integers(0, R_INT - 1))
@settings(max_examples=200, deadline=None)
def test_a_scalar_s_halves_are_small(scalar: int) -> None:
    first, second = g1._halves(mpz(scalar))
    assert (first + second * g1.LAMBDA - scalar) % R == 0
    assert 0 <= first < 2**128
    assert abs(second) < 2**128


# Fields


@given(elements, elements)
@settings(max_examples=40, deadline=None)
def test_fp12_multiplies_as_the_reference(left: list[int], right: list[int]) -> None:
    product = fp12.mul(_element(left), _element(right))
    expected = reference.FQ12(left) * reference.FQ12(right)
    assert fp12.coefficients(product) == [int(value) for value in expected.coeffs]


def _element(coefficients: list[int]) -> fp12.Fp12:
    return fp12.from_coefficients([mpz(value) for value in coefficients])


def test_fp12_never_overflows_a_slot() -> None:
    largest = [P_INT - 1] * 12
    expected = reference.FQ12(largest) * reference.FQ12(largest)
    product = fp12.mul(_element(largest), _element(largest))
    assert fp12.coefficients(product) == [int(value) for value in expected.coeffs]


@given(elements)
@settings(max_examples=10, deadline=None)
def test_fp12_maps_are_powers(coefficients: list[int]) -> None:
    element = _element(coefficients)
    power = fp12.power(element, P)
    assert fp12.apply(fp12.FROBENIUS, element) == power
    power = fp12.power(power, P)
    assert fp12.apply(fp12.FROBENIUS_2, element) == power
    power = fp12.power(power, P)
    assert fp12.apply(fp12.FROBENIUS_3, element) == power
    assert fp12.apply(fp12.FROBENIUS_3, power) == fp12.apply(fp12.CONJUGATION, element)
    if any(coefficients):
        assert fp12.mul(element, fp12.inverse(element)) == fp12.ONE


def test_zero_has_no_inverse() -> None:
    with pytest.raises(ZeroDivisionError):
        fp12.inverse(mpz(0))
    with pytest.raises(ZeroDivisionError):
        fp2.divide(fp2.XI, (mpz(0), mpz(0)))


@given(st.tuples(*[st.integers(0, P_INT - 1)] * 4))
@settings(max_examples=40, deadline=None)
def test_fp2_lies_in_fp12(parts: tuple[int, int, int, int]) -> None:
    a, b, c, d = map(mpz, parts)
    product = fp2.mul((a, b), (c, d))
    assert fp12.from_fp2(product) == fp12.mul(fp12.from_fp2((a, b)), fp12.from_fp2((c, d)))
    assert fp2.mul((a, b), (a, b)) == fp2.square((a, b))
    if c or d:
        quotient = fp2.divide((a, b), (c, d))
        assert fp2.mul(quotient, (c, d)) == (a, b)


# G2


def test_the_loop_s_last_point_tells_who_is_in_g2() -> None:
    # 6 T + 2 + psi - psi^2 + psi^3 leaves a psi + b when divided by psi^2 - t psi + P.
    t = 6 * T**2 + 1
    a, b = 1 - t + t * t - P, 6 * T + 2 + P - t * P
    resultant = b * b + a * b * t + a * a * P
    assert gcd(int(resultant), R_INT * COFACTOR) == R_INT
    assert COFACTOR % R_INT
    assert (6 * T + 2 + P - P**2 + P**3) % R == 0


@pytest.mark.parametrize("factor", [1, 2, 3, 2**64, R_INT - 1])
def test_points_of_g2_are_taken(factor: int) -> None:
    point = ours(reference.multiply(reference.G2, factor))
    assert g2.is_on_twist(point)
    assert len(list(g2.lines(point, None))) == len(g2.STEPS)


@pytest.mark.parametrize("prime", COFACTOR_PRIMES)
def test_points_of_other_orders_are_refused(prime: int) -> None:
    alone = of_order(prime)
    _refuses(alone)
    _refuses(reference.add(alone, reference.G2))


@given(st.integers(0, P_INT - 1))
@settings(max_examples=10, deadline=None)
def test_points_of_the_twist_are_refused(seed: int) -> None:
    _refuses(twist_point(seed))


def _refuses(point: Reference) -> None:
    assert g2.is_on_twist(ours(point))
    for beside in (GENERATOR, None):
        with pytest.raises(g2.NotInSubgroup):
            pairing.is_product_one([(beside, ours(point))])


def test_psi_multiplies_by_p() -> None:
    expected = reference.multiply(reference.G2, P_INT % R_INT)
    assert g2.psi(G2) == ours(expected)


# Pairing


@given(elements)
@settings(max_examples=3, deadline=None)
def test_the_final_power_is_the_reference_s(coefficients: list[int]) -> None:
    if any(coefficients):
        expected = reference.final_exponentiate(reference.FQ12(coefficients))
        power = pairing.final_power(_element(coefficients))
        assert fp12.coefficients(power) == [int(value) for value in expected.coeffs]


@given(st.integers(1, R_INT - 1), st.integers(1, R_INT - 1))
@settings(max_examples=10, deadline=None)
def test_the_pairing_is_bilinear(a: int, b: int) -> None:
    left, right = g1.multiply(GENERATOR, a), ours(reference.multiply(reference.G2, b))
    opposite = g1.multiply(GENERATOR, R_INT - a * b % R_INT)
    assert pairing.is_product_one([(left, right), (opposite, G2)])
    assert not pairing.is_product_one([(left, right)])
    assert not pairing.is_product_one([(left, right), (g1.add(opposite, GENERATOR), G2)])


def test_pairings_of_infinity_are_one() -> None:
    assert pairing.is_product_one([])
    assert pairing.is_product_one([(None, G2), (GENERATOR, None), (None, None)])


def test_a_pairing_of_many_pairs_can_be_interrupted() -> None:
    looks = 0

    def interrupt() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise OutOfTime("enough")

    with pytest.raises(OutOfTime):
        pairing.is_product_one([(GENERATOR, G2)] * 2, interrupt)
    assert looks == 3
