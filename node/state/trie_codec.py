"""Trie nodes as RLP, taken apart and put together without decoding what is only copied.

A part is an item of a node, still encoded. The part that stands for a node inside its parent is
either the node itself, if that is shorter than 32 bytes, or its hash, here with its number behind
it: a byte that says that 32 follow, and a reference.
"""

import re
from collections.abc import Sequence
from struct import Struct
from typing import TypeAlias

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import NUMBER_SIZE, LinkedNode, linked, links_of, rlp_of
from node.state.nibbles import compact, parse_compact
from node.state.trie_node import decode_node
from node.types.primitives import keccak256
from node.types.rlp_codec import item_span

Short: TypeAlias = tuple[str, bytes, bool, bytes]
"""A leaf or extension: its path, its value or child as a part, whether it is a leaf, and the link
of a leaf.
"""

LINKED_SIZE = 33 + NUMBER_SIZE
"""The size of a part that stands for a node by its hash."""

NOTHING = b"\x80"
"""The part that stands for no node, or no value."""

# Nearly all branches hold hashes and nothing else, and have no value.
_REFERENCES = re.compile(rb"\xa0.{32}|\x80", re.DOTALL)
_BRANCH_STARTS = (b"\xa0", NOTHING)
_FULL_SIZE = 17 * 33
# The branch at the top of every large trie: sixteen hashes and no value.
_FULL_NODE = Struct("3x" + 16 * "33s" + "s")
_FULL_MARKS = slice(3, None, 33)
_FULL_MARKED = b"\xf9\x02\x11" + 16 * b"\xa0" + NOTHING
_FULL_LINKS = Struct(16 * f"{NUMBER_SIZE}s")
_FULL_BEGIN = 1 + _FULL_LINKS.size
_STRING_HEADERS = [bytes([0x80 + size] if size < 56 else [0xB8, size]) for size in range(256)]
_LIST_HEADERS = [bytes([0xC0 + size] if size < 56 else [0xF8, size]) for size in range(256)]


def split_node(node: LinkedNode) -> list[bytes] | Short:
    """Return the 17 parts of a branch (sixteen children, a value), or a leaf or an extension.

    CorruptStore if it is none of them.
    """
    rlp, links = rlp_of(node), links_of(node)
    try:
        parts = _split(rlp)
    except DecodingError as error:
        raise CorruptStore(f"trie node 0x{keccak256(rlp).hex()}: {error}") from error
    if not isinstance(parts, list):
        path, part, is_leaf = parts
        return (path, part, True, links) if is_leaf else (path, part + links, False, b"")
    if node[0] == 16:
        numbers = _FULL_LINKS.unpack(links)
        for index in range(16):
            parts[index] += numbers[index]
        return parts
    at = 0
    for index in range(16):
        if len(parts[index]) == 33:
            parts[index] += links[at : at + NUMBER_SIZE]
            at += NUMBER_SIZE
    return parts


