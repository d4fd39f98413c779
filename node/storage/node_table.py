"""The trie nodes of a store, by number, and which of them are the states of blocks.

A node is written by one block and is in use until another one replaces it: `node/pruning.py` says
when it is deleted. It has one place in one trie, so that nothing need be counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from node.errors import CorruptStore
from node.state.linked_node import (
    NUMBER_SIZE,
    LinkedNode,
    NewNodes,
    Reference,
    checked_node,
    number_bytes,
    reference_to,
)
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table
from node.storage.seal import seal, unseal
from node.types.primitives import Hash32

_NEXT_KEY = b"next_node"


@dataclass(frozen=True, slots=True)
class StoredState:
    """The nodes that a block wrote are those from `first` on, up to the root: its number is `root`,
    0 if the state is empty. A block that changed nothing has its parent's root, which is below.
    """

    first: int
    root: int


def stored_node(snapshot: Snapshot, reference: Reference) -> LinkedNode:
    """Return a node; CorruptStore if it is missing or damaged."""
    return checked_node(reference, snapshot.get(Table.TRIE_NODES, reference[32:]))


def next_number(snapshot: Snapshot) -> int:
    """Return the number that the next node gets. None is given twice, whatever is deleted."""
    raw = snapshot.get(Table.META, _NEXT_KEY)
    return 1 if raw is None else int.from_bytes(unseal(Table.META, _NEXT_KEY, raw), "big")


def append_nodes(tx: WriteTransaction, nodes: NewNodes) -> None:
    """Write nodes that are numbered from `next_number`."""
    tx.append_all(Table.TRIE_NODES, list(nodes.items()))
    tx.put(Table.META, _NEXT_KEY, seal(_NEXT_KEY, number_bytes(nodes.next)))


def delete_nodes(tx: WriteTransaction, numbers: Iterable[bytes]) -> None:
    """Delete nodes; CorruptStore if one is not there."""
    for number in tx.delete_all(Table.TRIE_NODES, sorted(numbers)):
        shown = int.from_bytes(number, "big")
        raise CorruptStore(f"trie node number {shown}: it is gone before its time")


def put_state(tx: WriteTransaction, block_hash: Hash32, first: int, root: Reference | None) -> None:
    """Record where the state of a block is, and the first node that it wrote."""
    number = bytes(NUMBER_SIZE) if root is None else root[32:]
    tx.put(Table.STATES, block_hash, seal(block_hash, number_bytes(first) + number))


def find_state(snapshot: Snapshot, block_hash: Hash32) -> StoredState | None:
    """Return where the state of a block is, None if it is not stored."""
    raw = snapshot.get(Table.STATES, block_hash)
    if raw is None:
        return None
    value = unseal(Table.STATES, block_hash, raw)
    return StoredState(
        int.from_bytes(value[:NUMBER_SIZE], "big"), int.from_bytes(value[NUMBER_SIZE:], "big")
    )


def state_root(snapshot: Snapshot, block_hash: Hash32, root_hash: Hash32) -> Reference | None:
    """Return where the state of a block begins, None if it is empty; CorruptStore if there is none.

    `root_hash` is the header's.
    """
    state = find_state(snapshot, block_hash)
    if state is None:
        raise CorruptStore(f"state of block 0x{block_hash.hex()}: it is missing")
    return reference_to(root_hash, number_bytes(state.root))
