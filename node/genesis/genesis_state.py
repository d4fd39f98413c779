"""The state of a first block, written piece by piece: it may be larger than the memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from node.genesis.genesis import MESSAGE_PASSER, Genesis, GenesisAccount, first_block
from node.state.trie import Trie
from node.state.view import Account, checked_node
from node.storage.database import WriteTransaction
from node.storage.node_holdings import change_holdings
from node.storage.schema import Table, set_flat_state_root, storage_key
from node.types.block import Block
from node.types.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Address,
    Hash32,
    keccak256,
)
from node.types.rlp_codec import encode, encode_uint

_BATCH = 4096
"""How many entries of a trie are put in at once."""


def write_genesis(tx: WriteTransaction, genesis: Genesis) -> Block:
    """Write the state of block 0 into tables that are empty; return the block, which is not
    written. It is the block of `genesis_block`.
    """
    alloc = genesis.alloc
    roots = {
        address: _write_storage(tx, address, alloc[address].storage)
        for address in sorted(alloc)
        if alloc[address].storage
    }
    for content in alloc.values():
        if content.code:
            tx.put(Table.CODES, keccak256(content.code), content.code)
    encoded = partial(_encoded, alloc, roots)
    tx.put_all(Table.ACCOUNTS, ((address, encoded(address)) for address in sorted(alloc)))
    state_root = _write_trie(tx, alloc, lambda address: encoded(Address(address)))
    set_flat_state_root(tx, state_root)
    return first_block(genesis, state_root, roots.get(MESSAGE_PASSER, EMPTY_TRIE_ROOT))


def _encoded(
    alloc: Mapping[Address, GenesisAccount], roots: Mapping[Address, Hash32], address: Address
) -> bytes:
    # Empty accounts are kept: geth does not apply EIP-161 to the genesis allocation.
    content = alloc[address]
    code_hash = keccak256(content.code) if content.code else EMPTY_CODE_HASH
    storage_root = roots.get(address, EMPTY_TRIE_ROOT)
    return Account(content.nonce, content.balance, storage_root, code_hash).encode()


def _write_storage(tx: WriteTransaction, address: Address, slots: Mapping[int, int]) -> Hash32:
    """Write an account's slots and their trie; return its root."""
    live = sorted(slot for slot, value in slots.items() if value)
    rows = ((storage_key(address, slot), encode_uint(slots[slot])) for slot in live)
    tx.put_all(Table.STORAGE, rows)
    return _write_trie(
        tx,
        (slot.to_bytes(32, "big") for slot in live),
        lambda key: encode(encode_uint(slots[int.from_bytes(key, "big")])),
    )


def _write_trie(
    tx: WriteTransaction, keys: Iterable[bytes], value: Callable[[bytes], bytes]
) -> Hash32:
    """Write the secure trie of these keys and their values; return its root.

    The nodes go into their table at once: there are too many for one record.
    """
    places = sorted(keccak256(key) + key for key in keys)
    root = EMPTY_TRIE_ROOT
    for start in range(0, len(places), _BATCH):
        trie = Trie(lambda digest: checked_node(digest, tx.get(Table.TRIE_NODES, digest)), root)
        for place in places[start : start + _BATCH]:
            trie.put(place[:32], value(place[32:]))
        root, gained = trie.commit()
        changes: Counter[bytes] = Counter(gained.keys())
        changes.subtract(trie.obsolete)
        change_holdings(tx, changes, dict(gained.items()))
    return root
