"""State of any block, read from its tries."""

from collections.abc import Callable
from functools import partial

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import (
    LinkedNode,
    NodeSource,
    Reference,
    no_nodes,
    reference_to,
    root_hash,
)
from node.state.trie import Trie
from node.state.view import EMPTY_ACCOUNT, Account, checked_code, decode_account
from node.storage.database import Snapshot
from node.storage.node_table import next_number, stored_node
from node.storage.schema import Table
from node.types.primitives import Address, Hash32, keccak256
from node.types.rlp_codec import as_uint, decode


class TrieState:
    """The state view under `root`, of nodes, and of codes by hash. Nodes that are made on it are
    numbered from `next_node`.

    Codes are checked against their hashes. CorruptStore when the sources lack something, or when
    what is under the root is not a state.
    """

    def __init__(
        self,
        node_source: NodeSource,
        root: Reference | None,
        code_source: Callable[[Hash32], bytes | None],
        next_node: int,
    ) -> None:
        self._node_source = node_source
        self._code_source = code_source
        self.root = root
        self.next_node = next_node
        self._trie = Trie(self.trie_node, root)
        self._nodes: dict[Reference, LinkedNode] = {}
        self._leaves: dict[Address, tuple[Account, bytes] | None] = {}
        self._storages: dict[Address, Trie] = {}

    @property
    def state_root(self) -> Hash32:
        return root_hash(self.root)

    def account(self, address: Address) -> Account | None:
        leaf = self._leaf(address)
        return None if leaf is None else leaf[0]

    def storage(self, address: Address, slot: int) -> int:
        trie = self._storages.get(address)
        if trie is None:
            account, link = self._leaf(address) or (EMPTY_ACCOUNT, b"")
            root = reference_to(account.storage_root, link)
            trie = self._storages[address] = Trie(self.trie_node, root)
        raw = trie.get(keccak256(slot.to_bytes(32, "big")))
        try:
            return 0 if raw is None else as_uint(decode(raw), "storage value")
        except DecodingError as error:
            raise CorruptStore(f"storage of 0x{address.hex()}, slot {slot}: {error}") from error

    def code(self, code_hash: Hash32) -> bytes:
        return checked_code(code_hash, self._code_source(code_hash))

    def trie_node(self, reference: Reference) -> LinkedNode:
        node = self._nodes.get(reference)
        if node is None:
            node = self._nodes[reference] = self._node_source(reference)
        return node

    def _leaf(self, address: Address) -> tuple[Account, bytes] | None:
        """Return an account, and the link to its storage trie."""
        try:
            return self._leaves[address]
        except KeyError:
            leaf = self._trie.leaf(keccak256(address))
        try:
            found = None if leaf is None else (decode_account(leaf[0]), leaf[1])
        except DecodingError as error:
            raise CorruptStore(f"account 0x{address.hex()}: {error}") from error
        self._leaves[address] = found
        return found


def stored_state(snapshot: Snapshot, root: Reference | None) -> TrieState:
    """Return the state under any root that the store holds. As short-lived as its snapshot."""
    return TrieState(
        partial(stored_node, snapshot),
        root,
        lambda code_hash: snapshot.get(Table.CODES, code_hash),
        next_number(snapshot),
    )


def empty_state() -> TrieState:
    """Return the state with no accounts, which a genesis block builds on."""
    return TrieState(no_nodes, None, lambda _: None, 1)
