"""Nodes as parts against the strict decoder: both take the same bytes, and make the same nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import CorruptStore, DecodingError
from node.state.trie import Trie, no_nodes
from node.state.trie_codec import (
    NOTHING,
    branch_node,
    extension_node,
    leaf_node,
    split_node,
    string_content,
    string_part,
)
from node.state.trie_node import Branch, Extension, Leaf, decode_node
from node.types.rlp_codec import encode
from tests.node.state.strategies import contents, values

paths = st.text("0123456789abcdef", max_size=64)
hash_parts = st.binary(min_size=32, max_size=32).map(lambda digest: b"\xa0" + digest)
references = hash_parts | st.just(NOTHING)


@given(st.binary(max_size=70) | st.binary(min_size=250, max_size=300))
def test_strings_round_trip(content: bytes) -> None:
    assert string_part(content) == encode(content)
    assert string_content(string_part(content)) == content


def test_strings_of_any_size() -> None:
    for size in (255, 256, 65535, 65536, 1 << 20):
        assert string_part(bytes(size)) == encode(bytes(size))
        assert string_content(string_part(bytes(size))) == bytes(size)


@given(paths, values)
def test_leaves_round_trip(path: str, value: bytes) -> None:
    raw = leaf_node(path, string_part(value))
    assert split_node(raw) == (path, string_part(value), True)
    node = decode_node(raw)
    assert isinstance(node, Leaf)
    assert (node.path, node.value) == (path, value)


@given(paths.filter(bool), hash_parts)
def test_extensions_round_trip(path: str, reference: bytes) -> None:
    raw = extension_node(path, reference)
    assert split_node(raw) == (path, reference, False)
    node = decode_node(raw)
    assert isinstance(node, Extension)
    assert (node.path, node.child) == (path, reference[1:])


@given(st.lists(references, min_size=16, max_size=16), st.just(b"") | values)
def test_branches_round_trip(children: list[bytes], value: bytes) -> None:
    raw = branch_node([*children, string_part(value)])
    assert split_node(raw) == [*children, string_part(value)]
    node = decode_node(raw)
    assert isinstance(node, Branch)
    assert node.value == value
    assert [child or b"" for child in node.children] == [child[1:] for child in children]


@given(contents, st.data())
def test_spoiled_nodes_are_refused_as_strictly_as_by_the_decoder(
    content: dict[bytes, bytes], data: st.DataObject
) -> None:
    trie = Trie(no_nodes)
    for key, value in content.items():
        trie.put(key, value)
    nodes = sorted(trie.commit()[1].values()) or [leaf_node("12", b"\x01")]
    raw = bytearray(data.draw(st.sampled_from(nodes)))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    spoiled = bytes(raw)
    try:
        decode_node(spoiled)
    except DecodingError:
        with pytest.raises(CorruptStore):
            split_node(spoiled)
    else:
        split_node(spoiled)


@pytest.mark.parametrize("size", [0, 1, 531, 532, 533, 565])
def test_what_looks_like_a_full_branch_is_refused(size: int) -> None:
    raw = (b"\xf9\x02\x11" + (b"\xa0" + bytes(32)) * 18)[:size]
    with pytest.raises(CorruptStore):
        split_node(raw)
