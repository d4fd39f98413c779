"""The Merkle-Patricia trie: changes are collected and made in one walk per commit.

Tested against `trie.HexaryTrie`.
"""

from collections.abc import Sequence
from functools import lru_cache

from node.errors import CorruptStore, DecodingError
from node.state.trie_codec import NodeSource
from node.state.trie_node import Branch, Child, Extension, Node, decode_node
from node.state.trie_update import TrieUpdate
from node.types.primitives import EMPTY_TRIE_ROOT, Hash32
from node.types.rlp_codec import encode, encode_uint

__all__ = ["NodeSource", "Trie", "load_node", "no_nodes", "ordered_key", "ordered_root"]

_ORDERED_PATHS_KEPT = 1 << 14


class Trie:
    """A trie under `root`, whose nodes come from `node_source`. Keys are raw bytes: a secure trie's
    caller hashes them. CorruptStore, from `get` and `commit`, when a node is missing or malformed.
    """

    __slots__ = ("_changes", "_made", "_node_source", "_obsolete", "_root", "_seen")

    def __init__(self, node_source: NodeSource, root: Hash32 = EMPTY_TRIE_ROOT) -> None:
        self._node_source = node_source
        self._root = None if root == EMPTY_TRIE_ROOT else root
        self._changes: dict[bytes, bytes] = {}  # since the last commit; empty: delete
        self._made: dict[Hash32, bytes] = {}  # by commits; the source need not have them
        self._seen: Child | None = self._root  # the part of the tree that was read
        self._obsolete: tuple[bytes, ...] = ()

    @property
    def obsolete(self) -> tuple[bytes, ...]:
        """Hashes of the nodes that the last commit took out of the trie, in an order that depends
        on the changes alone.

        True of a secure trie, where no two paths can hold the same node.
        """
        return self._obsolete

    def get(self, key: bytes) -> bytes | None:
        """Return the value under `key`, None if there is none."""
        if key in self._changes:
            return self._changes[key] or None
        path = key.hex()
        child = self._seen = self._load(self._seen)
        while child is not None:
            if isinstance(child, Branch):
                if not path:
                    return child.value or None
                index = int(path[0], 16)
                path = path[1:]
                below = child.children[index] = self._load(child.children[index])
            elif isinstance(child, Extension):
                if not path.startswith(child.path):
                    return None
                path = path[len(child.path) :]
                below = child.child = self._loaded(child.child)
            else:
                return child.value if child.path == path else None
            child = below
        return None

    def put(self, key: bytes, value: bytes) -> None:
        """Set the value under `key`. ValueError for an empty value, which means absence."""
        if not value:
            raise ValueError("an empty value cannot be stored in a trie: delete the key")
        self._changes[key] = value

    def delete(self, key: bytes) -> None:
        """Remove `key`; nothing happens if it is absent."""
        self._changes[key] = b""

    def commit(self) -> tuple[Hash32, dict[Hash32, bytes]]:
        """Return the root hash, and the nodes (by hash) that the trie did not have at the last
        commit; `obsolete` tells those that it has no more.
        """
        update = TrieUpdate(self._node if self._made else self._node_source)
        if self._changes:
            items = [(key.hex(), value) for key, value in sorted(self._changes.items())]
            self._root = self._seen = update.apply(self._root, items)
            self._changes = {}
        gained, lost = update.gained, update.lost
        came_back = gained.keys() & lost
        if came_back:
            lost = [node_hash for node_hash in lost if node_hash not in came_back]
            for node_hash in came_back:
                del gained[node_hash]
        self._obsolete = tuple(lost)
        self._made.update(gained)
        return self._root or EMPTY_TRIE_ROOT, gained

    def _node(self, node_hash: Hash32) -> bytes:
        return self._made.get(node_hash) or self._node_source(node_hash)

    def _load(self, child: Child | None) -> Node | None:
        return None if child is None else self._loaded(child)

    def _loaded(self, child: Child) -> Node:
        if isinstance(child, bytes):
            return load_node(Hash32(child), self._node(Hash32(child)))
        return child


def load_node(node_hash: Hash32, raw: bytes) -> Node:
    """Decode a node that was checked against its hash; CorruptStore if it is malformed."""
    try:
        return decode_node(raw)
    except DecodingError as error:
        raise CorruptStore(f"trie node 0x{node_hash.hex()}: {error}") from error


def no_nodes(node_hash: Hash32) -> bytes:
    """The node source of a trie that starts empty."""
    raise CorruptStore(f"trie node 0x{node_hash.hex()} is missing")


def ordered_root(items: Sequence[bytes]) -> Hash32:
    """Return the root of the trie of `items` under keys rlp(index): the transactions, receipts and
    withdrawals roots of a header. ValueError for an empty item.
    """
    if not all(items):
        raise ValueError("an empty value cannot be stored in a trie")
    paths = map(_ordered_path, range(len(items)))
    content = sorted(zip(paths, items, strict=True))
    return TrieUpdate(no_nodes).apply(None, content) or EMPTY_TRIE_ROOT


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
