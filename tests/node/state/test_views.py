"""Views of state, and what they do about stores that lack or spoil something."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import CorruptStore, CriticalError, DecodingError
from node.state.flat_state import FlatState
from node.state.linked_node import (
    LinkedNode,
    Reference,
    checked_node,
    no_nodes,
    root_hash,
)
from node.state.proofs import storage_root
from node.state.trie import Trie
from node.state.trie_state import TrieState, empty_state, stored_state
from node.state.view import (
    EMPTY_ACCOUNT,
    Account,
    StateChanges,
    StateView,
    checked_code,
    decode_account,
)
from node.state.world_state import WorldState
from node.storage.database import Database, Table
from node.storage.node_table import append_nodes
from node.storage.schema import apply_changes
from node.types.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    UINT64_MAX,
    UINT256_MAX,
    Address,
    Hash32,
    keccak256,
)
from node.types.rlp_codec import as_bytes, as_list, as_uint, decode
from tests.node.state.test_trie import built
from tests.node.storage.stored_nodes import node_stored_as

CONTRACT, STRANGER = Address(b"\x01" * 20), Address(b"\x02" * 20)
CODE = b"\x60\x00"
hashes = st.binary(min_size=32, max_size=32).map(Hash32)
accounts = st.builds(
    Account, st.integers(0, UINT64_MAX), st.integers(0, UINT256_MAX), hashes, hashes
)


@given(accounts)
def test_accounts_round_trip(account: Account) -> None:
    assert decode_account(account.encode()) == account


@given(accounts, st.integers(0, 120), st.binary(max_size=2), st.integers(0, 2))
def test_spoiled_accounts_are_decoded_as_strictly_as_any_rlp(
    account: Account, place: int, spoiled: bytes, removed: int
) -> None:
    whole = account.encode()
    raw = whole[:place] + spoiled + whole[place + removed :]
    try:
        decoded = decode_account(raw)
    except DecodingError:
        with pytest.raises((DecodingError, ValueError)):
            fields = as_list(decode(raw, 1), "account", 4)
            numbers = [as_uint(fields[0], "nonce", 64), as_uint(fields[1], "balance")]
            if any(len(as_bytes(field, "hash")) != 32 for field in fields[2:]):
                raise ValueError(numbers) from None
    else:
        assert decoded.encode() == raw


@pytest.mark.parametrize("raw", ["", "c0", "80", "c401020304"])
def test_malformed_accounts_are_refused(raw: str) -> None:
    with pytest.raises(DecodingError):
        decode_account(bytes.fromhex(raw))


def test_emptiness_ignores_storage() -> None:
    assert EMPTY_ACCOUNT.is_empty
    assert EMPTY_ACCOUNT._replace(storage_root=keccak256(b"")).is_empty
    assert not EMPTY_ACCOUNT._replace(nonce=1).is_empty
    assert not EMPTY_ACCOUNT._replace(balance=1).is_empty
    assert not EMPTY_ACCOUNT._replace(code_hash=keccak256(CODE)).is_empty


@pytest.fixture
def changes() -> StateChanges:
    world = WorldState(empty_state())
    world.set_code(CONTRACT, CODE)
    world.set_storage(CONTRACT, 5, 500)
    return world.changes()


@pytest.fixture
def database(changes: StateChanges) -> Iterator[Database]:
    with Database.open(None) as opened:
        with opened.write() as transaction:
            apply_changes(transaction, changes)
            append_nodes(transaction, changes.nodes)
        yield opened


@pytest.mark.parametrize("view_type", [FlatState, stored_state])
def test_a_view_shows_what_was_written(
    view_type: type[FlatState], database: Database, changes: StateChanges
) -> None:
    with database.read() as snapshot:
        view: StateView = view_type(snapshot, changes.root)
        assert view.state_root == changes.state_root
        account = view.account(CONTRACT)
        assert account == changes.accounts[CONTRACT]
        assert account is not None
        assert view.code(account.code_hash) == CODE
        assert view.code(EMPTY_CODE_HASH) == b""
        assert view.storage(CONTRACT, 5) == 500
        assert view.storage(CONTRACT, 6) == 0
        assert view.account(STRANGER) is None
        assert view.storage(STRANGER, 5) == 0
        assert view.root == changes.root
        assert view.next_node == changes.nodes.next
        assert changes.root is not None
        assert view.trie_node(changes.root) == changes.nodes.find(changes.root)


@pytest.mark.parametrize("view_type", [FlatState, stored_state])
def test_what_is_missing_or_changed_is_corruption(
    view_type: type[FlatState], database: Database, changes: StateChanges
) -> None:
    with database.write() as transaction:
        transaction.put(Table.CODES, keccak256(CODE), b"other")
    with node_stored_as(database, changes.root, None), database.read() as snapshot:
        view: StateView = view_type(snapshot, changes.root)
        assert changes.root is not None
        shown = rf"trie node 0x{changes.state_root.hex()} \(number {changes.nodes.next - 1}\)"
        with pytest.raises(CorruptStore, match=f"{shown} is missing"):
            view.trie_node(changes.root)
        with pytest.raises(CorruptStore, match="another hash"):
            view.code(keccak256(CODE))
        with pytest.raises(CorruptStore, match=r"code 0x.* is missing"):
            view.code(keccak256(b"unknown"))


def test_the_flat_state_is_not_taken_for_another(database: Database) -> None:
    with (
        database.read() as snapshot,
        pytest.raises(CriticalError, match=f"asked for root 0x{EMPTY_TRIE_ROOT.hex()}"),
    ):
        FlatState(snapshot, None)


def test_a_state_without_a_node_is_corruption(changes: StateChanges) -> None:
    account = changes.accounts[CONTRACT]
    assert account is not None

    def source(reference: Reference) -> LinkedNode:
        found = changes.nodes.find(reference)
        return checked_node(reference, found)

    root = storage_root(source, changes.root, CONTRACT)
    assert root_hash(root) == account.storage_root

    def lacking(reference: Reference) -> LinkedNode:
        return checked_node(reference, None) if reference == root else source(reference)

    view = TrieState(lacking, changes.root, changes.codes.get, changes.nodes.next)
    assert view.account(CONTRACT) == account
    with pytest.raises(CorruptStore, match="is missing"):
        view.storage(CONTRACT, 5)


def test_what_is_not_a_state_is_corruption() -> None:
    trie = built({keccak256(CONTRACT): b"not an account"})
    with pytest.raises(CorruptStore, match="account 0x0101"):
        TrieState(trie.node, trie.root, {}.get, trie.new.next).account(CONTRACT)
    with pytest.raises(CorruptStore, match="account 0x0101"):
        storage_root(trie.node, trie.root, CONTRACT)
    storage = built({keccak256(bytes(32)): b"\x00\x00"})
    assert storage.root is not None
    account = EMPTY_ACCOUNT._replace(storage_root=root_hash(storage.root)).encode()
    state = Trie(no_nodes, None, storage.new)
    state.put(keccak256(CONTRACT), account, storage.root[32:])
    state.commit()
    with pytest.raises(CorruptStore, match=r"storage of 0x0101.*, slot 0"):
        TrieState(state.node, state.root, {}.get, 9).storage(CONTRACT, 0)


def test_an_account_without_a_link_to_its_storage_is_corruption() -> None:
    account = EMPTY_ACCOUNT._replace(storage_root=keccak256(b"storage")).encode()
    state = built({keccak256(CONTRACT): account})
    with pytest.raises(CorruptStore, match="is missing"):
        TrieState(state.node, state.root, {}.get, 9).storage(CONTRACT, 0)


def test_the_empty_state() -> None:
    view = empty_state()
    assert view.state_root == EMPTY_TRIE_ROOT
    assert view.root is None
    assert view.account(CONTRACT) is None
    assert view.storage(CONTRACT, 0) == 0


def test_checked_code() -> None:
    assert checked_code(keccak256(CODE), CODE) == CODE
    assert checked_code(EMPTY_CODE_HASH, None) == b""
