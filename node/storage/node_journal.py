"""The way of trie nodes into their table: first as a record of their commit, then slice by slice.

Nodes are ordered by hash, so that those of one block are all over the table: each would take a page
of its own to be written. So a commit writes what it did to the tries as one record, and brings only
one slice of the table up to date, the hashes with some first bits, with what this and the records
before it, `SLICES` of them, say about that slice. The next commit does the next slice. A record
that all slices have taken up is deleted.

What is stored says everything. Records in memory only save reading them again.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from node.errors import CorruptStore
from node.storage.node_holdings import change_holdings
from node.storage.node_record import NodeRecord, between, decode_record
from node.storage.schema import Table, number_key
from node.types.primitives import Hash32

if TYPE_CHECKING:  # the database needs this
    from node.storage.database import Snapshot, WriteTransaction

SLICES = 16
"""A record is stored until this many commits, its own among them, have each done their slice."""
_WIDTH = 256 // SLICES
_IN_MEMORY = SLICES + 2  # some for readers that are a little behind


class StagedNodes:
    """What a transaction has done to the tries so far."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, bytes] = {}
        self._held_again: list[bytes] = []
        self._let_go: list[bytes] = []

    def hold(self, nodes: Mapping[Hash32, bytes], repeated: Iterable[bytes]) -> None:
        """Hold each node once, and those of `repeated`, which are among them, once more."""
        self._held_again += nodes.keys() & self.nodes.keys()
        self._held_again += repeated
        self.nodes.update(nodes.items())

    def let_go(self, hashes: Iterable[bytes]) -> None:
        """End one holding of each node."""
        self._let_go += hashes

    def record(self) -> NodeRecord | None:
        """Return the record of it; None if nothing was done."""
        if not self.nodes and not self._let_go:
            return None
        return NodeRecord.of(self.nodes, self._held_again, self._let_go)


class NodeJournal:
    """The newest records by number, in memory. For several threads."""

    def __init__(self) -> None:
        self._records: dict[int, NodeRecord] = {}
        self._lock = threading.Lock()

    def record(self, snapshot: "Snapshot", number: int) -> NodeRecord:
        """Return a record that the snapshot has; CorruptStore if it is missing or damaged."""
        record = self._records.get(number)
        if record is None:
            key = number_key(number)
            raw = snapshot.get(Table.NODE_JOURNAL, key)
            if raw is None:
                raise CorruptStore(f"{Table.NODE_JOURNAL}: record 0x{key.hex()} is missing")
            record = decode_record(key, raw)
            self.keep(number, record)
        return record

    def keep(self, number: int, record: NodeRecord) -> None:
        """Keep a record that is stored; the oldest ones are forgotten."""
        with self._lock:
            self._records[number] = record
            for old in sorted(self._records)[:-_IN_MEMORY]:
                del self._records[old]

    def forget(self) -> None:
        """Forget all records: what is stored has been changed from outside."""
        with self._lock:
            self._records.clear()


class PendingNodes:
    """The nodes of a snapshot that may not be in their table yet. As short-lived as the snapshot.

    Records are read as they are needed, the newest first.
    """

    def __init__(self, journal: NodeJournal, snapshot: "Snapshot") -> None:
        self._journal = journal
        self._numbers = stored_records(_newest(snapshot))
        self._read: list[NodeRecord] = []

    def find(self, snapshot: "Snapshot", node_hash: bytes) -> bytes | None:
        """Return a node; None if no record has it."""
        for record in self._read:
            raw = record.nodes.get(node_hash)
            if raw is not None:
                return raw
        for number in self._numbers[len(self._read) :]:
            record = self._journal.record(snapshot, number)
            self._read.append(record)
            raw = record.nodes.get(node_hash)
            if raw is not None:
                return raw
        return None


def stored_records(newest: int) -> range:
    """Return the numbers of the records that are stored beside the newest one, and its own, from
    the newest down.
    """
    return range(newest, max(0, newest - SLICES + 1), -1)


def write_record(transaction: "WriteTransaction", journal: NodeJournal, record: NodeRecord) -> int:
    """Store a commit's record, and bring its slice of the table up to date; return its number.

    CorruptStore if a node is let go that nothing holds, or an older record is damaged.
    """
    before = _newest(transaction)
    number = before + 1
    older = [journal.record(transaction, other) for other in stored_records(before)]
    changes, nodes = _changes_of_slice(number % SLICES, [record, *older])
    change_holdings(transaction, changes, nodes)
    transaction.put(Table.NODE_JOURNAL, number_key(number), record.encode(number_key(number)))
    if number >= SLICES:
        transaction.delete(Table.NODE_JOURNAL, number_key(number - SLICES + 1))
    return number


def _changes_of_slice(
    number: int, records: Sequence[NodeRecord]
) -> tuple[dict[bytes, int], dict[bytes, bytes]]:
    """Return how the holdings of a slice's nodes change by the records, and the nodes gained."""
    first, last = number * _WIDTH, (number + 1) * _WIDTH - 1
    more: Counter[bytes] = Counter()
    less: Counter[bytes] = Counter()
    nodes: dict[bytes, bytes] = {}
    for record in records:
        held = between(record.held, first, last)
        nodes.update(zip(held, map(record.nodes.__getitem__, held), strict=True))
        more.update(held)
        more.update(between(record.held_again, first, last))
        less.update(between(record.let_go, first, last))
    changes = dict(more)
    for node_hash, count in less.items():
        changes[node_hash] = changes.get(node_hash, 0) - count
    return changes, nodes


def _newest(snapshot: "Snapshot") -> int:
    """Return the number of the newest record, 0 if there is none."""
    return int.from_bytes(snapshot.last_key(Table.NODE_JOURNAL) or b"", "big")
