"""Nodes as parts against the strict decoder: both take the same bytes, and make the same nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import linked, links_of, rlp_of
from node.state.trie_codec import (
    LINKED_SIZE,
    NOTHING,
    branch_node,
    child_place,
    extension_node,
    leaf_node,
    split_node,
    string_content,
    string_part,
    with_child,
)
from node.state.trie_node import Branch, Extension, Leaf, decode_linked, decode_node
from node.types.rlp_codec import encode
from tests.node.state.strategies import contents, values
from tests.node.state.test_trie import built

paths = st.text("0123456789abcdef", max_size=64)
hash_parts = st.binary(min_size=38, max_size=38).map(lambda reference: b"\xa0" + reference)
inline_parts = st.builds(
    lambda path, value: leaf_node(path, string_part(value), b"")[1:],
    st.text("0123456789abcdef", max_size=10),
    st.binary(min_size=1, max_size=15),
)
children = st.lists(
    hash_parts | st.just(NOTHING) | hash_parts | inline_parts, min_size=16, max_size=16
) | st.lists(hash_parts, min_size=16, max_size=16)
links = st.just(b"") | st.binary(min_size=6, max_size=6)


@given(st.binary(max_size=70) | st.binary(min_size=250, max_size=300))
def test_strings_round_trip(content: bytes) -> None:
    assert string_part(content) == encode(content)
    assert string_content(string_part(content)) == content


def test_strings_of_any_size() -> None:
    for size in (255, 256, 65535, 65536, 1 << 20):
        assert string_part(bytes(size)) == encode(bytes(size))
        assert string_content(string_part(bytes(size))) == bytes(size)


@given(paths, values, links)
def test_leaves_round_trip(path: str, value: bytes, link: bytes) -> None:
    linked = leaf_node(path, string_part(value), link)
    assert split_node(linked) == (path, string_part(value), True, link)
    node = decode_linked(linked)
    assert isinstance(node, Leaf)
    assert (node.path, node.value, node.link) == (path, value, link)


@given(paths.filter(bool), hash_parts)
def test_extensions_round_trip(path: str, part: bytes) -> None:
    linked = extension_node(path, part)
    assert split_node(linked) == (path, part, False, b"")
    node = decode_linked(linked)
    assert isinstance(node, Extension)
    assert (node.path, node.child) == (path, part[1:])


@given(children, st.just(b"") | values | st.just(bytes(32)))
def test_branches_round_trip(parts: list[bytes], value: bytes) -> None:
    linked = branch_node([*parts, string_part(value)])
    assert split_node(linked) == [*parts, string_part(value)]
    node = decode_linked(linked)
    assert isinstance(node, Branch)
    assert node.value == value
    for child, part in zip(node.children, parts, strict=True):
        if len(part) == LINKED_SIZE:
            assert child == part[1:]
        else:
            assert not isinstance(child, bytes)
            assert (child is None) == (part == NOTHING)


@given(children, st.just(b"") | values | st.just(bytes(32)))
def test_a_child_is_found_at_a_glance_or_not_at_all(parts: list[bytes], value: bytes) -> None:
    node = branch_node([*parts, string_part(value)])
    for index, part in enumerate(parts):
        place = child_place(node, index)
        if place is not None:
            link, at = place
            assert part == b"\xa0" + node[at : at + 32] + node[link : link + 6]
            other = [*parts[:index], b"\xa0" + bytes(38), *parts[index + 1 :]]
            changed = with_child(node, place, bytes(6), bytes(32))
            assert changed == branch_node([*other, string_part(value)])
        elif len(part) == LINKED_SIZE:  # rare: there is something that is no hash
            assert value or any(len(p) not in (1, LINKED_SIZE) for p in parts) or node[0] == 1


@given(contents, st.data())
def test_spoiled_nodes_are_refused_as_strictly_as_by_the_decoder(
    content: dict[bytes, bytes], data: st.DataObject
) -> None:
    nodes = sorted(built(content).new.nodes) or [leaf_node("12", b"\x01", b"")]
    node = data.draw(st.sampled_from(nodes))
    raw = bytearray(rlp_of(node))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    spoiled = bytes(raw)
    try:
        decode_node(spoiled)
    except DecodingError:
        with pytest.raises(CorruptStore):
            split_node(linked(spoiled, links_of(node)))
    else:
        split_node(linked(spoiled, links_of(node)))


@pytest.mark.parametrize("size", [0, 1, 531, 532, 533, 565])
def test_what_looks_like_a_full_branch_is_refused(size: int) -> None:
    raw = (b"\xf9\x02\x11" + (b"\xa0" + bytes(32)) * 18)[:size]
    with pytest.raises(CorruptStore):
        split_node(linked(raw, b""))
