"""The Merkle-Patricia trie: changes are collected and made in one walk per commit.

Tested against `trie.HexaryTrie`.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat

from node.state.linked_node import (
    NUMBER_SIZE,
    LinkedNode,
    NewNodes,
    NodeSource,
    Reference,
    no_nodes,
    root_hash,
)
from node.state.trie_codec import LINKED_SIZE, NOTHING, child_place, split_node, string_content
from node.state.trie_update import TrieUpdate
from node.types.primitives import Hash32
from node.types.rlp_codec import encode, encode_uint

_INDEX = {digit: index for index, digit in enumerate("0123456789abcdef")}
_ORDERED_PATHS_KEPT = 1 << 14


class Trie:
    """A trie under `root` (None: empty), whose nodes come from `node_source`. Keys are raw bytes: a
    secure trie's caller hashes them. CorruptStore, from `get` and `commit`, when a node is missing
    or malformed.

    The nodes that commits make go into `new`; the source need not have them.
    """

    __slots__ = ("_changes", "_node_source", "lost", "new", "root")

    def __init__(
        self,
        node_source: NodeSource,
        root: Reference | None = None,
        new: NewNodes | None = None,
    ) -> None:
        self._node_source = node_source
        self._changes: dict[bytes, tuple[bytes, bytes]] = {}  # since the last commit
        self.root = root
        self.new = NewNodes(1) if new is None else new
        self.lost: Sequence[bytes] = ()
        """The numbers of the nodes that the last commit took out of the trie, in an order that
        depends on the changes alone.
        """

    def get(self, key: bytes) -> bytes | None:
        """Return the value under `key`, None if there is none."""
        leaf = self.leaf(key)
        return None if leaf is None else leaf[0]

    def leaf(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Return the value under `key` and the link of its leaf, None if there is none."""
        if key in self._changes:
            leaf = self._changes[key]
            return leaf if leaf[0] else None
        if self.root is None:
            return None
        return _find_leaf(self.node, self.root, key.hex())

    def put(self, key: bytes, value: bytes, link: bytes = b"") -> None:
        """Set the value under `key`. ValueError for an empty value, which means absence."""
        if not value:
            raise ValueError("an empty value cannot be stored in a trie: delete the key")
        self._changes[key] = value, link

    def delete(self, key: bytes) -> None:
        """Remove `key`; nothing happens if it is absent."""
        self._changes[key] = b"", b""

    def commit(self) -> Hash32:
        """Make the changes since the last commit; return the root hash."""
        source = self._node_source if self.new.find(self.root or bytes(38)) is None else self.node
        update = TrieUpdate(source, self.new)
        if self._changes:
            items = [(key.hex(), *leaf) for key, leaf in sorted(self._changes.items())]
            self.root = update.apply(self.root, items)
            self._changes = {}
        self.lost = update.lost
        return root_hash(self.root)

    def node(self, reference: Reference) -> LinkedNode:
        """Return a node of the trie as it was committed last."""
        return self.new.find(reference) or self._node_source(reference)


def _find_leaf(source: NodeSource, root: Reference, path: str) -> tuple[bytes, bytes] | None:
    """Return the value at the end of a path, and the link there."""
    node = source(root)
    depth, end = 0, len(path)
    while True:
        index = _INDEX[path[depth]] if depth < end else 16
        place = None if depth == end else child_place(node, index)
        if place is not None:
            link_at, at = place
            node = source(node[at : at + 32] + node[link_at : link_at + NUMBER_SIZE])
            depth += 1
            continue
        parts = split_node(node)
        if isinstance(parts, list):
            part, link = parts[index], b""
            is_end = index == 16
            depth += 1
        else:
            below, part, is_end, link = parts
            if not path.startswith(below, depth) or (is_end and depth + len(below) != end):
                return None
            depth += len(below)
        if part == NOTHING:
            return None
        if is_end:
            return string_content(part), link
        node = source(part[1:]) if len(part) == LINKED_SIZE else b"\x00" + part


def ordered_root(items: Sequence[bytes]) -> Hash32:
    """Return the root of the trie of `items` under keys rlp(index): the transactions, receipts and
    withdrawals roots of a header. ValueError for an empty item.
    """
    if not all(items):
        raise ValueError("an empty value cannot be stored in a trie")
    paths = map(_ordered_path, range(len(items)))
    content = sorted(zip(paths, items, repeat(b"")))
    return root_hash(TrieUpdate(no_nodes, NewNodes(1)).apply(None, content))


def ordered_trie(items: Sequence[bytes]) -> Trie:
    """Return the trie that `ordered_root` is the root of."""
    trie = Trie(no_nodes)
    for index, item in enumerate(items):
        trie.put(ordered_key(index), item)
    return trie


def ordered_key(index: int) -> bytes:
    """Return the key of item `index` in an ordered trie."""
    return encode(encode_uint(index))


@lru_cache(_ORDERED_PATHS_KEPT)
def _ordered_path(index: int) -> str:
    return ordered_key(index).hex()
