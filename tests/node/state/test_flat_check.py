"""Every changed, added or missing byte of the flat state is found and its account is named."""

from collections.abc import Iterator

import pytest

from node.engine import Engine
from node.errors import CorruptStore
from node.genesis import genesis_block, l2_genesis
from node.genesis.predeploys import L1_BLOCK_ADDRESS
from node.state.flat_check import check_flat_state
from node.storage.database import Database
from node.storage.schema import Table
from node.types.primitives import Address

GENESIS = l2_genesis(chain_id=901, timestamp=0)
ROOT = genesis_block(GENESIS).block.header.state_root


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as opened:
        Engine(opened, GENESIS.config).initialise(GENESIS)
        yield opened


def check(database: Database) -> None:
    with database.read() as snapshot:
        check_flat_state(snapshot, ROOT)


def rewrite(database: Database, table: Table, key: bytes, value: bytes | None) -> None:
    with database.write() as tx:
        if value is None:
            tx.delete(table, key)
        else:
            tx.put(table, key, value)


def test_a_store_as_it_was_written_is_fine(database: Database) -> None:
    check(database)


@pytest.mark.parametrize("table", [Table.ACCOUNTS, Table.STORAGE])
def test_each_changed_byte_is_found(database: Database, table: Table) -> None:
    with database.read() as snapshot:
        rows = list(snapshot.items(table))
    assert rows
    for key, value in rows:
        for position in range(0, len(value), 7):
            changed = bytearray(value)
            changed[position] ^= 1
            rewrite(database, table, key, bytes(changed))
            with pytest.raises(CorruptStore, match="flat state"):
                check(database)
        rewrite(database, table, key, None)
        with pytest.raises(CorruptStore, match="flat state"):
            check(database)
        rewrite(database, table, key, value)
    check(database)


def test_the_account_is_named(database: Database) -> None:
    rewrite(database, Table.STORAGE, L1_BLOCK_ADDRESS + bytes(31) + b"\x07", b"\x01")
    with pytest.raises(CorruptStore, match=f"flat state of 0x{L1_BLOCK_ADDRESS.hex()}"):
        check(database)


@pytest.mark.parametrize("owner", [Address(bytes(20)), Address(b"\xff" * 20)])
def test_slots_of_nobody_are_found(database: Database, owner: Address) -> None:
    rewrite(database, Table.STORAGE, owner + bytes(32), b"\x01")
    with pytest.raises(CorruptStore, match="which is no account"):
        check(database)
