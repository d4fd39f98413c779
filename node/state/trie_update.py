"""A batch of changes to a trie: one walk from the root, each node decoded and hashed once at most.

A node is its RLP here, and a reference is the encoded item that stands for a node inside its
parent: 33 bytes with its hash, or a node shorter than 32 bytes itself. Nothing is changed in place,
so nodes can be kept between batches.
"""

from collections.abc import Sequence
from typing import TypeAlias

from node.state.trie_codec import (
    NOTHING,
    NodeSource,
    Short,
    branch_node,
    extension_node,
    leaf_node,
    split_node,
    string_content,
    string_part,
)
from node.types.primitives import Hash32, keccak256

Item: TypeAlias = tuple[str, bytes]
"""A path from the root and the value it shall have; empty means none."""

_DIGITS = "0123456789abcdef"
_INDEX = {digit: index for index, digit in enumerate(_DIGITS)}
_HASH_PART_SIZE = 33


class TrieUpdate:
    """The nodes that a trie gains (by hash) and loses (hashes) by batches of changes.

    Batches are sorted by path, with each path once. CorruptStore when a node is missing or
    malformed.
    """

    __slots__ = ("_node_source", "gained", "lost")

    def __init__(self, node_source: NodeSource) -> None:
        self._node_source = node_source
        self.gained: dict[Hash32, bytes] = {}
        self.lost: list[bytes] = []

    def apply(self, root: Hash32 | None, items: Sequence[Item]) -> Hash32 | None:
        """Return the root (None: an empty trie) after changes, which are not empty themselves."""
        if root is None:
            new = self._build([item for item in items if item[1]], 0)
        else:
            old = self._node_source(root)
            new = self._update(old, items, 0)
            if new is old:
                return root
            self.lost.append(root)
        return Hash32(self._keep(new)[1:]) if new else None

    def _update(self, raw: bytes, items: Sequence[Item], depth: int) -> bytes:
        """Return what a node becomes: empty if nothing is left, the same object if unchanged."""
        if len(items) == 1:
            return self._update_one(raw, items, depth)
        parts = split_node(raw)
        if isinstance(parts, list):
            return self._update_branch(raw, parts, {}, items, depth)
        return self._update_short(raw, parts, items, depth)

    def _update_one(self, raw: bytes, items: Sequence[Item], depth: int) -> bytes:
        """Do what `_update` does for a single change, which most nodes below the top see."""
        path = items[0][0]
        end = len(path)
        above: list[tuple[list[bytes], int, bytes]] = []
        node = raw
        while True:
            parts = split_node(node)
            if not isinstance(parts, list):
                new = self._update_short(node, parts, items, depth)
                break
            index = _INDEX[path[depth]] if depth < end else 16
            ref = parts[index]
            if index == 16 or ref == NOTHING:
                new = self._update_branch(node, parts, {}, items, depth)
                break
            above.append((parts, index, ref))
            node = self._node_source(Hash32(ref[1:])) if len(ref) == _HASH_PART_SIZE else ref
            depth += 1
        if new is node:
            return raw
        gained, lost = self.gained, self.lost
        while above:
            parts, index, ref = above.pop()
            if len(ref) == _HASH_PART_SIZE:
                lost.append(ref[1:])
            if len(new) >= 32:  # what `_reference` does, for most of all nodes
                node_hash = keccak256(new)
                gained[node_hash] = new
                parts[index] = b"\xa0" + node_hash
                new = branch_node(parts)
            elif new:
                parts[index] = new
                new = branch_node(parts)
            else:
                new = self._rebuilt_branch(parts, [(index, new)])
        return new

    def _update_branch(
        self,
        raw: bytes,
        refs: list[bytes],
        loose: dict[int, bytes],
        items: Sequence[Item],
        depth: int,
    ) -> bytes:
        """Change a branch, whose references are `refs`, but for the nodes in `loose`."""
        changed: list[tuple[int, bytes]] = []
        start, count = 0, len(items)
        value = refs[16]
        if len(items[0][0]) == depth:
            value = string_part(items[0][1])
            start = 1
        while start < count:
            digit = items[start][0][depth]
            stop = start + 1
            while stop < count and items[stop][0][depth] == digit:
                stop += 1
            below = items if stop - start == count else items[start:stop]
            start = stop
            index = _INDEX[digit]
            ref = refs[index]
            if ref != NOTHING:
                is_hash = len(ref) == _HASH_PART_SIZE
                old = self._node_source(Hash32(ref[1:])) if is_hash else ref
                new = self._update(old, below, depth + 1)
                if new is not old:
                    changed.append((index, new))
                    if is_hash:
                        self.lost.append(ref[1:])
            elif index in loose:
                changed.append((index, self._update(loose.pop(index), below, depth + 1)))
            else:
                new = self._build([item for item in below if item[1]], depth + 1)
                if new:
                    changed.append((index, new))
        changed += loose.items()
        if value != refs[16]:
            changed.append((16, value if value != NOTHING else b""))
        return self._rebuilt_branch(refs, changed) if changed else raw

    def _rebuilt_branch(self, refs: list[bytes], changed: list[tuple[int, bytes]]) -> bytes:
        """Put changed entries into a branch, or return what remains if that is one at most."""
        if not all(new for _, new in changed):
            nodes = dict(changed)
            present = [i for i, ref in enumerate(refs) if nodes.get(i, ref) not in (b"", NOTHING)]
            if len(present) < 2:
                return self._collapsed(refs, present, nodes)
        for index, new in changed:
            if index == 16:
                refs[16] = new or NOTHING
            else:
                refs[index] = self._reference(new) if new else NOTHING
        return branch_node(refs)

    def _collapsed(
        self, refs: list[bytes], present: Sequence[int], changed: dict[int, bytes]
    ) -> bytes:
        """Return what a branch with one entry at most becomes."""
        if not present:
            return b""
        index = present[0]
        if index == 16:
            return leaf_node("", changed.get(16, refs[16]))
        if index in changed:
            return self._joined(_DIGITS[index], changed[index])
        ref = refs[index]
        if len(ref) != _HASH_PART_SIZE:
            return self._joined(_DIGITS[index], ref)
        only = self._node_source(Hash32(ref[1:]))
        if isinstance(split_node(only), list):
            return extension_node(_DIGITS[index], ref)
        self.lost.append(ref[1:])
        return self._joined(_DIGITS[index], only)

    def _joined(self, prefix: str, raw: bytes) -> bytes:
        """Put `prefix` before a node that nothing refers to by its hash."""
        parts = split_node(raw)
        if isinstance(parts, list):
            return extension_node(prefix, self._reference(raw))
        path, below, is_leaf = parts
        return (leaf_node if is_leaf else extension_node)(prefix + path, below)

    def _update_short(self, raw: bytes, parts: Short, items: Sequence[Item], depth: int) -> bytes:
        path, below, is_leaf = parts
        if not is_leaf:
            return self._update_extension(raw, path, below, items, depth)
        if len(items) == 1 and items[0][0][depth:] == path:
            value = string_part(items[0][1])
            if value == below:
                return raw
            return b"" if value == NOTHING else leaf_node(path, value)
        whole = items[0][0][:depth] + path
        merged = [item for item in items if item[1]]
        if all(item[0] != whole for item in items):
            merged.append((whole, string_content(below)))
            merged.sort()
        new = self._build(merged, depth)
        return raw if new == raw else new

    def _update_extension(
        self, raw: bytes, path: str, ref: bytes, items: Sequence[Item], depth: int
    ) -> bytes:
        shared = min(_shared(items[0][0], path, depth), _shared(items[-1][0], path, depth))
        if shared < len(path):
            # What is deleted beside the path is not there.
            items = [item for item in items if item[1] or item[0].startswith(path, depth)]
            if not items:
                return raw
            shared = min(_shared(items[0][0], path, depth), _shared(items[-1][0], path, depth))
        if shared < len(path):
            return self._forked(path, ref, items, depth, shared)
        is_hash = len(ref) == _HASH_PART_SIZE
        old = self._node_source(Hash32(ref[1:])) if is_hash else ref
        new = self._update(old, items, depth + len(path))
        if new is old:
            return raw
        if is_hash:
            self.lost.append(ref[1:])
        return self._joined(path, new) if new else b""

    def _forked(
        self, path: str, ref: bytes, items: Sequence[Item], depth: int, shared: int
    ) -> bytes:
        """Change an extension from whose path new ones part after `shared` digits."""
        refs = [NOTHING] * 17
        index, rest = _INDEX[path[shared]], path[shared + 1 :]
        loose = {}
        if rest:
            loose[index] = extension_node(rest, ref)
        else:
            refs[index] = ref
        node = self._update_branch(b"", refs, loose, items, depth + shared)
        return self._joined(path[:shared], node) if shared else node

    def _build(self, items: Sequence[Item], depth: int) -> bytes:
        """Return the node of values alone; empty if there are none."""
        if len(items) < 2:
            return leaf_node(items[0][0][depth:], string_part(items[0][1])) if items else b""
        first = items[0][0]
        shared = _shared(items[-1][0], first[depth:], depth)
        if shared:
            branch = self._build_branch(items, depth + shared)
            return extension_node(first[depth : depth + shared], self._reference(branch))
        return self._build_branch(items, depth)

    def _build_branch(self, items: Sequence[Item], depth: int) -> bytes:
        refs = [NOTHING] * 17
        start, count = 0, len(items)
        if len(items[0][0]) == depth:
            refs[16] = string_part(items[0][1])
            start = 1
        while start < count:
            digit = items[start][0][depth]
            stop = start + 1
            while stop < count and items[stop][0][depth] == digit:
                stop += 1
            refs[_INDEX[digit]] = self._reference(self._build(items[start:stop], depth + 1))
            start = stop
        return branch_node(refs)

    def _reference(self, raw: bytes) -> bytes:
        """Return how a parent refers to a node, which the trie then has."""
        return raw if len(raw) < 32 else self._keep(raw)

    def _keep(self, raw: bytes) -> bytes:
        node_hash = keccak256(raw)
        self.gained[node_hash] = raw
        return b"\xa0" + node_hash


def _shared(whole: str, path: str, depth: int) -> int:
    """Return how many digits of `path` stand in `whole` from `depth` on."""
    if whole.startswith(path, depth):
        return len(path)
    for index, digit in enumerate(path):
        if whole[depth + index : depth + index + 1] != digit:
            return index
    return len(path)
