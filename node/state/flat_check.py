"""Whether the flat state is the state of the head: nothing else ever reads all of it."""

from node.errors import CorruptStore, DecodingError
from node.state.linked_node import no_nodes
from node.state.trie import Trie
from node.state.view import decode_account
from node.storage.database import Snapshot
from node.storage.schema import Table
from node.types.primitives import Address, Hash32, keccak256
from node.types.rlp_codec import encode


def check_flat_state(snapshot: Snapshot, state_root: Hash32) -> None:
    """Build the tries of all flat accounts and slots again.

    CorruptStore names the account whose slots or record are wrong, or both state roots if an
    account is missing or differs in its nonce, balance or code. Takes time and memory in proportion
    to the state.
    """
    state = Trie(no_nodes)
    slots = _StorageRoots(snapshot)
    for key, raw in snapshot.items(Table.ACCOUNTS):
        address = Address(key)
        try:
            account = decode_account(raw)
        except DecodingError as error:
            raise CorruptStore(f"flat state of 0x{address.hex()}: {error}") from error
        root = slots.root(address)
        if root != account.storage_root:
            raise CorruptStore(
                f"flat state of 0x{address.hex()}: expected storage root "
                f"0x{account.storage_root.hex()}, its slots give 0x{root.hex()}"
            )
        state.put(keccak256(address), raw)
    slots.expect_end()
    actual = state.commit()
    if actual != state_root:
        raise CorruptStore(
            f"flat state: expected state root 0x{state_root.hex()} (the head's), "
            f"its accounts give 0x{actual.hex()}"
        )


class _StorageRoots:
    """Walks the slots of all accounts once, in the order of the accounts."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._slots = snapshot.items(Table.STORAGE)
        self._next = next(self._slots, None)

    def root(self, address: Address) -> Hash32:
        """Return the storage root that an account's slots give; accounts come in key order."""
        trie = Trie(no_nodes)
        while self._next is not None and self._next[0][:20] <= address:
            key, value = self._next
            if key[:20] != address:
                self.expect_end()
            trie.put(keccak256(key[20:]), encode(value))
            self._next = next(self._slots, None)
        return trie.commit()

    def expect_end(self) -> None:
        """Refuse slots of an account that does not exist."""
        if self._next is not None:
            raise CorruptStore(
                f"flat state: a slot of 0x{self._next[0][:20].hex()}, which is no account"
            )
