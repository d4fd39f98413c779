"""Trie nodes as a store has them."""

from collections.abc import Iterator
from contextlib import contextmanager

from node.state.linked_node import Reference, rlp_of
from node.storage.database import Database, Snapshot
from node.storage.node_table import state_root
from node.storage.schema import Table
from node.types.block import Header
from node.types.primitives import keccak256


def stored_nodes(snapshot: Snapshot) -> dict[bytes, bytes]:
    """Return the hash of each node by its number."""
    return {number: keccak256(rlp_of(raw)) for number, raw in snapshot.items(Table.TRIE_NODES)}


def state_of(database: Database, header: Header) -> Reference | None:
    """Return where the state of a block is."""
    with database.read() as snapshot:
        return state_root(snapshot, header.hash, header.state_root)


@contextmanager
def node_stored_as(
    database: Database, reference: Reference | None, raw: bytes | None
) -> Iterator[None]:
    """Change what is stored of a node, or remove it; put it back at the end."""
    assert reference is not None
    number = reference[32:]
    with database.write() as tx:
        before = tx.get(Table.TRIE_NODES, number)
        assert before is not None
        tx.delete(Table.TRIE_NODES, number)
        if raw is not None:
            tx.put(Table.TRIE_NODES, number, raw)
    yield
    with database.write() as tx:
        tx.put(Table.TRIE_NODES, number, before)
