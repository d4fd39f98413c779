"""Compact paths: both directions, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie.utils.nibbles import decode_nibbles, encode_nibbles

from node.errors import DecodingError
from node.state.nibbles import compact, parse_compact

paths = st.text("0123456789abcdef", max_size=70)


@given(paths, st.booleans())
def test_round_trip(path: str, is_leaf: bool) -> None:
    assert parse_compact(compact(path, is_leaf)) == (path, is_leaf)


@given(paths, st.booleans())
def test_equals_the_reference(path: str, is_leaf: bool) -> None:
    terminated = (*(int(digit, 16) for digit in path), *((16,) if is_leaf else ()))
    assert compact(path, is_leaf) == encode_nibbles(terminated)
    assert decode_nibbles(compact(path, is_leaf)) == terminated


@given(st.binary(max_size=40))
def test_what_is_accepted_is_canonical(raw: bytes) -> None:
    try:
        path, is_leaf = parse_compact(raw)
    except DecodingError:
        return
    assert compact(path, is_leaf) == raw


@pytest.mark.parametrize("raw", ["", "40", "ff12", "01", "2f12"])
def test_malformed_paths_are_refused(raw: str) -> None:
    with pytest.raises(DecodingError, match="trie path"):
        parse_compact(bytes.fromhex(raw))
