"""State of any block, read from its tries: history and witnesses."""

from collections.abc import Callable
from typing import TypeAlias

from node.errors import CorruptStore, DecodingError
from node.state.trie import Trie
from node.state.view import Account, checked_code, checked_node, decode_account
from node.storage.database import Snapshot
from node.storage.schema import Table
from node.types.primitives import (
    EMPTY_TRIE_ROOT,
    Address,
    Hash32,
    keccak256,
)
from node.types.rlp_codec import as_uint, decode

Source: TypeAlias = Callable[[Hash32], bytes | None]


class TrieState:
    """The state view under `state_root`, of nodes and codes that are looked up by hash.

    Everything is checked against its hash, so the sources need not be trusted. CorruptStore when
    they lack something, or when what is under the root is not a state.
    """

    __slots__ = ("_accounts", "_code_source", "_node_source", "_state_root", "_storages", "_trie")

    def __init__(self, node_source: Source, state_root: Hash32, code_source: Source) -> None:
        self._node_source = node_source
        self._code_source = code_source
        self._state_root = state_root
        self._trie = Trie(self.trie_node, state_root)
        self._accounts: dict[Address, Account | None] = {}
        self._storages: dict[Address, Trie] = {}

    @property
    def state_root(self) -> Hash32:
        return self._state_root

    def account(self, address: Address) -> Account | None:
        try:
            return self._accounts[address]
        except KeyError:
            raw = self._trie.get(keccak256(address))
        try:
            account = None if raw is None else decode_account(raw)
        except DecodingError as error:
            raise CorruptStore(f"account 0x{address.hex()}: {error}") from error
        self._accounts[address] = account
        return account

    def storage(self, address: Address, slot: int) -> int:
        trie = self._storages.get(address)
        if trie is None:
            account = self.account(address)
            root = EMPTY_TRIE_ROOT if account is None else account.storage_root
            trie = self._storages[address] = Trie(self.trie_node, root)
        raw = trie.get(keccak256(slot.to_bytes(32, "big")))
        try:
            return 0 if raw is None else as_uint(decode(raw), "storage value")
        except DecodingError as error:
            raise CorruptStore(f"storage of 0x{address.hex()}, slot {slot}: {error}") from error

    def code(self, code_hash: Hash32) -> bytes:
        return checked_code(code_hash, self._code_source(code_hash))

    def trie_node(self, node_hash: Hash32) -> bytes:
        return checked_node(node_hash, self._node_source(node_hash))


def stored_state(snapshot: Snapshot, state_root: Hash32) -> TrieState:
    """Return the state under any root that the store holds. As short-lived as its snapshot."""
    return TrieState(
        snapshot.trie_node,
        state_root,
        lambda code_hash: snapshot.get(Table.CODES, code_hash),
    )


def empty_state() -> TrieState:
    """Return the state with no accounts, which a genesis block builds on."""
    return TrieState(lambda _: None, EMPTY_TRIE_ROOT, lambda _: None)
