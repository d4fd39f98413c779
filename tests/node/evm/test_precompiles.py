"""Precompiled contracts: known answers, prices, limits by rule set, and hostile input."""

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth.precompiles import blake2b_fcompress
from hypothesis import given, settings
from hypothesis import strategies as st

from node.config import AttributionConfig, ChainConfig
from node.evm.interpreter import Outcome
from node.evm.rules import Rules, rules_at
from node.genesis import l2_genesis
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, keccak256
from node.types.transaction import SECP256K1_N
from tests.node.evm.machine import CANCUN, PRAGUE, Machine, word
from tests.node.evm.precompile_call import call
from tests.node.execution.signing import KEY, SENDER, sign

ISTHMUS_CONFIG = l2_genesis(chain_id=901, timestamp=0).config
JOVIAN_CONFIG = l2_genesis(chain_id=901, timestamp=0, min_base_fee=0).config
GAS = 10_000_000


def _holocene(config: ChainConfig) -> ChainConfig:
    assert config.rollup is not None
    return replace(config, prague_time=None, rollup=replace(config.rollup, isthmus_time=None))


ISTHMUS, JOVIAN = rules_at(ISTHMUS_CONFIG, 0), rules_at(JOVIAN_CONFIG, 0)
HOLOCENE = rules_at(_holocene(ISTHMUS_CONFIG), 0)


def _run(number: int, data: bytes, rules: Rules = PRAGUE, gas: int = GAS) -> Outcome:
    return Machine(rules).send(data, to=Address(number.to_bytes(20, "big")), gas=gas)


def _used(outcome: Outcome, gas: int = GAS) -> int:
    return gas - outcome.gas_left


def test_which_precompiles_a_rule_set_has() -> None:
    def numbers(rules: Rules) -> set[int]:
        return {int.from_bytes(address, "big") for address in rules.precompiles}

    assert numbers(CANCUN) == set(range(1, 11))
    assert numbers(PRAGUE) == set(range(1, 18))
    assert numbers(HOLOCENE) == {*range(1, 11), 0x100}
    assert numbers(ISTHMUS) == numbers(JOVIAN) == {*range(1, 18), 0x100}
    with_receipts = replace(ISTHMUS_CONFIG, attribution=AttributionConfig(0, 4, 1))
    assert ATTRIBUTION_ADDRESS in rules_at(with_receipts, 0).precompiles
    assert ATTRIBUTION_ADDRESS not in ISTHMUS.precompiles


# ECRECOVER


def _signature(v: int = 0, s: int | None = None) -> bytes:
    tx = sign(key=KEY)
    digest = tx.signing_hash()
    return digest + word(v or 27 + tx.y_parity) + word(tx.r) + word(tx.s if s is None else s)


def test_ecrecover_returns_the_signer() -> None:
    outcome = _run(1, _signature())
    assert outcome.output == SENDER.rjust(32, b"\x00")
    assert _used(outcome) == 3_000
    assert _run(1, _signature() + b"more is ignored").output == outcome.output


def test_ecrecover_accepts_the_upper_half() -> None:
    tx = sign(key=KEY)
    data = tx.signing_hash() + word(28 - tx.y_parity) + word(tx.r) + word(SECP256K1_N - tx.s)
    assert _run(1, data).output == SENDER.rjust(32, b"\x00")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _signature(v=26),
        _signature(v=29),
        _signature(v=2**255 + 27),
        _signature(s=0),
        _signature(s=SECP256K1_N),
        _signature()[:64],
    ],
)
def test_ecrecover_of_no_signature_returns_nothing(data: bytes) -> None:
    outcome = _run(1, data)
    assert (outcome.success, outcome.output, _used(outcome)) == (True, b"", 3_000)


