"""Trie nodes as RLP, taken apart and put together without decoding what is only copied.

A part is an item of a node, still encoded. A reference is the part that stands for a node inside
its parent: 33 bytes with its hash, or a node shorter than 32 bytes itself.
"""

import re
from collections.abc import Callable, Sequence
from struct import Struct
from typing import TypeAlias

from node.errors import CorruptStore, DecodingError
from node.state.nibbles import compact, parse_compact
from node.state.trie_node import decode_node
from node.types.primitives import Hash32, keccak256
from node.types.rlp_codec import item_span

NodeSource: TypeAlias = Callable[[Hash32], bytes]
"""Returns the node with a hash, checked against it; CorruptStore if it is missing or damaged."""

Short: TypeAlias = tuple[str, bytes, bool]
"""A leaf or extension: its path, its value or reference as a part, whether it is a leaf."""

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
_STRING_HEADERS = [bytes([0x80 + size] if size < 56 else [0xB8, size]) for size in range(256)]
_LIST_HEADERS = [bytes([0xC0 + size] if size < 56 else [0xF8, size]) for size in range(256)]


def split_node(raw: bytes) -> list[bytes] | Short:
    """Return the 17 parts of a branch (sixteen references, a value), or a leaf or an extension.

    CorruptStore if it is none of them.
    """
    try:
        if len(raw) == _FULL_NODE.size and raw[:3] + raw[_FULL_MARKS] == _FULL_MARKED:
            return list(_FULL_NODE.unpack(raw))
        begin = _payload_start(raw)
        if raw[begin : begin + 1] in _BRANCH_STARTS:
            parts: list[bytes] = _REFERENCES.findall(raw, begin)
            # Nothing was passed over if what was found is as long as the whole.
            if len(parts) == 17 and len(raw) - begin == _FULL_SIZE - 32 * parts.count(NOTHING):
                return parts
        return _split_short(raw, begin) or _split_any_branch(raw, begin)
    except DecodingError as error:
        raise CorruptStore(f"trie node 0x{keccak256(raw).hex()}: {error}") from error


def leaf_node(path: str, value: bytes) -> bytes:
    """Return a leaf; its value is a part."""
    path_part = string_part(compact(path, True))
    return _list_header(len(path_part) + len(value)) + path_part + value


def extension_node(path: str, reference: bytes) -> bytes:
    """Return an extension."""
    path_part = string_part(compact(path, False))
    return _list_header(len(path_part) + len(reference)) + path_part + reference


def branch_node(parts: Sequence[bytes]) -> bytes:
    """Return a branch of 17 parts."""
    joined = b"".join(parts)
    size = len(joined)
    return (_LIST_HEADERS[size] if size < 256 else _list_header(size)) + joined


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


def _split_short(raw: bytes, begin: int) -> Short | None:
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


def _split_any_branch(raw: bytes, begin: int) -> list[bytes] | Short:
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
