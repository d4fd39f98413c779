"""The nodes of a Merkle-Patricia trie in memory, and their decoding.

`ref` is how a parent refers to the node: its hash, or for a node shorter than 32 bytes its RLP
structure. It is None from a change below it to the next commit. Paths are hexadecimal digits.
"""

from typing import TypeAlias

from node.errors import DecodingError
from node.state.nibbles import parse_compact
from node.types.primitives import Hash32
from node.types.rlp_codec import Decoded, RlpItem, decode

# Inline nodes are shorter than 32 bytes, and each level of nesting takes two of them at least.
_MAX_DEPTH = 17


class Leaf:
    """The end of a path, and the value there."""

    __slots__ = ("path", "ref", "value")

    def __init__(self, path: str, value: bytes, ref: "RlpItem | None" = None) -> None:
        self.path = path
        self.value = value
        self.ref = ref


class Extension:
    """A stretch of path without forks, and what is behind it."""

    __slots__ = ("child", "path", "ref")

    def __init__(self, path: str, child: "Child", ref: "RlpItem | None" = None) -> None:
        self.path = path
        self.child = child
        self.ref = ref


class Branch:
    """A fork: sixteen children by next digit, and the value of the path that ends here."""

    __slots__ = ("children", "ref", "value")

    def __init__(
        self, children: "list[Child | None]", value: bytes = b"", ref: "RlpItem | None" = None
    ) -> None:
        self.children = children
        self.value = value
        self.ref = ref


Node: TypeAlias = Leaf | Extension | Branch
Child: TypeAlias = Node | bytes  # bytes: the hash of a node that is not loaded


def decode_node(raw: bytes, node_hash: Hash32) -> Node:
    """Decode a node that is referred to by hash, which the caller has checked.

    Inline nodes are decoded with it. DecodingError if the bytes are not a node.
    """
    return _build(decode(raw, _MAX_DEPTH), node_hash)


def _build(item: Decoded, ref: RlpItem) -> Node:
    """Build a node from its decoded RLP; DecodingError if it is not one."""
    if isinstance(item, bytes):
        raise DecodingError("expected a list, got bytes")
    if len(item) == 17:
        value = item[16]
        if not isinstance(value, bytes):
            raise DecodingError("expected a branch value of bytes, got a list")
        children = [None if child == b"" else _child(child) for child in item[:16]]
        return Branch(children, value, ref)
    if len(item) != 2 or not isinstance(item[0], bytes):
        raise DecodingError(f"expected 2 or 17 items that start with a path, got {len(item)}")
    path, is_leaf = parse_compact(item[0])
    if not is_leaf:
        if not path:
            raise DecodingError("expected an extension of one digit at least")
        return Extension(path, _child(item[1]), ref)
    if not isinstance(item[1], bytes) or not item[1]:
        raise DecodingError("expected a leaf value of one byte at least")
    return Leaf(path, item[1], ref)


def _child(item: Decoded) -> Child:
    if isinstance(item, list):
        return _build(item, item)
    if len(item) != 32:
        raise DecodingError(f"expected a node reference of 32 bytes, got {len(item)}")
    return item
