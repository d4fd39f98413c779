"""What `WorldState.changes` reports, in the cases that a random history seldom meets."""

import pytest

from node.errors import CorruptStore
from node.state.linked_node import LinkedNode, NewNodes, Reference, checked_node, root_hash
from node.state.proofs import storage_root
from node.state.trie_state import TrieState, empty_state
from node.state.view import EMPTY_ACCOUNT, StateChanges
from node.state.world_state import WorldState
from node.types.primitives import (
    EMPTY_TRIE_ROOT,
    UINT64_MAX,
    UINT256_MAX,
    Address,
    keccak256,
)
from tests.node.execution.memory_chain import StateStore

ALICE, BOB, CONTRACT = (Address(bytes([number]) * 20) for number in (1, 2, 3))


def after(*blocks: StateChanges) -> WorldState:
    """A world on the state after `blocks`."""
    store = StateStore()
    for block in blocks:
        store.add(block)
    return WorldState(store.view(blocks[-1].state_root))


@pytest.fixture
def genesis() -> StateChanges:
    world = WorldState(empty_state())
    world.set_balance(ALICE, 1000)
    world.set_nonce(CONTRACT, 1)
    world.set_code(CONTRACT, b"code")
    world.set_storage(CONTRACT, 1, 11)
    world.set_storage(CONTRACT, 2, 22)
    return world.changes()


def test_no_changes(genesis: StateChanges) -> None:
    world = after(genesis)
    world.add_balance(ALICE, 1)
    world.add_balance(ALICE, -1)
    world.set_storage(CONTRACT, 1, 99)
    world.set_storage(CONTRACT, 1, 11)
    world.touch_account(BOB)
    world.end_transaction()
    changes = world.changes()
    assert changes == StateChanges(
        parent_root=genesis.state_root,
        state_root=genesis.state_root,
        accounts={},
        storage={},
        previous_accounts={},
        previous_storage={},
        cleared_storage=frozenset(),
        codes={},
        nodes=NewNodes(genesis.nodes.next),
        root=genesis.root,
        lost_nodes=(),
        lost_tries=(),
    )


def test_changes_of_values(genesis: StateChanges) -> None:
    world = after(genesis)
    world.set_storage(CONTRACT, 1, 0)
    world.set_storage(CONTRACT, 3, 33)
    world.set_balance(BOB, 7)
    changes = world.changes()
    assert changes.storage == {(CONTRACT, 1): 0, (CONTRACT, 3): 33}
    assert changes.previous_storage == {(CONTRACT, 1): 11, (CONTRACT, 3): 0}
    assert list(changes.accounts) == [BOB, CONTRACT]
    assert changes.accounts[BOB] == EMPTY_ACCOUNT._replace(balance=7)
    assert changes.previous_accounts == {BOB: None, CONTRACT: genesis.accounts[CONTRACT]}
    assert changes.cleared_storage == frozenset()


def test_changes_are_in_order_of_key() -> None:
    world = WorldState(empty_state())
    for address in (BOB, CONTRACT, ALICE):
        for slot in (9, 3, 6):
            world.set_storage(address, slot, 1)
    changes = world.changes()
    assert list(changes.accounts) == [ALICE, BOB, CONTRACT]
    assert list(changes.storage) == sorted(changes.storage)


def test_a_deleted_account_loses_its_storage(genesis: StateChanges) -> None:
    world = after(genesis)
    world.delete_account(CONTRACT)
    world.end_transaction()
    changes = world.changes()
    assert changes.accounts == {CONTRACT: None}
    assert changes.cleared_storage == {CONTRACT}
    assert changes.storage == {}
    assert not after(genesis, changes).account_exists(CONTRACT)


def test_an_account_created_anew_sees_no_old_storage(genesis: StateChanges) -> None:
    world = after(genesis)
    world.delete_account(CONTRACT)
    world.end_transaction()
    world.set_nonce(CONTRACT, 1)
    world.set_storage(CONTRACT, 2, 5)
    assert world.get_storage(CONTRACT, 1) == 0
    assert world.get_storage(CONTRACT, 2, from_journal=False) == 0
    world.end_transaction()
    changes = world.changes()
    assert changes.cleared_storage == {CONTRACT}
    assert changes.storage == {(CONTRACT, 2): 5}
    reread = after(genesis, changes)
    assert [reread.get_storage(CONTRACT, slot) for slot in (1, 2)] == [0, 5]


def test_leftover_storage_is_invisible_to_a_creation_and_back_after_its_failure(
    genesis: StateChanges,
) -> None:
    world = after(genesis)
    checkpoint = world.record()
    world.delete_storage(CONTRACT)
    world.set_storage(CONTRACT, 1, 5)
    assert world.get_storage(CONTRACT, 1, from_journal=False) == 0
    assert world.get_storage(CONTRACT, 2) == 0
    world.discard(checkpoint)
    assert [world.get_storage(CONTRACT, slot) for slot in (1, 2)] == [11, 22]
    assert world.get_storage(CONTRACT, 1, from_journal=False) == 11


def test_original_values_are_those_of_the_transactions_start(genesis: StateChanges) -> None:
    world = after(genesis)
    for value in (5, 6):
        world.set_storage(CONTRACT, 1, value)
        assert world.get_storage(CONTRACT, 1, from_journal=False) == 11
    world.end_transaction()
    assert world.get_storage(CONTRACT, 1, from_journal=False) == 6


