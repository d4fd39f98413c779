"""The state of a first block, written piece by piece: it may be larger than the memory."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from node.genesis.genesis import MESSAGE_PASSER, Genesis, GenesisAccount, first_block
from node.state.linked_node import NewNodes, Reference, root_hash
from node.state.trie import Trie
from node.state.view import Account
from node.storage.database import WriteTransaction
from node.storage.node_table import append_nodes, delete_nodes, next_number, stored_node
from node.storage.schema import Table, set_flat_state_root, storage_key
from node.types.block import Block
from node.types.primitives import EMPTY_CODE_HASH, Address, keccak256
from node.types.rlp_codec import encode, encode_uint

_BATCH = 4096
"""How many entries of a trie are put in at once."""


def write_genesis(tx: WriteTransaction, genesis: Genesis) -> tuple[Block, Reference | None]:
    """Write the state of block 0 into tables that are empty; return the block, which is not
    written, and where its state is. It is the block of `genesis_block`.
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
    root = _write_trie(tx, alloc, lambda address: _leaf(encoded, roots, Address(address)))
    set_flat_state_root(tx, root_hash(root))
    passer_root = root_hash(roots.get(MESSAGE_PASSER))
    return first_block(genesis, root_hash(root), passer_root), root


def _leaf(
    encoded: Callable[[Address], bytes], roots: Mapping[Address, Reference | None], address: Address
) -> tuple[bytes, bytes]:
    root = roots.get(address)
    return encoded(address), b"" if root is None else root[32:]


def _encoded(
    alloc: Mapping[Address, GenesisAccount],
    roots: Mapping[Address, Reference | None],
    address: Address,
) -> bytes:
    # Empty accounts are kept: geth does not apply EIP-161 to the genesis allocation.
    content = alloc[address]
    code_hash = keccak256(content.code) if content.code else EMPTY_CODE_HASH
    storage_root = root_hash(roots.get(address))
    return Account(content.nonce, content.balance, storage_root, code_hash).encode()


def _write_storage(
    tx: WriteTransaction, address: Address, slots: Mapping[int, int]
) -> Reference | None:
    """Write an account's slots and their trie; return its root."""
    live = sorted(slot for slot, value in slots.items() if value)
    rows = ((storage_key(address, slot), encode_uint(slots[slot])) for slot in live)
    tx.put_all(Table.STORAGE, rows)
    return _write_trie(
        tx,
        (slot.to_bytes(32, "big") for slot in live),
        lambda key: (encode(encode_uint(slots[int.from_bytes(key, "big")])), b""),
    )


def _write_trie(
    tx: WriteTransaction, keys: Iterable[bytes], leaf: Callable[[bytes], tuple[bytes, bytes]]
) -> Reference | None:
    """Write the secure trie of these keys, each with its value and link; return its root."""
    places = sorted(keccak256(key) + key for key in keys)
    root: Reference | None = None
    for start in range(0, len(places), _BATCH):
        trie = Trie(partial(stored_node, tx), root, NewNodes(next_number(tx)))
        for place in places[start : start + _BATCH]:
            trie.put(place[:32], *leaf(place[32:]))
        trie.commit()
        append_nodes(tx, trie.new)
        delete_nodes(tx, trie.lost)
        root = trie.root
    return root
