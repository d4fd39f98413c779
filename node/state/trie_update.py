"""A batch of changes to a trie: one walk from the root, each node decoded and hashed once at most.

Nodes stay RLP, and are split into parts only where that is needed (`node/state/trie_codec.py`).
Nothing is changed in place, so nodes can be kept between batches.
"""

from collections.abc import Sequence
from typing import TypeAlias

from node.state.linked_node import (
    NUMBER_SIZE,
    LinkedNode,
    NewNodes,
    NodeSource,
    Reference,
    links_of,
    rlp_of,
)
from node.state.trie_codec import (
    LINKED_SIZE,
    NOTHING,
    Short,
    branch_node,
    child_place,
    extension_node,
    leaf_node,
    leaf_value,
    split_node,
    string_content,
    string_part,
    with_child,
)
from node.types.primitives import keccak256

Item: TypeAlias = tuple[str, bytes, bytes]
"""A path from the root, the value it shall have (empty means none) and the link of its leaf."""

_DIGITS = "0123456789abcdef"
# A node shorter than 32 bytes, which names no child by hash, and its number of links.
_MAX_INLINE = 1 + 31
_INDEX = {digit: index for index, digit in enumerate(_DIGITS)}


class TrieUpdate:
    """Batches of changes to tries: what they gain goes into `new`, the numbers of the nodes that
    they lose into `lost`.

    Batches are sorted by path, with each path once. CorruptStore when a node is missing or
    malformed.
    """

    __slots__ = ("_node_source", "lost", "new")

    def __init__(self, node_source: NodeSource, new: NewNodes) -> None:
        self._node_source = node_source
        self.new = new
        self.lost: list[bytes] = []

    def apply(self, root: Reference | None, items: Sequence[Item]) -> Reference | None:
        """Return the root (None: an empty trie) after changes, which are not empty themselves."""
        if root is None:
            new = self._build([item for item in items if item[1]], 0)
        else:
            old = self._node_source(root)
            new = self._update(old, items, 0)
            if new is old:
                return root
            self.lost.append(root[32:])
        return self._keep(new)[1:] if new else None

    def _update(self, node: LinkedNode, items: Sequence[Item], depth: int) -> LinkedNode | None:
        """Return what a node becomes: None if nothing is left, the same object if unchanged."""
        if len(items) == 1:
            return self._update_one(node, items, depth)
        return self._update_whole(node, items, depth)

    def _update_whole(
        self, node: LinkedNode, items: Sequence[Item], depth: int
    ) -> LinkedNode | None:
        parts = split_node(node)
        if isinstance(parts, list):
            return self._update_branch(node, parts, {}, items, depth)
        return self._update_short(node, parts, items, depth)

    def _update_one(self, top: LinkedNode, items: Sequence[Item], depth: int) -> LinkedNode | None:
        """Do what `_update` does for a single change, which most nodes below the top see.

        Branches are not split: one hash and one link are replaced in them.
        """
        path = items[0][0]
        end = len(path)
        source, lost, add = self._node_source, self.lost, self.new.add
        above: list[tuple[LinkedNode, int, tuple[int, int]]] = []
        node = top
        while depth < end:
            index = _INDEX[path[depth]]
            place = child_place(node, index)
            if place is None:
                break
            link, at = place
            above.append((node, index, place))
            node = source(node[at : at + 32] + node[link : link + NUMBER_SIZE])
            depth += 1
        new = self._update_leaf(node, items[0], depth) or self._update_whole(node, items, depth)
        if new is node:
            return top
        for node, index, place in reversed(above):
            lost.append(node[place[0] : place[0] + NUMBER_SIZE])
            if new and len(new) > _MAX_INLINE:
                digest = keccak256(new[1 + NUMBER_SIZE * new[0] :])
                new = with_child(node, place, add(new), digest)
            else:
                parts = split_node(node)
                assert isinstance(parts, list)
                new = self._rebuilt_branch(parts, [(index, new)])
        return new

    @staticmethod
    def _update_leaf(node: LinkedNode, item: Item, depth: int) -> LinkedNode | None:
        """Return what becomes of a leaf that gets a value; None if it takes more than a glance."""
        path, value, link = item
        found = value and leaf_value(node, path[depth:])
        if not found:
            return None
        part = string_part(value)
        if part == found and link == links_of(node):
            return node
        return leaf_node(path[depth:], part, link)

    def _update_branch(
        self,
        node: LinkedNode | None,
        parts: list[bytes],
        loose: dict[int, LinkedNode],
        items: Sequence[Item],
        depth: int,
    ) -> LinkedNode | None:
        """Change a branch, whose parts are `parts`, but for the nodes in `loose`."""
        changed: list[tuple[int, LinkedNode | None]] = []
        start, count = 0, len(items)
        value = parts[16]
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
            part = parts[index]
            if part != NOTHING:
                old = self._child(part)
                new = self._update(old, below, depth + 1)
                if new is not old:
                    changed.append((index, new))
                    self._lose(part)
            elif index in loose:
                changed.append((index, self._update(loose.pop(index), below, depth + 1)))
            else:
                new = self._build([item for item in below if item[1]], depth + 1)
                if new:
                    changed.append((index, new))
        changed += loose.items()
        if value == parts[16]:
            return self._rebuilt_branch(parts, changed) if changed else node
        parts[16] = value
        return self._rebuilt_branch(parts, changed)

    def _rebuilt_branch(
        self, parts: list[bytes], changed: Sequence[tuple[int, LinkedNode | None]]
    ) -> LinkedNode | None:
        """Put changed children into a branch, or return what remains if that is one at most."""
        if not all(new for _, new in changed) or parts.count(NOTHING) > 15:
            children = dict(changed)
            present = [i for i, part in enumerate(parts) if children.get(i, part != NOTHING)]
            if len(present) < 2:
                return self._collapsed(parts, present, children)
        for index, new in changed:
            parts[index] = self._part(new) if new else NOTHING
        return branch_node(parts)

    def _collapsed(
        self,
        parts: list[bytes],
        present: Sequence[int],
        changed: dict[int, LinkedNode | None],
    ) -> LinkedNode | None:
        """Return what a branch with one entry at most becomes."""
        if not present:
            return None
        index = present[0]
        part = parts[index]
        if index == 16:
            return leaf_node("", part, b"")
        only = changed.get(index)
        if only:
            return self._joined(_DIGITS[index], only)
        only = self._child(part)
        if isinstance(split_node(only), list):
            return extension_node(_DIGITS[index], part)
        self._lose(part)
        return self._joined(_DIGITS[index], only)

    def _joined(self, prefix: str, node: LinkedNode) -> LinkedNode:
        """Put `prefix` before a node that nothing refers to by its hash."""
        parts = split_node(node)
        if isinstance(parts, list):
            return extension_node(prefix, self._part(node))
        path, below, is_leaf, link = parts
        if is_leaf:
            return leaf_node(prefix + path, below, link)
        return extension_node(prefix + path, below)

    def _update_short(
        self, node: LinkedNode, parts: Short, items: Sequence[Item], depth: int
    ) -> LinkedNode | None:
        path, below, is_leaf, link = parts
        if not is_leaf:
            return self._update_extension(node, path, below, items, depth)
        if len(items) == 1 and items[0][0][depth:] == path:
            value = string_part(items[0][1])
            if value == NOTHING:
                return None
            new = leaf_node(path, value, items[0][2])
            return node if new == node else new
        whole = items[0][0][:depth] + path
        merged = [item for item in items if item[1]]
        if all(item[0] != whole for item in items):
            merged.append((whole, string_content(below), link))
            merged.sort()
        changed = self._build(merged, depth)
        return node if changed == node else changed

    def _update_extension(
        self, node: LinkedNode, path: str, part: bytes, items: Sequence[Item], depth: int
    ) -> LinkedNode | None:
        shared = min(_shared(items[0][0], path, depth), _shared(items[-1][0], path, depth))
        if shared < len(path):
            # What is deleted beside the path is not there.
            items = [item for item in items if item[1] or item[0].startswith(path, depth)]
            if not items:
                return node
            shared = min(_shared(items[0][0], path, depth), _shared(items[-1][0], path, depth))
        if shared < len(path):
            return self._forked(path, part, items, depth, shared)
        old = self._child(part)
        new = self._update(old, items, depth + len(path))
        if new is old:
            return node
        self._lose(part)
        return self._joined(path, new) if new else None

    def _forked(
        self, path: str, part: bytes, items: Sequence[Item], depth: int, shared: int
    ) -> LinkedNode | None:
        """Change an extension from whose path new ones part after `shared` digits."""
        parts = [NOTHING] * 17
        index, rest = _INDEX[path[shared]], path[shared + 1 :]
        loose: dict[int, LinkedNode] = {}
        if rest:
            loose[index] = extension_node(rest, part)
        else:
            parts[index] = part
        node = self._update_branch(None, parts, loose, items, depth + shared)
        return self._joined(path[:shared], node) if shared and node else node

    def _build(self, items: Sequence[Item], depth: int) -> LinkedNode | None:
        """Return the node of values alone; None if there are none."""
        return self._built(items, depth) if items else None

    def _built(self, items: Sequence[Item], depth: int) -> LinkedNode:
        if len(items) == 1:
            path, value, link = items[0]
            return leaf_node(path[depth:], string_part(value), link)
        first = items[0][0]
        shared = _shared(items[-1][0], first[depth:], depth)
        if shared:
            branch = self._build_branch(items, depth + shared)
            return extension_node(first[depth : depth + shared], self._part(branch))
        return self._build_branch(items, depth)

    def _build_branch(self, items: Sequence[Item], depth: int) -> LinkedNode:
        parts = [NOTHING] * 17
        start, count = 0, len(items)
        if len(items[0][0]) == depth:
            parts[16] = string_part(items[0][1])
            start = 1
        while start < count:
            digit = items[start][0][depth]
            stop = start + 1
            while stop < count and items[stop][0][depth] == digit:
                stop += 1
            parts[_INDEX[digit]] = self._part(self._built(items[start:stop], depth + 1))
            start = stop
        return branch_node(parts)

    def _child(self, part: bytes) -> LinkedNode:
        """Return the node that a part stands for."""
        return self._node_source(part[1:]) if len(part) == LINKED_SIZE else b"\x00" + part

    def _lose(self, part: bytes) -> None:
        if len(part) == LINKED_SIZE:
            self.lost.append(part[33:])

    def _part(self, node: LinkedNode) -> bytes:
        """Return the part that stands for a node, which the trie then has."""
        return self._keep(node) if len(node) > _MAX_INLINE else node[1:]

    def _keep(self, node: LinkedNode) -> bytes:
        return b"\xa0" + keccak256(rlp_of(node)) + self.new.add(node)


def _shared(whole: str, path: str, depth: int) -> int:
    """Return how many digits of `path` stand in `whole` from `depth` on."""
    if whole.startswith(path, depth):
        return len(path)
    for index, digit in enumerate(path):
        if whole[depth + index : depth + index + 1] != digit:
            return index
    return len(path)
