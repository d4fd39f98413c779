"""FastLZ and TransactionShape, against the node's own codecs."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.artifacts import load_artifact
from node.errors import InvalidInput
from node.genesis import GenesisAccount
from node.types.fastlz import fastlz_length
from node.types.primitives import Address
from node.types.transaction import decode_signed_transaction
from tests.contracts.priced_chain import Draft, open_priced_chain, random_data
from tests.contracts.rollup import L2Contract

PROBE = Address(b"\x70" * 20)


@pytest.fixture(scope="module")
def probe() -> Iterator[L2Contract]:
    code = load_artifact("Probe").deployed_bytecode
    contracts = {PROBE: GenesisAccount(nonce=1, code=code)}
    with open_priced_chain(is_jovian=False, contracts=contracts) as rollup:
        yield L2Contract(rollup, "Probe", PROBE)


def check_length(probe: L2Contract, data: bytes) -> None:
    assert probe.read("compressedLength", data) == fastlz_length(data)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([b"\x00", b"\x01ab", b"abcdef", bytes(40), b"\xff\x00", bytes(263)])),
    st.binary(max_size=60),
    st.integers(0, 400),
)
def test_fastlz_of_repetitions(
    probe: L2Contract, parts: list[bytes], tail: bytes, again: int
) -> None:
    raw = b"".join(parts) + tail
    check_length(probe, raw + raw[:again])


def test_fastlz_of_calldata(probe: L2Contract) -> None:
    random = Random(1)
    for _ in range(150):
        check_length(probe, random_data(random))


@pytest.mark.parametrize("size", [*range(36), 255, 256, 262, 263, 264, 275, 524, 525, 538])
def test_fastlz_around_its_limits(probe: L2Contract, size: int) -> None:
    for data in (bytes(size), bytes(i % 251 for i in range(size)), b"abc" * (size // 3) + b"x"):
        check_length(probe, data)


@pytest.mark.parametrize(
    "gap", [8_170, 8_171, 8_172, 8_188, 8_189, 8_190, 8_191, 8_192, 8_193, 9_000]
)
def test_fastlz_matches_reach_back_no_further_than_the_window(probe: L2Contract, gap: int) -> None:
    noise = Random(gap).randbytes(gap)
    needle = b"needle in a haystack"
    check_length(probe, noise[:5] + needle + noise[: gap - len(needle)] + needle + bytes(20))


def test_fastlz_of_long_inputs(probe: L2Contract) -> None:
    """Places above 2**16, long matches, and hashes of which several meet in a slot."""
    random = Random(3)
    noise = random.randbytes(30_000)
    check_length(probe, bytes(100_000) + noise[:500] + bytes(2_000) + noise[:500])
    check_length(probe, noise)
    check_length(probe, bytes(random.choice(b"ab") for _ in range(8_000)))


def test_what_lies_behind_the_input_does_not_count(probe: L2Contract) -> None:
    """The matching words reach over its end, into the padding and whatever follows."""
    for size in range(20, 84):
        check_length(probe, bytes(64)[: size // 2] + b"\x07" + bytes(size - size // 2))


def test_a_signature_is_recognised(probe: L2Contract) -> None:
    random = Random(2)
    for nonce in (0, 1, 127, 128, 70_000):
        for _ in range(12):
            draft = Draft.random(random, nonce)
            assert probe.read("isSigned", draft.signed().raw) is True
            assert probe.read("isSigned", draft.unsigned) is False


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.data())
def test_whatever_else_is_not_signed(
    probe: L2Contract, random: Random, data: st.DataObject
) -> None:
    """Cut, extended and changed encodings never revert, and never pass unless they decode."""
    raw = bytearray(Draft.random(random, 3).signed().raw)
    kind = data.draw(st.sampled_from(["cut", "extended", "changed"]))
    if kind == "cut":
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    elif kind == "extended":
        raw += data.draw(st.binary(min_size=1, max_size=40))
    else:
        raw[data.draw(st.integers(0, min(len(raw), 20) - 1))] = data.draw(st.integers(0, 255))
    answer = probe.read("isSigned", bytes(raw))
    if kind != "changed":
        assert answer is False
    elif _decodes(bytes(raw)):
        assert answer is True


@given(st.binary(max_size=100))
@settings(max_examples=50, deadline=None)
def test_noise_is_not_signed(probe: L2Contract, noise: bytes) -> None:
    assert probe.read("isSigned", noise) is _decodes(noise)


def _decodes(raw: bytes) -> bool:
    try:
        return decode_signed_transaction(raw).s != 0
    except InvalidInput:
        return False
