"""Applying and reverting changes: exactly there and back, and never onto another state."""

from collections.abc import Iterator

import pytest

from node.errors import CorruptStore, CriticalError
from node.state.flat_state import FlatState
from node.state.trie_state import empty_state
from node.state.view import StateChanges
from node.state.world_state import WorldState
from node.storage.database import Database, Table
from node.storage.node_table import append_nodes, next_number
from node.storage.schema import (
    apply_changes,
    flat_state_root,
    number_key,
    revert,
    storage_key,
)
from node.types.primitives import EMPTY_TRIE_ROOT, Address
from node.types.rlp_codec import encode

ALICE, CONTRACT = Address(b"\x01" * 20), Address(b"\x02" * 20)
NEIGHBOUR = Address(b"\x02" * 19 + b"\x03")


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as opened:
        yield opened


@pytest.fixture
def genesis() -> StateChanges:
    world = WorldState(empty_state())
    world.set_balance(ALICE, 1000)
    world.set_nonce(CONTRACT, 1)
    world.set_storage(CONTRACT, 1, 11)
    world.set_storage(CONTRACT, 2, 22)
    world.set_storage(NEIGHBOUR, 1, 33)
    return world.changes()


def apply(database: Database, changes: StateChanges) -> bytes:
    with database.write() as transaction:
        append_nodes(transaction, changes.nodes.moved(next_number(transaction)))
        return apply_changes(transaction, changes)


def undo(database: Database, record: bytes) -> None:
    with database.write() as transaction:
        revert(transaction, record)


def deletion(database: Database, root: StateChanges) -> StateChanges:
    with database.read() as snapshot:
        world = WorldState(FlatState(snapshot, root.root))
        world.delete_account(CONTRACT)
        world.end_transaction()
        return world.changes()


def tables(database: Database) -> dict[Table, list[tuple[bytes, bytes]]]:
    with database.read() as snapshot:
        kept = (Table.CODES, Table.TRIE_NODES)  # never taken back
        content = {table: list(snapshot.items(table)) for table in Table if table not in kept}
    content[Table.META] = [row for row in content[Table.META] if row[0] != b"next_node"]
    return content


def test_keys_are_in_the_order_of_numbers() -> None:
    numbers = [0, 1, 255, 256, 2**32, 2**63]
    assert sorted(map(number_key, numbers)) == [number_key(number) for number in numbers]
    assert storage_key(ALICE, 1) == ALICE + bytes(31) + b"\x01"


def test_there_and_back(database: Database, genesis: StateChanges) -> None:
    empty = tables(database)
    record = apply(database, genesis)
    with database.read() as snapshot:
        assert flat_state_root(snapshot) == genesis.state_root
    undo(database, record)
    assert tables(database) == empty


def test_all_storage_of_a_deleted_account_goes_and_comes_back(
    database: Database, genesis: StateChanges
) -> None:
    """The block that deletes it need not have read it."""
    apply(database, genesis)
    before = tables(database)
    record = apply(database, deletion(database, genesis))
    assert [key for key, _ in tables(database)[Table.STORAGE]] == [storage_key(NEIGHBOUR, 1)]
    undo(database, record)
    assert tables(database) == before


def test_changes_apply_only_to_their_parent(database: Database, genesis: StateChanges) -> None:
    apply(database, genesis)
    with pytest.raises(CriticalError, match=f"expected to be at root 0x{EMPTY_TRIE_ROOT.hex()}"):
        apply(database, genesis)


def test_a_record_reverts_only_its_own_block(database: Database, genesis: StateChanges) -> None:
    first = apply(database, genesis)
    apply(database, deletion(database, genesis))
    before = tables(database)
    with pytest.raises(CriticalError, match="flat state: expected"):
        undo(database, first)
    assert tables(database) == before


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "input ends"),
        (encode([]), "expected 4 items"),
        (encode([bytes(32), b"short", [], []]), "expected 32 bytes"),
        (encode([bytes(32), EMPTY_TRIE_ROOT, [[b"short", b""]], []]), "expected 20 bytes"),
        (encode([bytes(32), EMPTY_TRIE_ROOT, [], [[ALICE, b""]]]), "expected 3 items"),
    ],
)
def test_a_malformed_record_is_corruption(database: Database, record: bytes, reason: str) -> None:
    before = tables(database)
    with pytest.raises(CorruptStore, match=f"undo record: .*{reason}"):
        undo(database, record)
    assert tables(database) == before
