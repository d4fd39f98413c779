"""The state while blocks run: every account and slot in plain dictionaries, with one journal.

This is py-evm's account database (the methods have its names), on any `StateView`. A checkpoint is
a length of the journal. A journal entry is (mapping, key, previous value): going back to a
checkpoint writes the previous values back, latest first.
"""

from typing import Any, Final

from node.state.linked_node import NewNodes, Reference, reference_to
from node.state.trie import Trie
from node.state.view import EMPTY_ACCOUNT, Account, StateChanges, StateView
from node.types.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    UINT64_MAX,
    UINT256_MAX,
    Address,
    Hash32,
    keccak256,
)
from node.types.rlp_codec import encode, encode_uint


class _Absent:
    """The type of `_ABSENT`, the previous value of a key that was not in its mapping."""


_ABSENT: Final = _Absent()


class _Storage:
    """The storage of one account."""

    __slots__ = ("current", "is_detached", "original")

    def __init__(self, is_detached: bool) -> None:
        self.current: dict[int, int] = {}
        # What the slots that this transaction wrote held when it began (EIP-2200).
        self.original: dict[int, int] = {}
        # Whether slots that are not in `current` are 0, rather than what the view says.
        self.is_detached = is_detached


class WorldState:
    """A changeable state on top of `view`, which stays as it is.

    Amounts are in wei. ValueError for a balance or nonce out of range. An account that does not
    exist reads as an empty one, and is created by writing to it.
    """

    def __init__(self, view: StateView) -> None:
        self._view = view
        self._journal: list[tuple[dict[Any, Any], Any, Any]] = []  # mappings of several types
        self._accounts: dict[Address, Account | None] = {}
        self._storages: dict[Address, _Storage] = {}
        self._codes: dict[Hash32, bytes] = {}
        self._written: list[_Storage] = []  # those with entries in `original`
        self._transient: dict[tuple[Address, int], bytes] = {}
        self._warm_addresses: dict[Address, bool] = {}
        self._warm_slots: dict[tuple[Address, int], bool] = {}
        # What the view said, for all that was read from it.
        self._viewed_accounts: dict[Address, Account | None] = {}
        self._viewed_slots: dict[Address, dict[int, int]] = {}

    # Accounts

    def account(self, address: Address) -> Account | None:
        """Return an account as it is now, but with the storage root that it had in the view."""
        try:
            return self._accounts[address]
        except KeyError:
            account = self._view.account(address)
            self._viewed_accounts[address] = account
            self._accounts[address] = account
            return account

    def set_account(self, address: Address, account: Account) -> None:
        """Replace an account as a whole, its storage apart; nonce and balance must be in range."""
        self._set_account(address, self.account(address), account)

    def _set_account(
        self, address: Address, before: Account | None, account: Account | None
    ) -> None:
        self._journal.append((self._accounts, address, before))
        self._accounts[address] = account

    def get_balance(self, address: Address) -> int:
        account = self.account(address)
        return 0 if account is None else account.balance

    def set_balance(self, address: Address, balance: int) -> None:
        if not 0 <= balance <= UINT256_MAX:
            raise ValueError(f"balance of 0x{address.hex()}: {balance} is not a 256-bit number")
        before = self.account(address)
        nonce, _, storage_root, code_hash = before or EMPTY_ACCOUNT
        self._set_account(address, before, Account(nonce, balance, storage_root, code_hash))

    def add_balance(self, address: Address, amount: int) -> None:
        """Add `amount` (negative: take it away) to a balance; touches the account even if 0."""
        before = self.account(address)
        nonce, balance, storage_root, code_hash = before or EMPTY_ACCOUNT
        balance += amount
        if not 0 <= balance <= UINT256_MAX:
            raise ValueError(f"balance of 0x{address.hex()}: {balance} is not a 256-bit number")
        self._set_account(address, before, Account(nonce, balance, storage_root, code_hash))

    def get_nonce(self, address: Address) -> int:
        account = self.account(address)
        return 0 if account is None else account.nonce

    def set_nonce(self, address: Address, nonce: int) -> None:
        if not 0 <= nonce <= UINT64_MAX:
            raise ValueError(f"nonce of 0x{address.hex()}: {nonce} is not a 64-bit number")
        before = self.account(address)
        _, balance, storage_root, code_hash = before or EMPTY_ACCOUNT
        self._set_account(address, before, Account(nonce, balance, storage_root, code_hash))

    def increment_nonce(self, address: Address) -> None:
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code(self, address: Address) -> bytes:
        account = self.account(address)
        if account is None or account.code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(account.code_hash)
        if code is None:
            code = self._codes[account.code_hash] = self._view.code(account.code_hash)
        return code

    def get_code_hash(self, address: Address) -> Hash32:
        account = self.account(address)
        return EMPTY_CODE_HASH if account is None else account.code_hash

    def set_code(self, address: Address, code: bytes) -> None:
        code_hash = keccak256(code)
        self._codes[code_hash] = code
        before = self.account(address)
        self._set_account(address, before, (before or EMPTY_ACCOUNT)._replace(code_hash=code_hash))

    def delete_code(self, address: Address) -> None:
        before = self.account(address)
        emptied = (before or EMPTY_ACCOUNT)._replace(code_hash=EMPTY_CODE_HASH)
        self._set_account(address, before, emptied)

    def touch_account(self, address: Address) -> None:
        """Mark an account for removal at the end of the transaction, should it be empty then."""
        before = self.account(address)
        self._set_account(address, before, before or EMPTY_ACCOUNT)

    def delete_account(self, address: Address) -> None:
        """Remove an account with its storage, at once."""
        self.delete_storage(address)
        self._set_account(address, self.account(address), None)

    def account_exists(self, address: Address) -> bool:
        return self.account(address) is not None

    def account_has_code_or_nonce(self, address: Address) -> bool:
        account = self.account(address)
        return account is not None and (account.nonce != 0 or account.code_hash != EMPTY_CODE_HASH)

    def account_is_empty(self, address: Address) -> bool:
        """Whether an account is empty in the sense of EIP-161; one that does not exist is."""
        account = self.account(address)
        return account is None or account.is_empty

    # Storage

    def get_storage(self, address: Address, slot: int, from_journal: bool = True) -> int:
        """Return the value of a slot now, or when the transaction began unless `from_journal`.

        An account that was created in this transaction began with no storage.
        """
        storage = self._storages.get(address) or self._open_storage(address)
        if not from_journal and slot in storage.original:
            return storage.original[slot]
        value = storage.current.get(slot)
        return self._load_slot(address, storage, slot) if value is None else value

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        previous = self.get_storage(address, slot)
        if value == previous:
            return
        storage = self._storages[address]
        if slot not in storage.original:
            if not storage.original:
                self._written.append(storage)
            storage.original[slot] = previous
        self._journal.append((storage.current, slot, previous))
        storage.current[slot] = value

    def delete_storage(self, address: Address) -> None:
        """Remove all storage of an account, so that it reads 0 and counts as having begun so."""
        storage = self._storages.get(address) or self._open_storage(address)
        self._journal.append((self._storages, address, storage))
        self._storages[address] = _Storage(is_detached=True)

    def has_storage(self, address: Address) -> bool:
        """Whether any slot of an account is not 0 (EIP-7610)."""
        storage = self._storages.get(address) or self._open_storage(address)
        if any(storage.current.values()):
            return True
        scratch = NewNodes(self._view.next_node)
        return self._storage_trie(address, storage, scratch).commit() != EMPTY_TRIE_ROOT

    def _open_storage(self, address: Address) -> _Storage:
        self.account(address)
        viewed = self._viewed_accounts[address]
        has_none = viewed is None or viewed.storage_root == EMPTY_TRIE_ROOT
        storage = self._storages[address] = _Storage(is_detached=has_none)
        return storage

    def _load_slot(self, address: Address, storage: _Storage, slot: int) -> int:
        value = 0 if storage.is_detached else self._viewed_slot(address, slot)
        storage.current[slot] = value
        return value

    def _viewed_slot(self, address: Address, slot: int) -> int:
        slots = self._viewed_slots.setdefault(address, {})
        if slot not in slots:
            slots[slot] = self._view.storage(address, slot)
        return slots[slot]

    # Transient storage (EIP-1153)

    def get_transient_storage(self, address: Address, slot: int) -> bytes:
        """Return the value of a transient slot, empty where nothing was stored."""
        return self._transient.get((address, slot), b"")

    def set_transient_storage(self, address: Address, slot: int, value: bytes) -> None:
        self._write(self._transient, (address, slot), value)

    def clear_transient_storage(self) -> None:
        for key in list(self._transient):
            self._write(self._transient, key, b"")

    # Warm addresses and slots (EIP-2929)

    def is_address_warm(self, address: Address) -> bool:
        return address in self._warm_addresses

    def mark_address_warm(self, address: Address) -> None:
        if address not in self._warm_addresses:
            self._write(self._warm_addresses, address, True)

    def is_storage_warm(self, address: Address, slot: int) -> bool:
        return (address, slot) in self._warm_slots

    def mark_storage_warm(self, address: Address, slot: int) -> None:
        if (address, slot) not in self._warm_slots:
            self._write(self._warm_slots, (address, slot), True)

    # Checkpoints

    def _write(self, mapping: dict[Any, Any], key: object, value: object) -> None:
        self._journal.append((mapping, key, mapping.get(key, _ABSENT)))
        mapping[key] = value

    def record(self) -> int:
        """Return a checkpoint to `discard` or `commit`."""
        return len(self._journal)

    def discard(self, checkpoint: int) -> None:
        """Undo everything since `checkpoint`, warm marks and transient storage included."""
        journal = self._journal
        while len(journal) > checkpoint:
            mapping, key, previous = journal.pop()
            if previous is _ABSENT:
                del mapping[key]
            else:
                mapping[key] = previous

    def commit(self, checkpoint: int) -> None:
        """Keep everything since `checkpoint`; an earlier checkpoint can still undo it."""

    def effects(self, checkpoint: int) -> dict[tuple[object, ...], object]:
        """Return what has been written since `checkpoint`, with the values that it has now.

        Keys begin with what was written: an account, storage, a storage as a whole, a transient
        slot, a warm mark. Two runs from one checkpoint are equal if this is.
        """
        owners = {id(storage.current): address for address, storage in self._storages.items()}
        names = {
            id(self._accounts): "account",
            id(self._transient): "transient",
            id(self._warm_addresses): "warm address",
            id(self._warm_slots): "warm slot",
        }
        effects: dict[tuple[object, ...], object] = {}
        for mapping, key, _ in self._journal[checkpoint:]:
            if mapping is self._storages:
                effects["whole storage", key] = mapping[key].is_detached
            elif id(mapping) in names:
                effects[names[id(mapping)], key] = mapping[key]
            elif id(mapping) in owners:  # what a storage held that has been replaced is gone
                effects["storage", owners[id(mapping)], key] = mapping[key]
        return effects

    def end_transaction(self) -> None:
        """Make all changes final, as the state that the next transaction begins with.

        Accounts that were touched and are empty are removed (EIP-161). Nothing is warm any more,
        transient storage is empty, and earlier checkpoints are void.
        """
        accounts, storages = self._accounts, self._storages
        for mapping, address, _ in self._journal:
            if mapping is accounts:
                account = accounts[address]
                if account is not None and not account.balance and account.is_empty:
                    accounts[address] = None
                    storages[address] = _Storage(is_detached=True)
        for storage in self._written:
            storage.original.clear()
        self._written.clear()
        self._journal.clear()
        self._transient.clear()
        self._warm_addresses.clear()
        self._warm_slots.clear()

    def lock_changes(self) -> None:
        """py-evm's name for `end_transaction`."""
        self.end_transaction()

    # The result

    def changes(self) -> StateChanges:
        """Return how the state differs from the view, with its new root. Nothing is written.

        All writes count as they are now, but an empty account goes only when the transaction that
        touches it ends. CorruptStore if the view lacks a trie node.
        """
        view, viewed = self._view, self._viewed_accounts
        accounts: dict[Address, Account | None] = {}
        nodes = NewNodes(view.next_node)
        lost: list[bytes] = []
        links: dict[Address, bytes] = {}
        for address, account in sorted(self._accounts.items()):
            if not self._has_written_storage(address):
                if account != viewed[address]:
                    accounts[address] = account
                continue
            start = nodes.next
            trie = self._storage_trie(address, self._storages[address], nodes)
            rooted = self._with_storage_root(account, trie.commit())
            if rooted == viewed[address]:
                nodes.forget(start)
                continue
            accounts[address] = rooted
            links[address] = b"" if trie.root is None else trie.root[32:]
            lost += trie.lost
        state_trie = Trie(view.trie_node, view.root, nodes)
        for address, account in accounts.items():
            if account is None:
                state_trie.delete(keccak256(address))
            else:
                link = links[address] if address in links else self._link(address)
                state_trie.put(keccak256(address), account.encode(), link)
        state_root = state_trie.commit()
        cleared = sorted(filter(self._has_lost_storage, accounts))
        slots = [(a, slot) for a in accounts for slot in self._changed_slots(a)]
        return StateChanges(
            parent_root=view.state_root,
            state_root=state_root,
            accounts=accounts,
            storage={(a, slot): self._storages[a].current[slot] for a, slot in slots},
            previous_accounts={address: viewed[address] for address in accounts},
            previous_storage={(a, slot): self._slot_before(a, slot) for a, slot in slots},
            cleared_storage=frozenset(cleared),
            codes=self._new_codes(accounts),
            nodes=nodes,
            root=state_trie.root,
            lost_nodes=(*lost, *state_trie.lost),
            lost_tries=tuple(filter(None, map(self._viewed_storage, cleared))),
        )

    @staticmethod
    def _with_storage_root(account: Account | None, root: Hash32) -> Account | None:
        if account is None:
            return None if root == EMPTY_TRIE_ROOT else EMPTY_ACCOUNT._replace(storage_root=root)
        return account._replace(storage_root=root)

    def _viewed_storage(self, address: Address) -> Reference | None:
        """Return where the storage trie of an account is that the view has."""
        account = self._viewed_accounts[address]
        if account is None or account.storage_root == EMPTY_TRIE_ROOT:
            return None
        leaf = Trie(self._view.trie_node, self._view.root).leaf(keccak256(address))
        return reference_to(account.storage_root, b"" if leaf is None else leaf[1])

    def _link(self, address: Address) -> bytes:
        """Return the link of an account whose storage stays."""
        storage_root = self._viewed_storage(address)
        return b"" if storage_root is None else storage_root[32:]

    def _storage_trie(self, address: Address, storage: _Storage, nodes: NewNodes) -> Trie:
        root = None if storage.is_detached else self._viewed_storage(address)
        trie = Trie(self._view.trie_node, root, nodes)
        for slot in self._changed_slots(address):
            key, value = keccak256(slot.to_bytes(32, "big")), storage.current[slot]
            if value:
                trie.put(key, encode(encode_uint(value)))
            else:
                trie.delete(key)
        return trie

    def _changed_slots(self, address: Address) -> list[int]:
        """Return the slots that differ from the storage trie that the account builds on."""
        storage = self._storages.get(address)
        if storage is None:
            return []
        before = {} if storage.is_detached else self._viewed_slots.get(address, {})
        return sorted(
            slot for slot, value in storage.current.items() if value != before.get(slot, 0)
        )

    def _has_written_storage(self, address: Address) -> bool:
        storage = self._storages.get(address)
        return storage is not None and (storage.is_detached or bool(self._changed_slots(address)))

    def _slot_before(self, address: Address, slot: int) -> int:
        return 0 if self._storages[address].is_detached else self._viewed_slots[address][slot]

    def _has_lost_storage(self, address: Address) -> bool:
        viewed, storage = self._viewed_accounts[address], self._storages.get(address)
        has_stored = viewed is not None and viewed.storage_root != EMPTY_TRIE_ROOT
        return has_stored and storage is not None and storage.is_detached

    def _new_codes(self, accounts: dict[Address, Account | None]) -> dict[Hash32, bytes]:
        codes = {}
        for address, account in accounts.items():
            before = self._viewed_accounts[address] or EMPTY_ACCOUNT
            if account is not None and account.code_hash not in (before.code_hash, EMPTY_CODE_HASH):
                codes[account.code_hash] = self._codes[account.code_hash]
        return codes
