"""Trie nodes of the newest state, held in memory between blocks."""

import threading
from collections.abc import Iterable, Mapping

from node.types.primitives import Hash32

_MAX_BYTES = 32 << 20
_ENTRY_OVERHEAD = 250  # of two bytes objects and their place in a dictionary


class NodeCache:
    """Checked nodes by hash, about `max_bytes` of memory at most. For several threads.

    A node never changes, so that one that is kept too long costs room and nothing else. Nodes are
    in two halves: when the young one is full it becomes the old one, whose nodes are forgotten
    unless they were used meanwhile.
    """

    __slots__ = ("_half", "_lock", "_old", "_size", "_young")

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._half = max_bytes // 2
        self._lock = threading.Lock()
        self._young: dict[Hash32, bytes] = {}
        self._old: dict[Hash32, bytes] = {}
        self._size = 0  # of the young half

    def get(self, node_hash: Hash32) -> bytes | None:
        """Return the node with this hash, None if it is not held."""
        raw = self._young.get(node_hash)
        if raw is None:
            raw = self._old.get(node_hash)
            if raw is not None:
                self.add(node_hash, raw)
        return raw

    def add(self, node_hash: Hash32, raw: bytes) -> None:
        """Hold a node that was checked against its hash."""
        with self._lock:
            self._young[node_hash] = raw
            self._size += len(raw) + _ENTRY_OVERHEAD
            if self._size > self._half:
                self._turn()

    def replace(self, gained: Mapping[Hash32, bytes], lost: Iterable[bytes]) -> None:
        """Follow a block that was committed: hold the nodes that it made, forget those it ended."""
        with self._lock:
            for node_hash in map(Hash32, lost):
                self._old.pop(node_hash, None)
                raw = self._young.pop(node_hash, None)
                if raw is not None:
                    self._size -= len(raw) + _ENTRY_OVERHEAD
            self._young.update(gained)
            self._size += sum(map(len, gained.values())) + _ENTRY_OVERHEAD * len(gained)
            if self._size > self._half:
                self._turn()

    def _turn(self) -> None:
        self._old, self._young, self._size = self._young, {}, 0
