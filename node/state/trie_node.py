"""The nodes of a Merkle-Patricia trie decoded, for reading. Paths are hexadecimal digits."""

from typing import TypeAlias

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import NUMBER_SIZE, LinkedNode, links_of, rlp_of
from node.state.nibbles import parse_compact
from node.types.primitives import keccak256
from node.types.rlp_codec import Decoded, decode

# Inline nodes are shorter than 32 bytes, and each level of nesting takes two of them at least.
_MAX_DEPTH = 17


class Leaf:
    """The end of a path, and the value there; the link of an account with storage."""

    __slots__ = ("link", "path", "value")

    def __init__(self, path: str, value: bytes, link: bytes = b"") -> None:
        self.path = path
        self.value = value
        self.link = link


class Extension:
    """A stretch of path without forks, and what is behind it."""

    __slots__ = ("child", "path")

    def __init__(self, path: str, child: "Child") -> None:
        self.path = path
        self.child = child


class Branch:
    """A fork: sixteen children by next digit, and the value of the path that ends here."""

    __slots__ = ("children", "value")

    def __init__(self, children: "list[Child | None]", value: bytes) -> None:
        self.children = children
        self.value = value


Node: TypeAlias = Leaf | Extension | Branch
Child: TypeAlias = Node | bytes
"""Bytes: the hash of a node that is not loaded, or a reference to it."""


def decode_node(raw: bytes) -> Node:
    """Decode a node that is referred to by hash, which the caller has checked.

    Inline nodes are decoded with it. DecodingError if the bytes are not a node.
    """
    return _build(decode(raw, _MAX_DEPTH))


def decode_linked(node: LinkedNode) -> Node:
    """Decode a stored node, whose children are references; CorruptStore if it is malformed."""
    rlp, links = rlp_of(node), links_of(node)
    try:
        decoded = decode_node(rlp)
    except DecodingError as error:
        raise CorruptStore(f"trie node 0x{keccak256(rlp).hex()}: {error}") from error
    if isinstance(decoded, Leaf):
        decoded.link = links
    elif isinstance(decoded, Extension):
        if isinstance(decoded.child, bytes):
            decoded.child += links
    else:
        at = 0
        for index, child in enumerate(decoded.children):
            if isinstance(child, bytes):
                decoded.children[index] = child + links[at : at + NUMBER_SIZE]
                at += NUMBER_SIZE
    return decoded


def _build(item: Decoded) -> Node:
    """Build a node from its decoded RLP; DecodingError if it is not one."""
    if isinstance(item, bytes):
        raise DecodingError("expected a list, got bytes")
    if len(item) == 17:
        value = item[16]
        if not isinstance(value, bytes):
            raise DecodingError("expected a branch value of bytes, got a list")
        children = [None if child == b"" else _child(child) for child in item[:16]]
        return Branch(children, value)
    if len(item) != 2 or not isinstance(item[0], bytes):
        raise DecodingError(f"expected 2 or 17 items that start with a path, got {len(item)}")
    path, is_leaf = parse_compact(item[0])
    if not is_leaf:
        if not path:
            raise DecodingError("expected an extension of one digit at least")
        return Extension(path, _child(item[1]))
    if not isinstance(item[1], bytes) or not item[1]:
        raise DecodingError("expected a leaf value of one byte at least")
    return Leaf(path, item[1])


def _child(item: Decoded) -> Child:
    if isinstance(item, list):
        return _build(item)
    if len(item) != 32:
        raise DecodingError(f"expected a node reference of 32 bytes, got {len(item)}")
    return item
