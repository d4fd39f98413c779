"""The world state against a model, over blocks of transactions with nested checkpoints.

The blocks go through the store: written, read back flat and from tries, and unwound.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from node.state.flat_state import FlatState
from node.state.linked_node import Reference, root_hash
from node.state.trie_state import stored_state
from node.state.view import EMPTY_ACCOUNT, StateView
from node.state.world_state import WorldState
from node.storage.database import Database, Table
from node.storage.node_table import append_nodes
from node.storage.schema import apply_changes, flat_state_root, revert
from node.types.primitives import Address, keccak256
from tests.node.state.state_model import Model, ModelAccount

ADDRESSES = [Address(bytes([number]) * 20) for number in range(2)]
SLOTS = [1, 2**256 - 1]
addresses = st.sampled_from(ADDRESSES)
slots = st.sampled_from(SLOTS)
words = st.sampled_from([0, 1, 2**256 - 1])
codes = st.sampled_from([b"", b"\x00", b"\x60" * 40])
Tables = list[list[tuple[bytes, bytes]]]


class WorldHistory(RuleBasedStateMachine):
    """Random operations and reads. Reads are operations too: what was not read is not cached."""

    @initialize(flat=st.booleans())
    def begin(self, flat: bool) -> None:
        self.database = Database.open(None)
        self.model = Model()
        self.checkpoints: list[tuple[int, Model]] = []
        self.blocks: list[tuple[bytes, Tables, Reference | None, Model]] = []
        self.root: Reference | None = None
        self.open_world(flat=True)
        for address in ADDRESSES:
            self.set_nonce(address, 1)
            for slot in SLOTS:
                self.set_storage(address, slot, 1)
        self.end_block(flat)

    def open_world(self, flat: bool) -> None:
        self.snapshot_context = self.database.read()
        snapshot = self.snapshot_context.__enter__()
        view: StateView = stored_state(snapshot, self.root)
        if flat:
            view = FlatState(snapshot, self.root)
        self.world = WorldState(view)
        self.block_start = self.model.copy()

    def close_world(self) -> None:
        self.snapshot_context.__exit__(None, None, None)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.close_world()
            self.database.close()

    @rule(address=addresses, balance=words)
    def set_balance(self, address: Address, balance: int) -> None:
        self.world.set_balance(address, balance)
        self.model.touch(address).balance = balance

    @rule(address=addresses, share=st.integers(-2, 2))
    def add_balance(self, address: Address, share: int) -> None:
        amount = share * (2**256 // 2)
        before = self.world.get_balance(address)
        if 0 <= before + amount < 2**256:
            self.world.add_balance(address, amount)
            self.model.touch(address).balance = before + amount
        else:
            with pytest.raises(ValueError, match="is not a 256-bit number"):
                self.world.add_balance(address, amount)

    @rule(address=addresses, nonce=st.integers(0, 1), balance=words)
    def set_account(self, address: Address, nonce: int, balance: int) -> None:
        before = self.world.account(address) or EMPTY_ACCOUNT
        self.world.set_account(address, before._replace(nonce=nonce, balance=balance))
        account = self.model.touch(address)
        account.nonce, account.balance = nonce, balance

    @rule(address=addresses, nonce=st.sampled_from([0, 1, 2**64 - 1]))
    def set_nonce(self, address: Address, nonce: int) -> None:
        self.world.set_nonce(address, nonce)
        self.model.touch(address).nonce = nonce

    @rule(address=addresses, code=codes | st.none())
    def set_code(self, address: Address, code: bytes | None) -> None:
        if code is None:
            self.world.delete_code(address)
        else:
            self.world.set_code(address, code)
        self.model.touch(address).code = code or b""

    @rule(address=addresses)
    def become_empty(self, address: Address) -> None:
        """Nothing but storage is left of the account, and the transaction touches it."""
        self.set_balance(address, 0)
        self.set_nonce(address, 0)
        self.set_code(address, None)
        self.world.touch_account(address)

    @rule(address=addresses, slot=slots, value=words)
    def set_storage(self, address: Address, slot: int, value: int) -> None:
        if address in self.model.accounts:
            self.world.set_storage(address, slot, value)
            self.model.storage.setdefault(address, {})[slot] = value

    @rule(address=addresses)
    def delete_storage(self, address: Address) -> None:
        self.world.delete_storage(address)
        self.model.delete_storage(address)

    @rule(address=addresses)
    def delete_account(self, address: Address) -> None:
        self.world.delete_account(address)
        self.model.delete_account(address)

    @rule(address=addresses, slot=slots, value=st.sampled_from([b"", b"\x01", b"\xff" * 32]))
    def use_within_transaction(self, address: Address, slot: int, value: bytes) -> None:
        """Transient storage and warm marks."""
        self.world.set_transient_storage(address, slot, value)
        self.model.transient[address, slot] = value
        self.world.mark_address_warm(address)
        self.world.mark_storage_warm(address, slot)
        self.model.warm |= {address, (address, slot)}

    @rule()
    def clear_transient_storage(self) -> None:
        self.world.clear_transient_storage()
        self.model.transient.clear()

    @rule()
    def record(self) -> None:
        self.checkpoints.append((self.world.record(), self.model.copy()))

    @precondition(lambda self: self.checkpoints)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        """Also to an earlier checkpoint than the latest."""
        depth = data.draw(st.integers(1, len(self.checkpoints)))
        checkpoint, self.model = self.checkpoints[-depth]
        del self.checkpoints[-depth:]
        self.world.discard(checkpoint)
        self.all_agrees()

    @precondition(lambda self: self.checkpoints)
    @rule()
    def commit(self) -> None:
        checkpoint, _ = self.checkpoints.pop()
        self.world.commit(checkpoint)

    @rule()
    def end_transaction(self) -> None:
        self.world.end_transaction()
        self.model.end_transaction()
        self.checkpoints.clear()

    @rule(flat=st.booleans())
    def end_block(self, flat: bool) -> None:
        self.end_transaction()
        changes = self.world.changes()
        assert changes == self.world.changes()
        assert changes.state_root == self.model.root()
        assert changes.accounts.keys() == changes.previous_accounts.keys()
        assert changes.storage.keys() == changes.previous_storage.keys()
        assert all(changes.previous_accounts[key] != new for key, new in changes.accounts.items())
        before = self.tables()
        self.close_world()
        with self.database.write() as transaction:
            undo_record = apply_changes(transaction, changes)
            append_nodes(transaction, changes.nodes)
        self.blocks.append((undo_record, before, self.root, self.block_start))
        self.root = changes.root
        self.views_agree()
        self.open_world(flat)

    @precondition(lambda self: self.blocks)
    @rule(flat=st.booleans())
    def unwind(self, flat: bool) -> None:
        """Drop the block under way and the one before it."""
        undo_record, before, self.root, self.model = self.blocks.pop()
        self.close_world()
        with self.database.write() as transaction:
            revert(transaction, undo_record)
            assert flat_state_root(transaction) == root_hash(self.root)
        assert self.tables() == before
        self.checkpoints.clear()
        self.open_world(flat)

    def views_agree(self) -> None:
        with self.database.read() as snapshot:
            flat, tries = FlatState(snapshot, self.root), stored_state(snapshot, self.root)
            for address in ADDRESSES:
                assert flat.account(address) == tries.account(address)
                for slot in SLOTS:
                    assert flat.storage(address, slot) == tries.storage(address, slot)

    def tables(self) -> Tables:
        with self.database.read() as snapshot:
            return [list(snapshot.items(table)) for table in (Table.ACCOUNTS, Table.STORAGE)]

    @rule(address=addresses)
    def account_agrees(self, address: Address) -> None:
        world, model = self.world, self.model
        known = model.accounts.get(address)
        account = known or ModelAccount()
        assert world.account_exists(address) == (known is not None)
        assert world.get_balance(address) == account.balance
        assert world.get_nonce(address) == account.nonce
        assert world.get_code(address) == account.code
        assert world.get_code_hash(address) == keccak256(account.code)
        assert world.account_is_empty(address) == account.is_empty
        has_code_or_nonce = bool(account.code or account.nonce)
        assert world.account_has_code_or_nonce(address) == has_code_or_nonce
        has_storage = any(model.storage.get(address, {}).values())
        assert world.has_storage(address) == has_storage
        assert world.is_address_warm(address) == (address in model.warm)

    @rule(address=addresses, slot=slots)
    def storage_agrees(self, address: Address, slot: int) -> None:
        world, model = self.world, self.model
        original = model.original.get(address, {}).get(slot, 0)
        assert world.get_storage(address, slot, False) == original
        assert world.get_storage(address, slot) == model.storage.get(address, {}).get(slot, 0)
        assert world.is_storage_warm(address, slot) == ((address, slot) in model.warm)
        transient = model.transient.get((address, slot), b"")
        assert world.get_transient_storage(address, slot) == transient

    @rule()
    def all_agrees(self) -> None:
        for address in ADDRESSES:
            self.account_agrees(address)
            for slot in SLOTS:
                self.storage_agrees(address, slot)


TestWorldHistory = WorldHistory.TestCase
TestWorldHistory.settings = settings(max_examples=150, stateful_step_count=60)
