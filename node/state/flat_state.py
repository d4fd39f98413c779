"""State at the head of the store, read from the flat tables: one lookup for each value."""

from node.errors import CorruptStore, CriticalError, DecodingError
from node.state.linked_node import LinkedNode, Reference, checked_node, root_hash
from node.state.node_cache import NodeCache
from node.state.view import Account, checked_code, decode_account
from node.storage.database import Snapshot
from node.storage.node_table import next_number
from node.storage.schema import Table, flat_state_root, storage_key
from node.types.primitives import Address, Hash32


class FlatState:
    """The state view of a block that the flat tables are at. As short-lived as its snapshot.

    `root` is its state trie. CriticalError if the tables are at another. Trie nodes are taken from
    `cache`; those that are loaded are kept as long as the view: who loads a node replaces it.
    """

    __slots__ = ("_account", "_cache", "_get", "_loaded", "_node", "next_node", "root")

    def __init__(
        self, snapshot: Snapshot, root: Reference | None, cache: NodeCache | None = None
    ) -> None:
        state_root = root_hash(root)
        actual = flat_state_root(snapshot)
        if actual != state_root:
            raise CriticalError(
                f"flat state: asked for root 0x{state_root.hex()}, it is at 0x{actual.hex()}"
            )
        self._get = snapshot.get
        self._account = snapshot.getter(Table.ACCOUNTS)
        self._node = snapshot.getter(Table.TRIE_NODES)
        self.root = root
        self.next_node = next_number(snapshot)
        self._cache = NodeCache() if cache is None else cache
        self._loaded: dict[bytes, LinkedNode] = {}

    @property
    def state_root(self) -> Hash32:
        return root_hash(self.root)

    def account(self, address: Address) -> Account | None:
        raw = self._account(address)
        try:
            return None if raw is None else decode_account(raw)
        except DecodingError as error:
            raise CorruptStore(f"flat state of 0x{address.hex()}: {error}") from error

    def storage(self, address: Address, slot: int) -> int:
        raw = self._get(Table.STORAGE, storage_key(address, slot))
        if raw is None:
            return 0
        if not 0 < len(raw) <= 32 or not raw[0]:
            raise CorruptStore(
                f"flat state of 0x{address.hex()}, slot {slot}: expected 1 to 32 bytes that do not "
                f"begin with zero, got 0x{raw[:33].hex()}"
            )
        return int.from_bytes(raw, "big")

    def code(self, code_hash: Hash32) -> bytes:
        return checked_code(code_hash, self._get(Table.CODES, code_hash))

    def trie_node(self, reference: Reference) -> LinkedNode:
        number = reference[32:]
        node = self._loaded.get(number) or self._cache.get(number)
        if node is None:
            node = self._loaded[number] = checked_node(reference, self._node(number))
        return node
