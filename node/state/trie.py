"""The Merkle-Patricia trie: lazily loaded, changed in memory, hashed once per commit.

Nodes are read through `node_source` when a path first crosses them, and checked against their hash.
Tested against `trie.HexaryTrie`.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from node.errors import CorruptStore, DecodingError
from node.state.nibbles import compact
from node.state.trie_node import Branch, Child, Extension, Leaf, Node, decode_node
from node.types.primitives import EMPTY_TRIE_ROOT, Hash32, keccak256
from node.types.rlp_codec import RlpItem, encode, encode_uint

NodeSource: TypeAlias = Callable[[Hash32], bytes]

_DIGITS = "0123456789abcdef"
_INDEX = {digit: index for index, digit in enumerate(_DIGITS)}


class Trie:
    """A trie under `root`, whose nodes come from `node_source`. Keys are raw bytes: a secure trie's
    caller hashes them. CorruptStore when a node is missing, malformed or not what its hash says.
    """

    __slots__ = ("_fresh", "_node_source", "_obsolete", "_replaced", "_root")

    def __init__(self, node_source: NodeSource, root: Hash32 = EMPTY_TRIE_ROOT) -> None:
        self._node_source = node_source
        self._root: Child | None = None if root == EMPTY_TRIE_ROOT else root
        self._fresh: dict[Hash32, bytes] = {}
        # What was reached by hash at the last commit, and has been changed or dropped since.
        self._replaced: set[bytes] = set()
        self._obsolete: frozenset[bytes] = frozenset()

    @property
    def obsolete(self) -> frozenset[bytes]:
        """Hashes of the nodes that the last commit took out of the trie.

        True of a secure trie, where no two paths can hold the same node.
        """
        return self._obsolete

    def get(self, key: bytes) -> bytes | None:
        """Return the value under `key`, None if there is none."""
        path = key.hex()
        child = self._root = self._load(self._root)
        while child is not None:
            if isinstance(child, Branch):
                if not path:
                    return child.value or None
                index = _INDEX[path[0]]
                path = path[1:]
                below = child.children[index]
                if isinstance(below, bytes):
                    below = child.children[index] = self._load(below)
            elif isinstance(child, Extension):
                if not path.startswith(child.path):
                    return None
                path = path[len(child.path) :]
                below = child.child
                if isinstance(below, bytes):
                    below = child.child = self._loaded(below)
            else:
                return child.value if child.path == path else None
            child = below
        return None

    def put(self, key: bytes, value: bytes) -> None:
        """Set the value under `key`. ValueError for an empty value, which means absence."""
        if not value:
            raise ValueError("an empty value cannot be stored in a trie: delete the key")
        self._root = self._put(self._root, key.hex(), value)

    def delete(self, key: bytes) -> None:
        """Remove `key`; nothing happens if it is absent."""
        self._root = self._delete(self._load(self._root), key.hex())

    def commit(self) -> tuple[Hash32, dict[Hash32, bytes]]:
        """Return the root hash, and the nodes (by hash) that the trie did not have at the last
        commit; `obsolete` tells those that it has no more.
        """
        fresh: dict[Hash32, bytes] = {}
        self._fresh = fresh
        root_hash = self._hash_root()
        self._fresh = {}
        replaced, self._replaced = self._replaced, set()
        came_back = replaced & fresh.keys()
        for node_hash in came_back:
            del fresh[Hash32(node_hash)]
        self._obsolete = frozenset(replaced - came_back)
        return root_hash, fresh

    def _hash_root(self) -> Hash32:
        root = self._root
        if root is None:
            return EMPTY_TRIE_ROOT
        if isinstance(root, bytes):
            return Hash32(root)
        ref = self._reference(root)
        if not isinstance(ref, bytes):  # a root is referred to by its hash, however short it is
            encoded = encode(ref)
            ref = keccak256(encoded)
            self._fresh[ref] = encoded
        return Hash32(ref)

    def _load(self, child: Child | None) -> Node | None:
        return self._loaded(child) if isinstance(child, bytes) else child

    def _loaded(self, child: Child) -> Node:
        if not isinstance(child, bytes):
            return child
        return load_node(Hash32(child), self._node_source(Hash32(child)))

    def _put(self, child: Child | None, path: str, value: bytes) -> Node:
        if child is None:
            return Leaf(path, value)
        node = self._loaded(child)
        if isinstance(node, Branch):
            if node.ref is not None:
                self._forget(node)
            if path:
                index = _INDEX[path[0]]
                node.children[index] = self._put(node.children[index], path[1:], value)
            else:
                node.value = value
            return node
        if isinstance(node, Extension) and path.startswith(node.path):
            if node.ref is not None:
                self._forget(node)
            node.child = self._put(node.child, path[len(node.path) :], value)
            return node
        if isinstance(node, Leaf) and node.path == path:
            if node.ref is not None:
                self._forget(node)
            node.value = value
            return node
        if node.ref is not None:
            self._forget(node)
        return _split(node, path, value)

    def _forget(self, node: Node) -> None:
        """Note that a node is about to change or to go."""
        if isinstance(node.ref, bytes):
            self._replaced.add(node.ref)
        node.ref = None

    def _delete(self, node: Node | None, path: str) -> Node | None:
        """Return what remains of `node`: the same object, untouched, if the key is not below it."""
        if node is None:
            return None
        if isinstance(node, Leaf):
            if node.path != path:
                return node
            self._forget(node)
            return None
        if isinstance(node, Extension):
            if not path.startswith(node.path):
                return node
            before = node.child = self._loaded(node.child)
            ref = before.ref
            after = self._delete(before, path[len(node.path) :])
            if after is before and ref is not None and after.ref is ref:
                return node
            self._forget(node)
            return None if after is None else self._join(node.path, after)
        return self._delete_below(node, path)

    def _delete_below(self, node: Branch, path: str) -> Node | None:
        if not path:
            if not node.value:
                return node
            node.value = b""
        else:
            index = _INDEX[path[0]]
            before = node.children[index] = self._load(node.children[index])
            if before is None:
                return node
            ref = before.ref
            after = self._delete(before, path[1:])
            if after is before and ref is not None and after.ref is ref:
                return node
            node.children[index] = after
        self._forget(node)
        return self._shrink(node)

    def _shrink(self, node: Branch) -> Node | None:
        """Replace a branch that has fewer than two entries left."""
        live = [index for index, child in enumerate(node.children) if child is not None]
        if node.value:
            return node if live else Leaf("", node.value)
        if len(live) > 1:
            return node
        if not live:
            return None
        only = node.children[live[0]]
        assert only is not None
        return self._join(_DIGITS[live[0]], self._loaded(only))

    def _join(self, prefix: str, node: Node) -> Node:
        """Put `prefix` before a node."""
        if isinstance(node, Branch):
            return Extension(prefix, node)
        self._forget(node)
        if isinstance(node, Leaf):
            return Leaf(prefix + node.path, node.value)
        return Extension(prefix + node.path, node.child)

    def _reference(self, node: Node) -> RlpItem:
        """Return how a parent refers to `node`: its hash, or itself if shorter than 32 bytes."""
        if node.ref is not None:
            return node.ref
        structure: RlpItem
        if isinstance(node, Branch):
            reference = self._reference
            items: list[RlpItem] = [
                b"" if child is None else child if isinstance(child, bytes) else reference(child)
                for child in node.children
            ]
            items.append(node.value)
            structure = items
        elif isinstance(node, Leaf):
            structure = [compact(node.path, True), node.value]
        else:
            child = node.child
            below = child if isinstance(child, bytes) else self._reference(child)
            structure = [compact(node.path, False), below]
        node.ref = ref = _refer(structure, self._fresh)
        return ref


def _refer(structure: RlpItem, nodes: dict[Hash32, bytes]) -> RlpItem:
    """Return the reference to a node; one that is referred to by hash goes into `nodes`."""
    encoded = encode(structure)
    if len(encoded) < 32:
        return structure
    node_hash = keccak256(encoded)
    nodes[node_hash] = encoded
    return node_hash


def _split(node: Leaf | Extension, path: str, value: bytes) -> Node:
    """Part a leaf or extension from a new leaf where their paths differ."""
    old = node.path
    common = _common_length(old, path)
    children: list[Child | None] = [None] * 16
    branch = Branch(children)
    if isinstance(node, Leaf) and common == len(old):
        branch.value = node.value
    else:  # an extension always parts before its end: see `_put`
        rest = old[common + 1 :]
        below: Child
        if isinstance(node, Leaf):
            below = Leaf(rest, node.value)
        else:
            below = Extension(rest, node.child) if rest else node.child
        children[_INDEX[old[common]]] = below
    if common == len(path):
        branch.value = value
    else:
        children[_INDEX[path[common]]] = Leaf(path[common + 1 :], value)
    return Extension(path[:common], branch) if common else branch


def _common_length(left: str, right: str) -> int:
    """Return how many leading characters two strings share."""
    limit = min(len(left), len(right))
    for index in range(limit):
        if left[index] != right[index]:
            return index
    return limit


def load_node(node_hash: Hash32, raw: bytes) -> Node:
    """Decode a stored node; CorruptStore if it is malformed or has another hash."""
    if keccak256(raw) != node_hash:
        raise CorruptStore(f"trie node 0x{node_hash.hex()}: the stored bytes have another hash")
    try:
        return decode_node(raw, node_hash)
    except DecodingError as error:
        raise CorruptStore(f"trie node 0x{node_hash.hex()}: {error}") from error


def no_nodes(node_hash: Hash32) -> bytes:
    """The node source of a trie that starts empty."""
    raise CorruptStore(f"trie node 0x{node_hash.hex()} is missing")


def ordered_root(items: Sequence[bytes]) -> Hash32:
    """Return the root of the trie of `items` under keys rlp(index): the transactions, receipts and
    withdrawals roots of a header. ValueError for an empty item.
    """
    return ordered_trie(items).commit()[0]


def ordered_trie(items: Sequence[bytes]) -> Trie:
    """Return the trie that `ordered_root` is the root of."""
    trie = Trie(no_nodes)
    for index, item in enumerate(items):
        trie.put(ordered_key(index), item)
    return trie


def ordered_key(index: int) -> bytes:
    """Return the key of item `index` in an ordered trie."""
    return encode(encode_uint(index))
