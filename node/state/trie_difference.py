"""Which nodes one state holds and another does not, found by walking both where they differ."""

from collections.abc import Iterator

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import NodeSource, Reference, reference_to
from node.state.trie_node import Branch, Child, Extension, Leaf, decode_linked
from node.state.view import decode_account

_KEY_DIGITS = 64


def lost_nodes(
    source: NodeSource, before: Reference | None, after: Reference | None
) -> Iterator[bytes]:
    """Yield the numbers of the nodes that the state under root `before` has and that under `after`
    has not: of the state trie, and of all storage tries. A root of None is the empty state.

    CorruptStore if a node of either is missing or damaged where they differ.
    """
    walk = _Walk(source, before, after)
    yield from walk.lost()
    for key, leaf in walk.leaves_before.items():
        root_before = _storage_root(leaf)
        root_after = _storage_root(walk.leaves_after.get(key))
        if root_before != root_after:
            yield from lost_trie_nodes(source, root_before, root_after)


def lost_trie_nodes(
    source: NodeSource, before: Reference | None, after: Reference | None
) -> Iterator[bytes]:
    """Do what `lost_nodes` does for one secure trie, whatever its values are."""
    return _Walk(source, before, after).lost()


def _storage_root(leaf: Leaf | None) -> Reference | None:
    if leaf is None:
        return None
    try:
        return reference_to(decode_account(leaf.value).storage_root, leaf.link)
    except DecodingError as error:
        raise CorruptStore(f"account in a state trie: {error}") from error


class _Walk:
    """Both tries from the root down, level by level: what both have in one place is left alone.

    A node is only ever in one place of one trie, so that this finds all that they share.
    """

    def __init__(
        self, source: NodeSource, before: Reference | None, after: Reference | None
    ) -> None:
        self._source = source
        # By number of digits: references by path, to nodes not yet visited.
        self._before: list[dict[str, Reference]] = [{} for _ in range(_KEY_DIGITS + 1)]
        self._after: list[dict[str, Reference]] = [{} for _ in range(_KEY_DIGITS + 1)]
        self.leaves_before: dict[str, Leaf] = {}
        self.leaves_after: dict[str, Leaf] = {}
        for level, root in ((self._before, before), (self._after, after)):
            if root is not None:
                level[0][""] = root

    def lost(self) -> Iterator[bytes]:
        """Yield the numbers; the leaves are complete when it is through."""
        for level in range(_KEY_DIGITS + 1):
            before, after = self._before[level], self._after[level]
            self._before[level], self._after[level] = {}, {}
            for path, reference in before.items():
                if after.get(path) != reference:
                    yield reference[32:]
                    self._open(path, reference, self._before, self.leaves_before)
            for path, reference in after.items():
                if before.get(path) != reference:
                    self._open(path, reference, self._after, self.leaves_after)

    def _open(
        self,
        path: str,
        reference: Reference,
        levels: list[dict[str, Reference]],
        leaves: dict[str, Leaf],
    ) -> None:
        pending: list[tuple[str, Child]] = [(path, decode_linked(self._source(reference)))]
        while pending:
            path, child = pending.pop()
            if isinstance(child, bytes):
                levels[len(path)][path] = child
            elif isinstance(child, Leaf):
                leaves[path + child.path] = child
            elif isinstance(child, Extension):
                pending.append((path + child.path, child.child))
            else:
                pending += _below(path, child)


def _below(path: str, branch: Branch) -> Iterator[tuple[str, Child]]:
    for digit, child in zip("0123456789abcdef", branch.children, strict=True):
        if child is not None:
            yield path + digit, child
