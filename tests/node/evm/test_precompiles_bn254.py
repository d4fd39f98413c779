"""The bn254 precompiles beside py-evm's: output, gas and failure, on input of every kind."""

import pytest
from eth.vm.forks.cancun.computation import CANCUN_PRECOMPILES
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as reference

from node.evm.precompiles import Precompile, precompiles_for
from node.types.primitives import Address
from tests.node.evm.bn254_points import P_INT, R_INT, Reference, of_order, twist_point
from tests.node.evm.machine import Machine, word
from tests.node.evm.precompile_call import call

OURS = precompiles_for(is_prague=False, is_rollup=False, is_jovian=False, has_receipts=False)


def _both(number: int) -> tuple[Precompile, Precompile]:
    address = number.to_bytes(20, "big")
    return OURS[Address(address)], CANCUN_PRECOMPILES[address]


def _same(number: int, data: bytes) -> tuple[bytes, int] | None:
    ours, theirs = _both(number)
    result = call(ours, data)
    assert result == call(theirs, data)
    return result


def _g1(scalar: int) -> bytes:
    point = reference.multiply(reference.G1, scalar)
    x, y = (0, 0) if reference.is_inf(point) else reference.normalize(point)
    return word(int(x)) + word(int(y))


def _g2(point: Reference) -> bytes:
    if reference.is_inf(point):
        return bytes(128)
    return b"".join(
        word(int(part)) for value in reference.normalize(point) for part in reversed(value.coeffs)
    )


def _changed(data: bytes, at: int, value: int) -> bytes:
    """Replace one word."""
    return data[: 32 * at] + word(value) + data[32 * at + 32 :]


scalars = st.one_of(
    st.integers(0, 5),
    st.integers(0, 2**256 - 1),
    st.sampled_from([R_INT - 1, R_INT, R_INT + 1, 2**256 - 1]),
)
odd_words = st.sampled_from([0, 1, P_INT - 1, P_INT, P_INT + 1, P_INT + 2, 2**256 - 1])
points = st.one_of(
    st.builds(_g1, scalars),
    st.just(bytes(64)),
    st.builds(
        lambda scalar, at, value: _changed(_g1(scalar), at, value),
        scalars,
        st.integers(0, 1),
        odd_words,
    ),
    st.binary(min_size=64, max_size=64),
    st.just(b"\xff" * 64),
)
lengths = st.one_of(st.none(), st.integers(0, 200))


def _cut(data: bytes, size: int | None) -> bytes:
    """Make data as long as `size`, by cutting it or by adding ones."""
    return data if size is None else data[:size].ljust(size, b"\xff")


@given(points, points, lengths)
@settings(max_examples=120, deadline=None)
def test_add(left: bytes, right: bytes, size: int | None) -> None:
    _same(6, _cut(left + right, size))


@given(st.integers(1, 2**256))
@settings(max_examples=20, deadline=None)
def test_add_a_point_to_itself_and_its_opposite(scalar: int) -> None:
    point, opposite = _g1(scalar), _g1(R_INT - scalar % R_INT)
    assert _same(6, point + point) == (_g1(2 * scalar), 150)
    assert _same(6, point + opposite) == (bytes(64), 150)


@given(points, st.one_of(scalars.map(word), st.binary(max_size=40)), lengths)
@settings(max_examples=60, deadline=None)
def test_multiply(point: bytes, scalar: bytes, size: int | None) -> None:
    _same(7, _cut(point + scalar, size))


twist_points = st.one_of(
    st.builds(lambda scalar: _g2(reference.multiply(reference.G2, scalar)), scalars),
    st.just(bytes(128)),
    st.builds(lambda seed: _g2(twist_point(seed)), st.integers(0, 1000)),
    st.just(_g2(of_order(10069))),
    st.just(_g2(reference.add(of_order(5864401), reference.G2))),
    st.builds(
        lambda at, value: _changed(_g2(reference.G2), at, value), st.integers(0, 3), odd_words
    ),
    st.binary(min_size=128, max_size=128),
)


@given(st.lists(st.tuples(points, twist_points), max_size=2))
@settings(max_examples=12, deadline=None)
def test_pairing(pairs: list[tuple[bytes, bytes]]) -> None:
    _same(8, b"".join(p + q for p, q in pairs))


@pytest.mark.parametrize(
    ("terms", "is_one"),
    [
        ([], True),
        ([(1, 1)], False),
        ([(1, 1), (-1, 1)], True),
        ([(0, 1), (1, 0), (0, 0)], True),
        ([(6, 7), (-42, 1)], True),
        ([(6, 7), (-41, 1)], False),
        ([(2, 3), (4, 5), (-26, 1)], True),
    ],
)
def test_products_of_pairings(terms: list[tuple[int, int]], is_one: bool) -> None:
    data = b"".join(
        _g1(p % R_INT) + _g2(reference.multiply(reference.G2, q % R_INT)) for p, q in terms
    )
    ours, _ = _both(8)
    assert call(ours, data) == (word(is_one), 45_000 + 34_000 * len(terms))


@pytest.mark.parametrize(
    "data",
    [
        bytes(191),
        bytes(193),
        b"\xff" * 192,
        _g1(1) + _g2(twist_point(1)),
        bytes(64) + _g2(twist_point(1)),
        bytes(64) + _g2(of_order(10069)),
        _g1(1) + _g2(reference.add(of_order(10069), reference.G2)),
        _g1(1) + _changed(_g2(reference.G2), 1, 1),
        _changed(_g1(1), 1, 3) + bytes(128),
        _changed(_g1(1), 0, P_INT + 1) + bytes(128),
        bytes(64) + _changed(bytes(128), 3, P_INT),
    ],
    ids=[
        "short",
        "long",
        "ones",
        "not in G2",
        "not in G2, beside infinity",
        "small order",
        "G2 and small order",
        "not on the twist",
        "not on the curve",
        "coordinate above the prime",
        "zero written as the prime",
    ],
)
def test_pairing_refuses_and_burns_all_gas(data: bytes) -> None:
    assert _same(8, data) is None
    outcome = Machine().send(data, to=Address(word(8)[12:]), gas=1_000_000)
    assert (outcome.success, outcome.gas_left, outcome.output) == (False, 0, b"")


def test_gas_is_taken_before_the_work() -> None:
    data = (_g1(1) + _g2(reference.G2)) * 2
    assert Machine().send(data, to=Address(word(8)[12:]), gas=112_999).error == "out of gas"
    outcome = Machine().send(data, to=Address(word(8)[12:]), gas=113_000)
    assert (outcome.success, outcome.gas_left, outcome.output) == (True, 0, word(0))
