"""Trie nodes that the newest blocks wrote, held in memory: the next ones change many of them."""

import threading
from collections.abc import Iterable

from node.state.linked_node import LinkedNode, NewNodes

_MAX_BYTES = 32 << 20
_ENTRY_OVERHEAD = 250  # of two bytes objects and their place in a dictionary


class NodeCache:
    """Nodes by number, about `max_bytes` of memory at most. For several threads.

    No number is ever given twice, so that a node kept too long costs room and nothing else. Nodes
    are in two halves: when the young one is full it becomes the old one, whose nodes are forgotten
    unless they were used meanwhile.
    """

    __slots__ = ("_half", "_lock", "_old", "_size", "_young")

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._half = max_bytes // 2
        self._lock = threading.Lock()
        self._young: dict[bytes, LinkedNode] = {}
        self._old: dict[bytes, LinkedNode] = {}
        self._size = 0  # of the young half

    def get(self, number: bytes) -> LinkedNode | None:
        """Return the node with this number, None if it is not held."""
        node = self._young.get(number)
        if node is None:
            node = self._old.get(number)
            if node is not None:
                self._keep(number, node)
        return node

    def replace(self, gained: NewNodes, lost: Iterable[bytes]) -> None:
        """Follow a block that was committed: hold the nodes that it made, forget those it ended."""
        with self._lock:
            for number in lost:
                self._old.pop(number, None)
                node = self._young.pop(number, None)
                if node is not None:
                    self._size -= len(node) + _ENTRY_OVERHEAD
            self._young.update(gained.items())
            self._size += sum(map(len, gained.nodes)) + _ENTRY_OVERHEAD * len(gained.nodes)
            if self._size > self._half:
                self._turn()

    def _keep(self, number: bytes, node: LinkedNode) -> None:
        with self._lock:
            self._young[number] = node
            self._size += len(node) + _ENTRY_OVERHEAD
            if self._size > self._half:
                self._turn()

    def _turn(self) -> None:
        self._old, self._young, self._size = self._young, {}, 0
