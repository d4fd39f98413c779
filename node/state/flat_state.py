"""State at the head of the store, read from the flat tables: one lookup for each value."""

from node.errors import CorruptStore, CriticalError, DecodingError
from node.state.node_cache import NodeCache
from node.state.view import Account, checked_code, checked_node, decode_account
from node.storage.database import Snapshot
from node.storage.schema import Table, flat_state_root, storage_key
from node.types.primitives import Address, Hash32


class FlatState:
    """The state view of the block that the flat tables are at. As short-lived as its snapshot.

    CriticalError if the tables are at another root than `state_root`. Trie nodes are taken from
    `cache`, and added to it.
    """

    __slots__ = ("_cache", "_get", "_state_root", "_trie_node")

    def __init__(
        self, snapshot: Snapshot, state_root: Hash32, cache: NodeCache | None = None
    ) -> None:
        actual = flat_state_root(snapshot)
        if actual != state_root:
            raise CriticalError(
                f"flat state: asked for root 0x{state_root.hex()}, it is at 0x{actual.hex()}"
            )
        self._get = snapshot.get
        self._trie_node = snapshot.trie_node
        self._state_root = state_root
        self._cache = NodeCache() if cache is None else cache

    @property
    def state_root(self) -> Hash32:
        return self._state_root

    def account(self, address: Address) -> Account | None:
        raw = self._get(Table.ACCOUNTS, address)
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

    def trie_node(self, node_hash: Hash32) -> bytes:
        raw = self._cache.get(node_hash)
        if raw is None:
            raw = checked_node(node_hash, self._trie_node(node_hash))
            self._cache.add(node_hash, raw)
        return raw
