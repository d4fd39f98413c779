"""FastLZ's length, against known values and a plain transcription of the specified algorithm."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.types import fastlz
from node.types.fastlz import fastlz_length

# A contract call on OP Mainnet; its length is op-geth's test vector.
CONTRACT_CALL = bytes.fromhex(
    "02f901550a758302df1483be21b88304743f94f80e51afb613d764fa61751affd3313c190a86bb870151bd62fd"
    "12adb8e41ef24f3f000000000000000000000000000000000000000000000000000000000000006e0000000000"
    "00000000000000af88d065e77c8cc2239327c5edb3a432268e5831000000000000000000000000000000000000"
    "000000000000000000000003c1e500000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000a0000000000000000000000000"
    "00000000000000000000000000000000000000148c89ed219d02f1a5be012c689b4f5b731827bebe0000000000"
    "00000000000000c001a033fd89cb37c31b2cba46b6466e040c61fc9b2a3675a7f5f493ebd5ad77c497f8a07cdf"
    "65680e238392693019b4092f610222e71b7cec06449cb922b93b6a12744e"
)
EMPTY_TRANSACTION = bytes.fromhex("dd80808094095e7baea6a6c7c4c2dfeb977efac326af552d878080808080")


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"", 0),
        (bytes(1000), 21),
        (b"\x01" * 1000, 21),
        (bytes(range(256)), 264),
        (bytes.fromhex("facade"), 4),
        (EMPTY_TRANSACTION, 31),
        (CONTRACT_CALL, 202),
    ],
    ids=["nothing", "zeros", "ones", "all bytes", "three bytes", "empty tx", "contract call"],
)
def test_known_lengths(data: bytes, length: int) -> None:
    assert fastlz_length(data) == length


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([b"\x00", b"\x01ab", b"abcdef", bytes(40), b"\xff\x00"])), st.data()
)
def test_lengths_are_those_of_the_plain_algorithm(parts: list[bytes], data: st.DataObject) -> None:
    raw = b"".join(parts) + data.draw(st.binary(max_size=60))
    raw += raw[: data.draw(st.integers(0, len(raw)))]
    assert fastlz_length(raw) == _reference(raw)


def test_matches_reach_back_no_further_than_the_window() -> None:
    noise = b"".join(n.to_bytes(3, "big") for n in range(2_700, 5_500))
    near, far = noise[:8_100], noise[:8_300]
    for middle in (near, far):
        raw = b"needle in a haystack" + middle + b"needle in a haystack" + bytes(20)
        assert fastlz_length(raw) == _reference(raw)


def test_an_input_is_not_compared_with_those_before_it() -> None:
    noise = bytes(range(7, 250))
    alone = fastlz_length(noise)
    assert fastlz_length(noise) == alone == _reference(noise)


def test_places_begin_again_before_they_grow_large(monkeypatch: pytest.MonkeyPatch) -> None:
    fastlz_length(CONTRACT_CALL)
    monkeypatch.setattr(fastlz._last_seen, "end", fastlz._PLACES - len(CONTRACT_CALL) + 1)
    assert fastlz_length(CONTRACT_CALL) == 202
    assert fastlz._last_seen.end == len(CONTRACT_CALL)


def test_threads_do_not_disturb_each_other() -> None:
    inputs = [bytes(range(start, start + 90)) * 30 for start in range(0, 160, 4)]
    with ThreadPoolExecutor(4) as threads:
        lengths = list(threads.map(fastlz_length, inputs * 4))
    assert lengths == [_reference(data) for data in inputs] * 4


def _reference(data: bytes) -> int:
    """The algorithm as it is specified, one step at a time, in 32-bit arithmetic."""
    total, table = 0, [0] * 8192
    limit = max(len(data) - 13, 0)

    def word(at: int) -> int:
        return data[at] | data[at + 1] << 8 | data[at + 2] << 16

    def slot(value: int) -> int:
        return ((2654435769 * value & 0xFFFFFFFF) >> 19) & 0x1FFF

    def literals(run: int) -> int:
        rest = run % 32
        return 33 * (run // 32) + (rest + 1 if rest else 0)

    anchor, position = 0, 2
    while position < limit:
        while True:
            value, index = word(position), slot(word(position))
            reference, table[index] = table[index], position
            distance = position - reference
            position += 1
            if distance <= 8191 and value == word(reference):
                break
            if position >= limit:
                break
        if position >= limit:
            break
        position -= 1
        total += literals(position - anchor)
        length, end = 0, limit + 9 - (position + 3)
        while length < end:
            length += 1
            if data[reference + 2 + length] != data[position + 2 + length]:
                break
        full, rest = divmod(length - 1, 262)
        total += 3 * full + (3 if rest >= 6 else 2)
        position += length
        for _ in range(2):
            table[slot(word(position))] = position
            position += 1
        anchor = position
    return total + literals(len(data) - anchor)
