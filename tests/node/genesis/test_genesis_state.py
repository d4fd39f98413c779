"""A first state that is written piece by piece is the one that is made in memory."""

from dataclasses import replace

import pytest

from node.genesis import Genesis, GenesisAccount, genesis_block, l1_dev_genesis, l2_genesis
from node.genesis import genesis_state as module
from node.genesis.genesis_state import write_genesis
from node.state.flat_check import check_flat_state
from node.state.linked_node import root_hash
from node.state.trie_state import stored_state
from node.storage.database import Database
from node.storage.node_table import append_nodes
from node.storage.schema import Table, apply_changes, flat_state_root
from node.types.primitives import Address, keccak256
from tests.node.storage.stored_nodes import stored_nodes

STATE_TABLES = (
    Table.ACCOUNTS,
    Table.STORAGE,
    Table.CODES,
)


def many() -> Genesis:
    """Accounts of all kinds, two of them with equal storage."""
    slots = {number * number: number % 5 for number in range(60)}
    alloc = {
        Address(keccak256(b"%d" % number)[12:]): GenesisAccount(
            balance=number % 3, nonce=number % 2, storage=slots if number in (5, 9) else {}
        )
        for number in range(100)
    }
    genesis = l2_genesis(chain_id=901, timestamp=5)
    return replace(genesis, alloc={**genesis.alloc, **alloc})


@pytest.mark.parametrize("batch", [1, 7, 4096])
@pytest.mark.parametrize(
    "genesis",
    [l1_dev_genesis(timestamp=5), l2_genesis(chain_id=901, timestamp=5), many()],
    ids=["l1", "l2", "many"],
)
def test_it_is_the_state_of_the_block_in_memory(
    genesis: Genesis, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", batch)
    expected = genesis_block(genesis)
    with Database.open(None) as whole, Database.open(None) as pieces:
        with whole.write() as tx:
            apply_changes(tx, expected.changes)
            append_nodes(tx, expected.changes.nodes)
        with pieces.write() as tx:
            block, root = write_genesis(tx, genesis)
            assert block == expected.block
            assert root_hash(root) == block.header.state_root
        with whole.read() as one, pieces.read() as other:
            for table in STATE_TABLES:
                assert list(one.items(table)) == list(other.items(table)), table
            assert sorted(stored_nodes(one).values()) == sorted(stored_nodes(other).values())
            assert flat_state_root(one) == flat_state_root(other)
            check_flat_state(other, expected.block.header.state_root)
            state = stored_state(other, root)
            for address, account in expected.changes.accounts.items():
                assert state.account(address) == account
            for (address, slot), value in expected.changes.storage.items():
                assert state.storage(address, slot) == value


def test_an_empty_allocation_is_the_empty_state() -> None:
    genesis = replace(l1_dev_genesis(timestamp=5), alloc={})
    with Database.open(None) as database, database.write() as tx:
        assert write_genesis(tx, genesis) == (genesis_block(genesis).block, None)
