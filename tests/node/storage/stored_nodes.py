"""Trie nodes as a store has them: their table and what the journal says beyond it."""

from collections.abc import Iterator
from contextlib import contextmanager

from node.storage.database import Database, Snapshot
from node.storage.node_journal import SLICES
from node.storage.node_record import NodeRecord, decode_record
from node.storage.schema import Table


def held_nodes(snapshot: Snapshot) -> dict[bytes, int]:
    """Return how often each node is held."""
    held = {key: 1 for key, _ in snapshot.items(Table.TRIE_NODES)}
    for key, raw in snapshot.items(Table.NODE_COUNTS):
        assert len(raw) == 4
        held[key] += int.from_bytes(raw, "big")
    assert all(held.values())
    records = {int.from_bytes(k, "big"): (k, v) for k, v in snapshot.items(Table.NODE_JOURNAL)}
    newest = max(records, default=0)
    for number, (key, raw) in records.items():
        record = decode_record(key, raw)
        for change, hashes in ((1, record.held), (1, record.held_again), (-1, record.let_go)):
            for node_hash in hashes:
                # The table has it if the slice was done in the record's own commit or later.
                if (newest - node_hash[0] * SLICES // 256) % SLICES > newest - number:
                    held[node_hash] = held.get(node_hash, 0) + change
    assert min(held.values(), default=0) >= 0
    return {node_hash: count for node_hash, count in held.items() if count}


@contextmanager
def node_stored_as(database: Database, node_hash: bytes, raw: bytes | None) -> Iterator[None]:
    """Change what is stored of a node, wherever that is, or remove it; put it back at the end."""
    before: list[tuple[Table, bytes, bytes]] = []
    with database.write() as tx:
        stored = tx.get(Table.TRIE_NODES, node_hash)
        if stored is not None:
            before.append((Table.TRIE_NODES, node_hash, stored))
            tx.delete(Table.TRIE_NODES, node_hash)
            if raw is not None:
                tx.put(Table.TRIE_NODES, node_hash, raw)
        for key, value in list(tx.items(Table.NODE_JOURNAL)):
            record = decode_record(key, value)
            if node_hash in record.nodes:
                before.append((Table.NODE_JOURNAL, key, value))
                tx.put(Table.NODE_JOURNAL, key, _with(record, node_hash, raw).encode(key))
    assert before
    database.node_journal.forget()
    yield
    with database.write() as tx:
        for place in before:
            tx.put(*place)
    database.node_journal.forget()


def _with(record: NodeRecord, node_hash: bytes, raw: bytes | None) -> NodeRecord:
    nodes = dict(record.nodes)
    if raw is None:
        del nodes[node_hash]
    else:
        nodes[node_hash] = raw
    return NodeRecord.of(nodes, record.held_again, record.let_go)
