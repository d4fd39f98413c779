"""Trie nodes, and the numbers that lead from one to the next.

Nodes are numbered in the order in which they are written, from 1, and stored by number: what one
block writes lies together. A node names its children by hash; before it stand their numbers, the
links. A number is only where to look: what is found there must have the hash.

    how many links (1) | links (6 each, big-endian) | RLP
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from node.errors import CorruptStore
from node.types.primitives import EMPTY_TRIE_ROOT, Hash32, keccak256

NUMBER_SIZE = 6

Reference: TypeAlias = bytes
"""The hash of a node and its number (big-endian), one after the other."""

LinkedNode: TypeAlias = bytes
"""A node behind its links: the numbers of the children that it names by hash, in its order. A leaf
that is an account with storage has one, of the root of its storage trie.
"""

NodeSource: TypeAlias = Callable[[Reference], LinkedNode]
"""Returns the node of a reference, checked; CorruptStore if it is missing or damaged."""


@dataclass(slots=True)
class NewNodes:
    """Nodes that are to be written together, numbered from `first`; children before parents."""

    first: int
    nodes: list[LinkedNode] = field(default_factory=list)

    def add(self, node: LinkedNode) -> bytes:
        """Number a node, whose links have numbers; return the number as it is in links."""
        nodes = self.nodes
        number = (self.first + len(nodes)).to_bytes(NUMBER_SIZE, "big")
        nodes.append(node)
        return number

    def forget(self, number: int) -> None:
        """Take back this node and those that came after it, which nothing refers to."""
        del self.nodes[number - self.first :]

    @property
    def next(self) -> int:
        """The number after the last one."""
        return self.first + len(self.nodes)

    def find(self, reference: Reference) -> LinkedNode | None:
        """Return a node, None if it is not one of these."""
        index = int.from_bytes(reference[32:], "big") - self.first
        return self.nodes[index] if 0 <= index < len(self.nodes) else None

    def items(self) -> Iterator[tuple[bytes, LinkedNode]]:
        """Yield the nodes with their numbers, in order."""
        numbers = [n.to_bytes(NUMBER_SIZE, "big") for n in range(self.first, self.next)]
        return zip(numbers, self.nodes, strict=True)

    def moved(self, first: int) -> "NewNodes":
        """Return the same nodes numbered from `first`."""
        return NewNodes(first, [self._moved(node, first) for node in self.nodes])

    def _moved(self, node: LinkedNode, first: int) -> LinkedNode:
        links = links_of(node)
        moved = b"".join(
            moved_number(links[at : at + NUMBER_SIZE], self.first, first)
            for at in range(0, len(links), NUMBER_SIZE)
        )
        return linked(rlp_of(node), moved)


def number_bytes(number: int) -> bytes:
    """Return a number as it is in keys, links and references."""
    return number.to_bytes(NUMBER_SIZE, "big")


def moved_number(raw: bytes, before: int, after: int) -> bytes:
    """Return the number of a node if those from `before` on begin at `after` now."""
    number = int.from_bytes(raw, "big")
    return raw if number < before else number_bytes(number - before + after)


def root_hash(root: Reference | None) -> Hash32:
    """Return the root hash of a trie; None is the empty one."""
    return EMPTY_TRIE_ROOT if root is None else Hash32(root[:32])


def reference_to(node_hash: Hash32, link: bytes) -> Reference | None:
    """Return the root of the trie with this root hash; None if it is the empty one.

    Without a link there is no node: whoever asks for it is told so.
    """
    return None if node_hash == EMPTY_TRIE_ROOT else node_hash + (link or bytes(NUMBER_SIZE))


def no_nodes(reference: Reference) -> LinkedNode:
    """The node source of a trie that starts empty."""
    raise CorruptStore(f"trie node 0x{reference[:32].hex()} is missing")


def linked(rlp: bytes, links: bytes) -> LinkedNode:
    """Put links before a node."""
    return b"%c%b%b" % (len(links) // NUMBER_SIZE, links, rlp)


def links_of(node: LinkedNode) -> bytes:
    """Return the links of a node, one after another."""
    return node[1 : 1 + NUMBER_SIZE * node[0]]


def rlp_of(node: LinkedNode) -> bytes:
    """Return a node without its links."""
    return node[1 + NUMBER_SIZE * node[0] :]


def checked_node(reference: Reference, stored: bytes | None) -> LinkedNode:
    """Return what is stored under a number, if it is the node that it should be.

    CorruptStore if it is missing or has another hash. What is wrong with a link is found when it is
    followed.
    """
    if stored is None:
        raise CorruptStore(f"trie node {_show(reference)} is missing")
    if not stored or keccak256(stored[1 + NUMBER_SIZE * stored[0] :]) != reference[:32]:
        raise CorruptStore(f"trie node {_show(reference)}: the stored bytes have another hash")
    return stored


def _show(reference: Reference) -> str:
    return f"0x{reference[:32].hex()} (number {int.from_bytes(reference[32:], 'big')})"
