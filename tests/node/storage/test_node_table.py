"""Nodes by number: appended, never given a number twice, and refused where something is wrong."""

from collections.abc import Iterator

import pytest

from node.errors import CorruptStore
from node.state.linked_node import LinkedNode, NewNodes, linked, number_bytes, rlp_of
from node.storage.database import Database
from node.storage.node_table import (
    StoredState,
    append_nodes,
    delete_nodes,
    find_state,
    next_number,
    put_state,
    state_root,
    stored_node,
)
from node.storage.schema import Table
from node.types.primitives import EMPTY_TRIE_ROOT, Hash32, keccak256

BLOCK = Hash32(b"\x01" * 32)
NODES: list[LinkedNode] = [
    linked(b"\xc0" * (40 + number), number_bytes(7) * (number % 3)) for number in range(20)
]


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as opened:
        with opened.write() as tx:
            append_nodes(tx, NewNodes(1, NODES))
        yield opened


def reference(number: int) -> bytes:
    return keccak256(rlp_of(NODES[number - 1])) + number_bytes(number)


def test_there_and_back(database: Database) -> None:
    with database.read() as snapshot:
        assert next_number(snapshot) == 21
        for number, node in enumerate(NODES, 1):
            assert stored_node(snapshot, reference(number)) == node


def test_no_number_is_given_twice(database: Database) -> None:
    with database.write() as tx:
        delete_nodes(tx, map(number_bytes, range(1, 21)))
        assert next_number(tx) == 21
        append_nodes(tx, NewNodes(21))
        assert next_number(tx) == 21
        append_nodes(tx, NewNodes(21, NODES[:1]))
        assert next_number(tx) == 22
    with Database.open(None) as empty, empty.read() as snapshot:
        assert next_number(snapshot) == 1


@pytest.mark.parametrize("first", [1, 10, 20])
def test_nodes_that_are_there_are_not_written_over(database: Database, first: int) -> None:
    with (
        pytest.raises(CorruptStore, match="trie_nodes: what comes next is there"),
        database.write() as tx,
    ):
        append_nodes(tx, NewNodes(first, NODES))
    with database.read() as snapshot:
        assert next_number(snapshot) == 21


def test_what_is_missing_or_another_is_named(database: Database) -> None:
    with database.write() as tx:
        delete_nodes(tx, [number_bytes(5)])
        tx.put(Table.TRIE_NODES, number_bytes(6), b"")
        with pytest.raises(CorruptStore, match=r"trie node 0x.* \(number 5\) is missing"):
            stored_node(tx, reference(5))
        for wrong in (reference(6), reference(7)[:32] + number_bytes(8)):
            with pytest.raises(CorruptStore, match="the stored bytes have another hash"):
                stored_node(tx, wrong)
        with pytest.raises(CorruptStore, match="trie node number 5: it is gone before its time"):
            delete_nodes(tx, [number_bytes(4), number_bytes(5)])


def test_states_of_blocks(database: Database) -> None:
    root = reference(9)
    with database.write() as tx:
        assert find_state(tx, BLOCK) is None
        with pytest.raises(CorruptStore, match=f"state of block 0x{BLOCK.hex()}: it is missing"):
            state_root(tx, BLOCK, EMPTY_TRIE_ROOT)
        put_state(tx, BLOCK, 5, root)
        assert find_state(tx, BLOCK) == StoredState(5, 9)
        assert state_root(tx, BLOCK, Hash32(root[:32])) == root
        put_state(tx, BLOCK, 5, None)
        assert find_state(tx, BLOCK) == StoredState(5, 0)
        assert state_root(tx, BLOCK, EMPTY_TRIE_ROOT) is None
        with pytest.raises(CorruptStore, match=r"number 0\) is missing"):
            stored_node(tx, state_root(tx, BLOCK, Hash32(root[:32])) or b"")


@pytest.mark.parametrize(("table", "key"), [(Table.STATES, BLOCK), (Table.META, b"next_node")])
def test_damage_is_named(database: Database, table: Table, key: bytes) -> None:
    with database.write() as tx:
        put_state(tx, BLOCK, 5, reference(9))
        value = tx.get(table, key)
        assert value is not None
        for place in range(len(value)):
            tx.put(table, key, value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :])
            with pytest.raises(CorruptStore, match=f"{table}: .*0x{key.hex()}"):
                (find_state(tx, BLOCK), next_number(tx))
