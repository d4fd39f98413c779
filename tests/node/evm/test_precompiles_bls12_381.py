"""The BLS12-381 precompiles beside py-evm's: output, gas and failure, on input of every kind."""

import pytest
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.bls.hash_to_curve import map_to_curve_G1, map_to_curve_G2
from py_ecc.optimized_bls12_381 import (
    FQ,
    FQ2,
    G1,
    G2,
    curve_order,
    field_modulus,
    is_inf,
    multiply,
    normalize,
)

from node.evm.precompiles import Precompile, precompiles_for
from node.types.primitives import Address
from tests.node.evm.machine import Machine, word
from tests.node.evm.precompile_call import call

OURS = precompiles_for(is_prague=True, is_rollup=False, is_jovian=False, has_receipts=False)
G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, MAP_FP, MAP_FP2 = range(11, 18)
ALL = (G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, MAP_FP, MAP_FP2)


def _ours(number: int) -> Precompile:
    return OURS[Address(number.to_bytes(20, "big"))]


def _same(number: int, data: bytes) -> tuple[bytes, int] | None:
    result = call(_ours(number), data)
    assert result == call(PRAGUE_PRECOMPILES[number.to_bytes(20, "big")], data)
    return result


def _fp(value: int) -> bytes:
    return value.to_bytes(64, "big")


def _point(point: tuple[FQ, FQ, FQ] | tuple[FQ2, FQ2, FQ2]) -> bytes:
    """Write a point of either curve as EIP-2537 does."""
    if is_inf(point):
        return bytes(128 if isinstance(point[0], FQ) else 256)
    parts = [
        int(part)
        for value in normalize(point)
        for part in ([value] if isinstance(value, FQ) else value.coeffs)
    ]
    return b"".join(map(_fp, parts))


def _g1(scalar: int) -> bytes:
    return _point(multiply(G1, scalar))


def _g2(scalar: int) -> bytes:
    return _point(multiply(G2, scalar))


def _of_curve(seed: int) -> bytes:
    """Return a point of the first curve that is not in G1."""
    return _point(map_to_curve_G1(FQ(seed)))


def _of_twist(seed: int) -> bytes:
    """Return a point of the twist that is not in G2."""
    return _point(map_to_curve_G2(FQ2([seed, 1])))


def _changed(data: bytes, at: int, value: int) -> bytes:
    """Replace one field element."""
    return data[: 64 * at] + _fp(value) + data[64 * at + 64 :]


scalars = st.one_of(
    st.integers(0, 5),
    st.integers(0, 2**256 - 1),
    st.sampled_from([curve_order - 1, curve_order, curve_order + 1, 2**256 - 1]),
)
odd_elements = st.one_of(
    st.sampled_from([0, 1, field_modulus - 1, field_modulus, 2**383, 2**384 - 1, 2**512 - 1]),
    st.integers(0, 2**512 - 1),
)
members_1 = st.builds(_g1, scalars)
members_2 = st.builds(_g2, st.integers(0, 2**20))
others_1 = st.one_of(
    st.builds(_of_curve, st.integers(0, 1000)),
    st.builds(lambda at, value: _changed(_g1(7), at, value), st.integers(0, 1), odd_elements),
    st.just(b"\xff" * 128),
)
others_2 = st.one_of(
    st.builds(_of_twist, st.integers(0, 1000)),
    st.builds(lambda at, value: _changed(_g2(7), at, value), st.integers(0, 3), odd_elements),
    st.just(b"\xff" * 256),
)
points_1, points_2 = st.one_of(members_1, others_1), st.one_of(members_2, others_2)
terms_1 = st.tuples(points_1, scalars.map(word)).map(b"".join)
terms_2 = st.tuples(points_2, scalars.map(word)).map(b"".join)


@given(points_1, points_1)
@settings(max_examples=40, deadline=None)
def test_g1_add(left: bytes, right: bytes) -> None:
    _same(G1_ADD, left + right)
    _same(G1_ADD, left + left)


@given(points_2, points_2)
@settings(max_examples=30, deadline=None)
def test_g2_add(left: bytes, right: bytes) -> None:
    _same(G2_ADD, left + right)
    _same(G2_ADD, left + left)


@given(st.lists(terms_1, min_size=1, max_size=3))
@settings(max_examples=20, deadline=None)
def test_g1_msm(terms: list[bytes]) -> None:
    _same(G1_MSM, b"".join(terms))


