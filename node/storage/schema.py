"""What the store holds: tables, their keys and values, and how a block changes the state tables.

Numbers in keys are 8 bytes big-endian, so that their order is the order of blocks.

| table        | key                          | value                                              |
|--------------|------------------------------|----------------------------------------------------|
| HEADERS      | block hash                   | header RLP                                         |
| BODIES       | block hash                   | RLP of transactions, ommers and withdrawals        |
| OPENINGS     | block hash                   | the first transaction, where the body is pruned    |
| RECEIPTS     | block hash                   | RLP list of EIP-2718 receipt encodings             |
| CANONICAL    | block number                 | block hash                                         |
| NUMBERS      | block hash                   | block number                                       |
| TRANSACTIONS | transaction hash             | where it is on the canonical chain                 |
| ATTRIBUTION  | see attribution_entries.py   | receipts, events of the Hub, who funded whom       |
| KEPT_PROOFS  | see kept_proofs.py           | what pruned blocks had that proves receipts        |
| BLOBS        | versioned hash               | row number, commitment, proof and blob of our L1   |
| BLOBS        | 00, row number               | block number, versioned hash: the oldest go first  |
| SAFE_HEADS   | L1 block number              | its hash, hash and number of the safe head from it |
| ACCOUNTS     | address                      | account RLP, as in the state trie                  |
| STORAGE      | address, slot (32 bytes)     | value, big-endian without leading zeros            |
| CODES        | code hash                    | code                                               |
| TRIE_NODES   | node number (6 bytes)        | number of links, links, node RLP                   |
| STATES       | block hash                   | numbers: first node it wrote, its state root       |
| GARBAGE      | `garbage_key`                | numbers of trie nodes to delete, one after another |
| UNDO         | block hash                   | what `revert` needs to undo this block (below)     |
| META         | name                         | single values: schema version, heads, ...          |

ACCOUNTS and STORAGE are the state after one block, the flat state; META's `state_root` says which.
CODES are found by hash and never deleted.

The nodes of the state trie and of all storage tries are numbered in the order in which they are
written: a block appends its own. `node/state/linked_node.py` says how one leads to the next,
`node/storage/node_table.py` how they are read and written, `node/pruning.py` when they go. META's
`next_node` is the next number.

An undo record is RLP: [state root before, state root after, [[address, account or empty], ...],
[[address, slot, value or empty], ...]], with the values from before the block.

Values are believed as far as something vouches for them: a hash in the key, the header's roots, the
block that an index points to. UNDO, OPENINGS, BLOBS (not their rows), STATES, GARBAGE and two of
META's (first block kept, next node) have nothing like that, and are sealed
(`node/storage/seal.py`).
ACCOUNTS and STORAGE are read too often for it: `openrollup replay` compares them with the head's
state root as a whole.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from node.errors import CorruptStore, DecodingError
from node.state.view import StateChanges
from node.types.primitives import EMPTY_TRIE_ROOT, Address, Hash32
from node.types.rlp_codec import RlpItem, as_bytes, as_list, decode, encode, encode_uint

if TYPE_CHECKING:  # the database needs the tables from here
    from node.storage.database import Snapshot, WriteTransaction

SCHEMA_VERSION = 5
SCHEMA_VERSION_KEY = b"schema_version"
_STATE_ROOT_KEY = b"state_root"


class Table(StrEnum):
    """The named databases inside the environment."""

    HEADERS = "headers"
    BODIES = "bodies"
    RECEIPTS = "receipts"
    OPENINGS = "openings"
    CANONICAL = "canonical"
    NUMBERS = "numbers"
    TRANSACTIONS = "transactions"
    ATTRIBUTION = "attribution"
    KEPT_PROOFS = "kept_proofs"
    BLOBS = "blobs"
    SAFE_HEADS = "safe_heads"
    ACCOUNTS = "accounts"
    STORAGE = "storage"
    CODES = "codes"
    TRIE_NODES = "trie_nodes"
    STATES = "states"
    GARBAGE = "garbage"
    UNDO = "undo"
    META = "meta"


def number_key(number: int) -> bytes:
    """Return the key of a block number."""
    return number.to_bytes(8, "big")


def storage_key(address: Address, slot: int) -> bytes:
    """Return the key of a storage slot in the flat state."""
    return address + slot.to_bytes(32, "big")


def garbage_key(number: int, block_hash: Hash32, kind: bytes, part: int) -> bytes:
    """Return the key of a part of what a block leaves behind; ordered by block number first."""
    return number_key(number) + block_hash + kind + part.to_bytes(4, "big")


def flat_state_root(snapshot: "Snapshot") -> Hash32:
    """Return the root of the state that ACCOUNTS and STORAGE hold."""
    return Hash32(snapshot.get(Table.META, _STATE_ROOT_KEY) or EMPTY_TRIE_ROOT)


def set_flat_state_root(transaction: "WriteTransaction", root: Hash32) -> None:
    """Record the root of the state that ACCOUNTS and STORAGE now hold."""
    _write(transaction, Table.META, _STATE_ROOT_KEY, b"" if root == EMPTY_TRIE_ROOT else root)


def apply_changes(transaction: "WriteTransaction", changes: StateChanges) -> bytes:
    """Write a block's changes to flat state and codes; return the undo record for `revert`.

    CorruptStore if the flat state is not the one that the changes start from.
    """
    _expect_root(transaction, changes.parent_root)
    previous_storage = {
        storage_key(address, slot): encode_uint(value)
        for (address, slot), value in changes.previous_storage.items()
    }
    for address in sorted(changes.cleared_storage):
        for key, value in list(transaction.items(Table.STORAGE, prefix=address)):
            previous_storage[key] = value
            transaction.delete(Table.STORAGE, key)
    _write_all(
        transaction,
        Table.ACCOUNTS,
        {
            address: account.encode() if account else b""
            for address, account in changes.accounts.items()
        },
    )
    _write_all(
        transaction,
        Table.STORAGE,
        {
            storage_key(address, slot): encode_uint(number)
            for (address, slot), number in changes.storage.items()
        },
    )
    transaction.put_all(Table.CODES, changes.codes.items())
    set_flat_state_root(transaction, changes.state_root)
    return _encode_undo(changes, previous_storage)


def revert(transaction: "WriteTransaction", undo_record: bytes) -> None:
    """Put the flat state back to what it was before the block of this undo record.

    CorruptStore if that is not the block that the flat state is at.
    """
    try:
        before, after, accounts, storage = as_list(decode(undo_record, 3), "undo record", 4)
        _expect_root(transaction, Hash32(as_bytes(after, "state root", 32)))
        for entry in as_list(accounts, "accounts"):
            address, account = as_list(entry, "account", 2)
            key = as_bytes(address, "address", 20)
            _write(transaction, Table.ACCOUNTS, key, as_bytes(account, "account"))
        for entry in as_list(storage, "storage"):
            address, slot, value = as_list(entry, "storage entry", 3)
            key = as_bytes(address, "address", 20) + as_bytes(slot, "slot", 32)
            _write(transaction, Table.STORAGE, key, as_bytes(value, "storage value"))
        set_flat_state_root(transaction, Hash32(as_bytes(before, "state root", 32)))
    except DecodingError as error:
        raise CorruptStore(f"undo record: {error}") from error


def _encode_undo(changes: StateChanges, previous_storage: dict[bytes, bytes]) -> bytes:
    accounts: list[RlpItem] = [
        [address, account.encode() if account else b""]
        for address, account in changes.previous_accounts.items()
    ]
    storage: list[RlpItem] = [
        [key[:20], key[20:], value] for key, value in previous_storage.items()
    ]
    return encode([changes.parent_root, changes.state_root, accounts, storage])


def _write(transaction: "WriteTransaction", table: Table, key: bytes, value: bytes) -> None:
    """Set a value; empty means that there is none."""
    if value:
        transaction.put(table, key, value)
    else:
        transaction.delete(table, key)


def _write_all(
    transaction: "WriteTransaction", table: Table, values: Mapping[bytes, bytes]
) -> None:
    """Set values; empty ones mean that there is none."""
    transaction.put_all(table, sorted(item for item in values.items() if item[1]))
    for key, value in values.items():
        if not value:
            transaction.delete(table, key)


def _expect_root(transaction: "WriteTransaction", expected: Hash32) -> None:
    actual = flat_state_root(transaction)
    if actual != expected:
        raise CorruptStore(
            f"flat state: expected to be at root 0x{expected.hex()}, it is at 0x{actual.hex()}"
        )