@pytest.mark.parametrize(
    ("number", "digest", "gas"),
    [
        (2, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 60 + 12),
        (3, "00" * 12 + "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc", 600 + 120),
        (4, "616263", 15 + 3),
    ],
    ids=["sha256", "ripemd160", "identity"],
)
def test_hashes(number: int, digest: str, gas: int) -> None:
    outcome = _run(number, b"abc")
    assert (outcome.output.hex(), _used(outcome)) == (digest, gas)


# MODEXP


def _modexp(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    sizes = b"".join(word(len(part)) for part in (base, exponent, modulus))
    return sizes + base + exponent + modulus


def test_modexp_computes_and_pads() -> None:
    outcome = _run(5, _modexp(b"\x03", b"\x05", bytes(3) + b"\x64"))
    assert outcome.output == (243 % 100).to_bytes(4, "big")
    assert _used(outcome) == 200


@pytest.mark.parametrize(
    ("data", "output"),
    [
        (b"", b""),
        (_modexp(b"", b"", b""), b""),
        (_modexp(b"", b"", b"\x07"), b"\x01"),
        (_modexp(b"\x00", b"\x00", b"\x07"), b"\x01"),
        (_modexp(b"\x02", b"", b"\x01"), b"\x00"),
        (_modexp(b"\x02", b"\x03", b"\x00\x00"), b"\x00\x00"),
        (word(1) + word(1) + word(2) + b"\x03\x08\x01", b"\x00\xa1"),
        # What is missing is zero: the modulus reads 0x0100 here and nothing at all there.
        (word(1) + word(1) + word(1) + b"\x02", b"\x00"),
        (word(0) + word(2**200) + word(0), b""),
    ],
    ids=[
        "nothing",
        "empty",
        "0^0 of no bytes",
        "0^0",
        "modulo 1",
        "modulo 0",
        "cut modulus",
        "no modulus",
        "huge exponent of nothing",
    ],
)
def test_modexp_at_the_edges(data: bytes, output: bytes) -> None:
    outcome = _run(5, data)
    assert (outcome.success, outcome.output) == (True, output)
    assert _used(outcome) == 200


def test_modexp_is_priced_by_eip_2565() -> None:
    modulus = bytes([0xFF] * 64)
    outcome = _run(5, _modexp(bytes([2] * 64), bytes([0xFF] * 40), modulus))
    assert _used(outcome) == 8 * 8 * (8 * 8 + 255) // 3
    assert _run(5, word(2**64) + word(1) + word(1)).error == "out of gas"
    assert _run(5, word(1) + word(2**64) + word(1)).error == "out of gas"


numbers = st.one_of(
    st.integers(0, 5),
    st.integers(0, 2**90),
    st.integers(0, 2**600),
    st.integers(1990, 2010).map(lambda n: 2**n),
)


@given(numbers, numbers, numbers)
@settings(max_examples=100, deadline=None)
def test_modexp_is_python_s_pow(base: int, exponent: int, modulus: int) -> None:
    parts = [n.to_bytes((n.bit_length() + 7) // 8, "big") for n in (base, exponent, modulus)]
    output = _run(5, _modexp(*parts), gas=10**9).output
    assert len(output) == len(parts[2])
    assert int.from_bytes(output, "big") == (pow(base, exponent, modulus) if modulus else 0)


# Point evaluation


def test_point_evaluation_of_the_zero_polynomial() -> None:
    infinity = b"\xc0" + bytes(47)
    versioned = b"\x01" + hashlib.sha256(infinity).digest()[1:]
    data = versioned + word(5) + word(0) + infinity + infinity
    outcome = _run(10, data)
    assert outcome.output == word(4096) + word(
        0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    )
    assert _used(outcome) == 50_000
    wrong = {
        "size": data[:-1],
        "version": b"\x02" + data[1:],
        "value": versioned + word(5) + word(1) + infinity + infinity,
        "field": versioned + word(2**255) + word(0) + infinity + infinity,
        "proof": versioned + word(5) + word(0) + infinity + b"\xff" * 48,
    }
    for name, bad in wrong.items():
        outcome = _run(10, bad)
        assert (outcome.success, outcome.gas_left) == (False, 0), name


# P256VERIFY

P256_KEY = ec.derive_private_key(123_456_789, ec.SECP256R1())
P256_DIGEST = hashlib.sha256(b"message").digest()


def _p256() -> bytes:
    raw = P256_KEY.sign(P256_DIGEST, ec.ECDSA(Prehashed(SHA256())))
    r, s = decode_dss_signature(raw)
    point = P256_KEY.public_key().public_numbers()
    return P256_DIGEST + word(r) + word(s) + word(point.x) + word(point.y)


def test_p256_verifies() -> None:
    outcome = _run(0x100, _p256(), ISTHMUS)
    assert (outcome.output, _used(outcome)) == (word(1), 3_450)


def test_p256_of_anything_else_returns_nothing() -> None:
    good = _p256()
    bad = [good[:-1], good + b"\x00", b"", bytes(160), b"\x01" + good[1:]]
    bad += [good[:96] + word(1) + good[128:], good[:32] + word(2**256 - 1) + good[64:]]
    for data in bad:
        outcome = _run(0x100, data, ISTHMUS)
        assert (outcome.success, outcome.output, _used(outcome)) == (True, b"", 3_450)


def test_p256_is_no_precompile_on_ethereum() -> None:
    outcome = _run(0x100, _p256())
    assert (outcome.output, _used(outcome)) == (b"", 0)


# Limits


@pytest.mark.parametrize(
    ("number", "rules", "cap"),
    [
        (8, HOLOCENE, 112_687),
        (8, ISTHMUS, 112_687),
        (8, JOVIAN, 81_984),
        (12, ISTHMUS, 513_760),
        (12, JOVIAN, 288_960),
        (14, ISTHMUS, 488_448),
        (14, JOVIAN, 278_784),
        (15, ISTHMUS, 235_008),
        (15, JOVIAN, 156_672),
    ],
)
def test_a_rollup_caps_the_input(number: int, rules: Rules, cap: int) -> None:
    too_long = _run(number, bytes(cap + 1), rules)
    assert too_long.error == f"precompile input: expected at most {cap} bytes"
    assert too_long.gas_left == 0
    # At the cap the precompile itself looks at the input: it runs out of gas or refuses the size.
    within = _run(number, bytes(cap), rules, gas=1_000)
    assert within.error is not None
    assert "at most" not in within.error


def test_ethereum_has_no_caps() -> None:
    outcome = _run(8, bytes(192 * 600), gas=1_000)
    assert outcome.error == "out of gas"


def test_blake2_compresses() -> None:
    # EIP-152, test vector 5.
    state = (
        "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
        "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
    )
    message = "616263" + "00" * 125
    data = bytes.fromhex("0000000c" + state + message + "03" + "00" * 15 + "01")
    outcome = _run(9, data)
    assert outcome.output == hashlib.blake2b(b"abc").digest()
    assert _used(outcome) == 12


@given(
    st.integers(0, 50),
    st.binary(min_size=208, max_size=208),
    st.integers(0, 3),
    st.integers(212, 214),
)
@settings(max_examples=60, deadline=None)
def test_blake2_is_py_evm_s(rounds: int, words: bytes, final: int, size: int) -> None:
    data = (rounds.to_bytes(4, "big") + words + bytes([final]))[:size].ljust(size, b"\x00")
    address = Address((9).to_bytes(20, "big"))
    assert call(PRAGUE.precompiles[address], data) == call(blake2b_fcompress, data)


# Hostile input


@pytest.mark.parametrize("number", [*range(1, 18), 0x100])
@given(data=st.binary(max_size=300))
@settings(max_examples=25, deadline=None)
def test_no_input_breaks_a_precompile(number: int, data: bytes) -> None:
    outcome = _run(number, data, ISTHMUS, gas=200_000)
    assert outcome.gas_left <= 200_000
    assert keccak256(outcome.output)
