"""Which nodes one state holds and another does not, found by walking both where they differ."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from node.errors import CorruptStore, DecodingError
from node.state.trie import load_node
from node.state.trie_node import Branch, Child, Extension, Leaf
from node.state.view import checked_node, decode_account
from node.types.primitives import EMPTY_TRIE_ROOT, Hash32

_Find: TypeAlias = Callable[[Hash32], bytes | None]
_KEY_DIGITS = 64


def lost_nodes(find: _Find, before: Hash32, after: Hash32) -> Iterator[bytes]:
    """Yield the hashes of the nodes that the state under root `before` has and that under `after`
    has not: of the state trie, and of each account's storage trie, once for each trie.

    CorruptStore if a node of either is missing or damaged where they differ.
    """
    walk = _Walk(find, before, after)
    yield from walk.lost()
    for key, raw in walk.leaves_before.items():
        root_before = _storage_root(raw)
        root_after = _storage_root(walk.leaves_after.get(key))
        if root_before != root_after:
            yield from lost_trie_nodes(find, root_before, root_after)


def lost_trie_nodes(find: _Find, before: Hash32, after: Hash32) -> Iterator[bytes]:
    """Do what `lost_nodes` does for one secure trie, whatever its values are."""
    return _Walk(find, before, after).lost()


def _storage_root(raw: bytes | None) -> Hash32:
    if raw is None:
        return EMPTY_TRIE_ROOT
    try:
        return decode_account(raw).storage_root
    except DecodingError as error:
        raise CorruptStore(f"account in a state trie: {error}") from error


class _Walk:
    """Both tries from the root down, level by level: what both have in one place is left alone.

    In a secure trie a node can only be in one place, so that this finds all that they share.
    """

    def __init__(self, find: _Find, before: Hash32, after: Hash32) -> None:
        self._find = find
        # By number of digits: hashes by path, of nodes not yet visited.
        self._before: list[dict[str, bytes]] = [{} for _ in range(_KEY_DIGITS + 1)]
        self._after: list[dict[str, bytes]] = [{} for _ in range(_KEY_DIGITS + 1)]
        self.leaves_before: dict[str, bytes] = {}
        self.leaves_after: dict[str, bytes] = {}
        for level, root in ((self._before, before), (self._after, after)):
            if root != EMPTY_TRIE_ROOT:
                level[0][""] = root

    def lost(self) -> Iterator[bytes]:
        """Yield the hashes; the leaves are complete when it is through."""
        for level in range(_KEY_DIGITS + 1):
            before, after = self._before[level], self._after[level]
            self._before[level], self._after[level] = {}, {}
            for path, node_hash in before.items():
                if after.get(path) != node_hash:
                    yield node_hash
                    self._open(path, node_hash, self._before, self.leaves_before)
            for path, node_hash in after.items():
                if before.get(path) != node_hash:
                    self._open(path, node_hash, self._after, self.leaves_after)

    def _open(
        self,
        path: str,
        node_hash: bytes,
        levels: list[dict[str, bytes]],
        leaves: dict[str, bytes],
    ) -> None:
        raw = checked_node(Hash32(node_hash), self._find(Hash32(node_hash)))
        pending: list[tuple[str, Child]] = [(path, load_node(Hash32(node_hash), raw))]
        while pending:
            path, child = pending.pop()
            if isinstance(child, bytes):
                levels[len(path)][path] = child
            elif isinstance(child, Leaf):
                leaves[path + child.path] = child.value
            elif isinstance(child, Extension):
                pending.append((path + child.path, child.child))
            else:
                pending += _below(path, child)


def _below(path: str, branch: Branch) -> Iterator[tuple[str, Child]]:
    for digit, child in zip("0123456789abcdef", branch.children, strict=True):
        if child is not None:
            yield path + digit, child