@given(st.lists(terms_2, min_size=1, max_size=2))
@settings(max_examples=8, deadline=None)
def test_g2_msm(terms: list[bytes]) -> None:
    _same(G2_MSM, b"".join(terms))


@given(st.one_of(st.integers(0, field_modulus - 1), odd_elements))
@settings(max_examples=30, deadline=None)
def test_map_fp(element: int) -> None:
    _same(MAP_FP, _fp(element))


@given(st.integers(0, field_modulus - 1), odd_elements)
@settings(max_examples=8, deadline=None)
def test_map_fp2(first: int, second: int) -> None:
    _same(MAP_FP2, _fp(first) + _fp(second))
    _same(MAP_FP2, _fp(second) + _fp(first))


@pytest.mark.parametrize(
    ("terms", "is_one"),
    [
        ([(1, 1)], False),
        ([(0, 1), (1, 0), (0, 0)], True),
        ([(6, 7), (-42, 1)], True),
        ([(6, 7), (-41, 1)], False),
    ],
)
def test_pairing(terms: list[tuple[int, int]], is_one: bool) -> None:
    data = b"".join(_g1(p % curve_order) + _g2(q % curve_order) for p, q in terms)
    assert _same(PAIRING, data) == (word(is_one), 37_700 + 32_600 * len(terms))


@pytest.mark.parametrize(
    "data",
    [
        _of_curve(5) + _g2(1),
        _of_curve(5) + bytes(256),
        _g1(1) + _of_twist(5),
        bytes(128) + _of_twist(5),
        _changed(_g1(1), 1, 1) + bytes(256),
        bytes(128) + _changed(_g2(1), 3, 1),
        bytes(128) + _changed(bytes(256), 0, field_modulus),
        b"\xff" * 384,
        bytes(383),
        b"",
    ],
    ids=[
        "not in G1",
        "not in G1, beside infinity",
        "not in G2",
        "not in G2, beside infinity",
        "not on the curve",
        "not on the twist",
        "zero written as the prime",
        "ones",
        "short",
        "empty",
    ],
)
def test_pairing_refuses_and_burns_all_gas(data: bytes) -> None:
    assert _same(PAIRING, data) is None
    outcome = Machine().send(data, to=Address(word(PAIRING)[12:]), gas=1_000_000)
    assert (outcome.success, outcome.gas_left, outcome.output) == (False, 0, b"")


@pytest.mark.parametrize("number", ALL)
def test_sizes_that_are_wrong(number: int) -> None:
    sizes = {G1_ADD: 256, G1_MSM: 160, G2_ADD: 512, G2_MSM: 288, PAIRING: 384, MAP_FP: 64}
    size = sizes.get(number, 128)
    assert _same(number, bytes(size)) is not None
    for wrong in (0, 1, size - 1, size + 1):
        assert _same(number, bytes(wrong)) is None
    assert (_same(number, bytes(2 * size)) is None) == (number in (G1_ADD, G2_ADD, MAP_FP, MAP_FP2))


def test_a_sum_leaves_the_subgroup_alone() -> None:
    point = _of_curve(9)
    assert call(_ours(G1_ADD), point + bytes(128)) == (point, 375)
    assert call(_ours(G1_MSM), point + word(1)) is None
    point = _of_twist(9)
    assert call(_ours(G2_ADD), point + bytes(256)) == (point, 600)
    assert call(_ours(G2_MSM), point + word(1)) is None


@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 400])
def test_the_price_of_many_terms(count: int) -> None:
    # Sums of the generator's multiples: 0 + 1 + ... times it. The discount ends at 128 terms.
    total = count * (count - 1) // 2
    discounts = {1: (1000, 1000), 2: (949, 1000), 127: (520, 524)}
    first, second = discounts.get(count, (519, 524))
    terms_1 = b"".join(_g1(1) + word(scalar) for scalar in range(count))
    terms_2 = b"".join(_g2(1) + word(scalar) for scalar in range(count))
    assert call(_ours(G1_MSM), terms_1) == (_g1(total), count * 12_000 * first // 1000)
    assert call(_ours(G2_MSM), terms_2) == (_g2(total), count * 22_500 * second // 1000)


@pytest.mark.parametrize("number", ALL)
@given(data=st.binary(max_size=600))
@settings(max_examples=25, deadline=None)
def test_no_input_breaks_them(number: int, data: bytes) -> None:
    call(_ours(number), data)