def child_place(node: LinkedNode, index: int) -> tuple[int, int] | None:
    """Return where a branch has the number and the hash of a child.

    None if there is no such child, or if it takes more than a glance: `split_node` tells.
    """
    count = node[0]
    if count == 16 and node[_FULL_BEGIN] == 0xF9:  # a list of 256 to 65535 bytes
        return 1 + NUMBER_SIZE * index, _FULL_BEGIN + 4 + 33 * index
    if count < 2:  # what has two links is a branch
        return None
    # Seventeen parts of one byte, but for those that are hashes: nothing else is inside.
    size = 17 + 32 * count
    begin = at = 1 + NUMBER_SIZE * count + (2 if size < 256 else 3)
    if len(node) - begin != size:
        return None
    for _ in range(index):
        at += 33 if node[at] == 0xA0 else 1
    return (1 + NUMBER_SIZE * ((at - begin) // 33), at + 1) if node[at] == 0xA0 else None


def with_child(node: LinkedNode, place: tuple[int, int], number: bytes, digest: bytes) -> bytes:
    """Return a branch with another child at a place that `child_place` returned."""
    link, at = place
    end = link + NUMBER_SIZE
    return b"".join((node[:link], number, node[end:at], digest, node[at + 32 :]))


def leaf_value(node: LinkedNode, path: str) -> bytes | None:
    """Return the value of a leaf with this path, as a part; None if it takes more than a glance."""
    if node[0] > 1:
        return None
    begin = 1 + NUMBER_SIZE * node[0]
    size = len(node) - begin
    if size > 257:
        return None
    path_part = string_part(compact(path, True))
    begin += 2 if size > 57 else 1
    start, end = begin + len(path_part), len(node)
    if start + 1 >= end or not node.startswith(path_part, begin):
        return None
    first = node[start]
    if 0x80 < first < 0xB8:
        value_end = start + first - 0x7F
    else:
        value_end = start + 2 + node[start + 1] if first == 0xB8 else 0
    return node[start:] if value_end == end else None


def leaf_node(path: str, value: bytes, link: bytes) -> LinkedNode:
    """Return a leaf; its value is a part."""
    path_part = string_part(compact(path, True))
    header = _list_header(len(path_part) + len(value))
    return b"".join((b"\x01" if link else b"\x00", link, header, path_part, value))


def extension_node(path: str, child: bytes) -> LinkedNode:
    """Return an extension."""
    path_part = string_part(compact(path, False))
    below = child[:33]
    return linked(_list_header(len(path_part) + len(below)) + path_part + below, child[33:])


def branch_node(parts: Sequence[bytes]) -> LinkedNode:
    """Return a branch of 17 parts."""
    children = parts[:16]
    joined = b"".join([part[:33] for part in children]) + parts[16]
    return linked(_list_header(len(joined)) + joined, b"".join([part[33:] for part in children]))


def string_part(content: bytes) -> bytes:
    """Return bytes as a part."""
    size = len(content)
    if size == 1 and content < b"\x80":
        return content
    if size < 256:
        return _STRING_HEADERS[size] + content
    length = size.to_bytes((size.bit_length() + 7) >> 3, "big")
    return bytes([0xB7 + len(length)]) + length + content


def string_content(part: bytes) -> bytes:
    """Return the bytes that `string_part` made a part of."""
    prefix = part[0]
    if prefix < 0x80:
        return part
    return part[1:] if prefix < 0xB8 else part[prefix - 0xB6 :]


def _list_header(size: int) -> bytes:
    if size < 256:
        return _LIST_HEADERS[size]
    length = size.to_bytes((size.bit_length() + 7) >> 3, "big")
    return bytes([0xF7 + len(length)]) + length


def _split(rlp: bytes) -> list[bytes] | tuple[str, bytes, bool]:
    """Split a node regardless of its links."""
    if len(rlp) == _FULL_NODE.size and rlp[:3] + rlp[_FULL_MARKS] == _FULL_MARKED:
        return list(_FULL_NODE.unpack(rlp))
    begin = _payload_start(rlp)
    if rlp[begin : begin + 1] in _BRANCH_STARTS:
        parts: list[bytes] = _REFERENCES.findall(rlp, begin)
        # Nothing was passed over if what was found is as long as the whole.
        if len(parts) == 17 and len(rlp) - begin == _FULL_SIZE - 32 * parts.count(NOTHING):
            return parts
    return _split_short(rlp, begin) or _split_any_branch(rlp, begin)


def _payload_start(raw: bytes) -> int:
    """Return where the items of the list begin that must fill `raw`."""
    size = len(raw)
    if size > 57 and raw[0] == 0xF8 and raw[1] == size - 2:
        return 2
    if size > 258 and raw[0] == 0xF9 and raw[1] << 8 | raw[2] == size - 3:
        return 3
    is_list, begin, end = item_span(raw, 0, size)
    if not is_list or end != size:
        raise DecodingError("expected a list that fills the node")
    return begin


def _split_short(raw: bytes, begin: int) -> tuple[str, bytes, bool] | None:
    """Take a leaf or extension apart; None for what must be looked at as a whole."""
    size = len(raw)
    if begin == size:
        return None
    is_list, start, middle = item_span(raw, begin, size)
    if is_list or middle == size:
        return None
    is_list_too, value_start, end = item_span(raw, middle, size)
    if is_list_too or end != size:
        return None
    path, is_leaf = parse_compact(raw[start:middle])
    if value_start == end if is_leaf else (end - value_start != 32 or not path):
        return None
    return path, raw[middle:], is_leaf


def _split_any_branch(raw: bytes, begin: int) -> list[bytes] | tuple[str, bytes, bool]:
    """Take apart a node that holds others or a branch with a value, or say what is wrong."""
    decode_node(raw)
    parts = []
    while begin < len(raw):
        _, _, end = item_span(raw, begin, len(raw))
        parts.append(raw[begin:end])
        begin = end
    if len(parts) == 17:
        return parts
    path, is_leaf = parse_compact(string_content(parts[0]))
    return path, parts[1], is_leaf