def test_a_whole_transaction_can_be_undone_before_it_ends(genesis: StateChanges) -> None:
    world = after(genesis)
    world.set_balance(BOB, 5)
    world.end_transaction()
    checkpoint = world.record()
    world.set_balance(BOB, 6)
    world.delete_account(CONTRACT)
    world.discard(checkpoint)
    world.end_transaction()
    assert list(world.changes().accounts) == [BOB]
    assert world.get_balance(BOB) == 5


def test_has_storage(genesis: StateChanges) -> None:
    world = after(genesis)
    assert world.has_storage(CONTRACT)
    assert not world.has_storage(ALICE)
    assert not world.has_storage(BOB)
    world.set_storage(CONTRACT, 1, 0)
    assert world.has_storage(CONTRACT)
    world.set_storage(CONTRACT, 2, 0)
    assert not world.has_storage(CONTRACT)
    world.set_storage(ALICE, 1, 1)
    assert world.has_storage(ALICE)


def test_only_codes_that_accounts_ended_up_with_are_new(genesis: StateChanges) -> None:
    world = after(genesis)
    assert world.get_code(CONTRACT) == b"code"
    world.set_code(ALICE, b"replaced")
    world.set_code(ALICE, b"final")
    checkpoint = world.record()
    world.set_code(BOB, b"failed")
    world.discard(checkpoint)
    assert world.changes().codes == {keccak256(b"final"): b"final"}
    world.delete_code(CONTRACT)
    assert world.changes().codes == {keccak256(b"final"): b"final"}


def test_empty_accounts_stay_unless_a_transaction_touches_them() -> None:
    """A genesis allocation may hold such accounts, also with storage."""
    world = WorldState(empty_state())
    world.touch_account(ALICE)
    world.set_storage(BOB, 1, 1)
    changes = world.changes()
    bob = changes.accounts[BOB]
    assert changes.accounts[ALICE] == EMPTY_ACCOUNT
    assert bob is not None
    assert bob.storage_root != EMPTY_TRIE_ROOT
    later = after(changes)
    later.get_balance(ALICE)
    later.touch_account(BOB)
    later.end_transaction()
    assert later.changes().accounts == {BOB: None}
    assert later.changes().cleared_storage == {BOB}


def test_a_failed_touch_does_not_remove_an_empty_account() -> None:
    world = WorldState(empty_state())
    world.touch_account(ALICE)
    later = after(world.changes())
    checkpoint = later.record()
    later.touch_account(ALICE)
    later.discard(checkpoint)
    later.end_transaction()
    assert later.account_exists(ALICE)


def test_lock_changes_ends_the_transaction(genesis: StateChanges) -> None:
    world = after(genesis)
    world.mark_address_warm(ALICE)
    world.lock_changes()
    assert not world.is_address_warm(ALICE)


@pytest.mark.parametrize("balance", [-1, UINT256_MAX + 1])
def test_balances_out_of_range_are_refused(balance: int) -> None:
    with pytest.raises(ValueError, match="not a 256-bit number"):
        WorldState(empty_state()).set_balance(ALICE, balance)


def test_nonces_out_of_range_are_refused() -> None:
    world = WorldState(empty_state())
    world.set_nonce(ALICE, UINT64_MAX)
    with pytest.raises(ValueError, match="not a 64-bit number"):
        world.increment_nonce(ALICE)


def test_a_missing_node_is_corruption(genesis: StateChanges) -> None:
    store = StateStore()
    store.add(genesis)
    missing = storage_root(store.node, genesis.root, CONTRACT)

    def lacking(reference: Reference) -> LinkedNode:
        return checked_node(reference, None) if reference == missing else store.node(reference)

    world = WorldState(TrieState(lacking, genesis.root, genesis.codes.get, genesis.nodes.next))
    with pytest.raises(CorruptStore, match="is missing"):
        world.set_storage(CONTRACT, 1, 5)


def test_storage_that_is_made_again_and_equal_leaves_no_nodes(genesis: StateChanges) -> None:
    world = after(genesis)
    world.delete_storage(CONTRACT)
    world.set_storage(CONTRACT, 1, 11)
    world.set_storage(CONTRACT, 2, 22)
    world.set_balance(BOB, 1)
    changes = world.changes()
    assert list(changes.accounts) == [BOB]
    kept = storage_root(after(genesis)._view.trie_node, genesis.root, CONTRACT)
    view = after(genesis, changes)._view
    assert storage_root(view.trie_node, view.root, CONTRACT) == kept
    assert all(len(node) > 60 for node in changes.nodes.nodes)
    assert not changes.lost_tries


def test_a_state_that_comes_back_has_nodes_of_its_own(genesis: StateChanges) -> None:
    """A number has one lifetime: what was replaced is not taken up again."""
    away = after(genesis)
    away.set_storage(CONTRACT, 1, 99)
    there = away.changes()
    world = after(genesis, there)
    world.set_storage(CONTRACT, 1, 11)
    back = world.changes()
    assert back.state_root == genesis.state_root
    assert back.root != genesis.root
    assert back.nodes.first == there.nodes.next
    assert root_hash(back.root) == back.state_root
