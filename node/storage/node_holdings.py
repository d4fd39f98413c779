"""How often each trie node is held, in the tables that are ordered by hash."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from node.errors import CorruptStore
from node.storage.schema import Table

if TYPE_CHECKING:  # the database needs this
    from node.storage.database import WriteTransaction


def change_holdings(
    transaction: "WriteTransaction", changes: Mapping[bytes, int], nodes: Mapping[bytes, bytes]
) -> None:
    """Hold each node so many times more, or less; `nodes` has those that gain by it.

    A node goes with its last holding. CorruptStore if there are not so many: one was lost before.
    """
    _hold(transaction, changes, nodes)
    _let_go(transaction, changes)


def _hold(
    transaction: "WriteTransaction", changes: Mapping[bytes, int], nodes: Mapping[bytes, bytes]
) -> None:
    gaining = sorted(node_hash for node_hash, change in changes.items() if change > 0)
    rows = ((node_hash, nodes[node_hash]) for node_hash in gaining)
    known = set(transaction.put_new(Table.TRIE_NODES, rows))
    for node_hash in gaining:
        more = changes[node_hash] - (node_hash not in known)
        if more:
            _put_count(transaction, node_hash, _count(transaction, node_hash) + more)


def _let_go(transaction: "WriteTransaction", changes: Mapping[bytes, int]) -> None:
    losing = sorted(node_hash for node_hash, change in changes.items() if change < 0)
    counted = transaction.present(Table.NODE_COUNTS, losing)
    last: list[bytes] = []
    for node_hash in losing:
        count = _count(transaction, node_hash) if node_hash in counted else 0
        rest = 1 + count + changes[node_hash]
        if rest < 0:
            raise _lost(node_hash)
        if count:
            _put_count(transaction, node_hash, max(0, rest - 1))
        if rest == 0:
            last.append(node_hash)
    for node_hash in transaction.delete_all(Table.TRIE_NODES, last):
        raise _lost(node_hash)


def _count(transaction: "WriteTransaction", node_hash: bytes) -> int:
    """Return how often a node is held beyond once."""
    raw = transaction.get(Table.NODE_COUNTS, node_hash)
    if raw is None:
        return 0
    count = int.from_bytes(raw, "big")
    if len(raw) != 4 or not count:
        raise CorruptStore(
            f"node count 0x{node_hash.hex()}: expected 4 bytes above zero, got 0x{raw[:8].hex()}"
        )
    return count


def _put_count(transaction: "WriteTransaction", node_hash: bytes, count: int) -> None:
    if count:
        transaction.put(Table.NODE_COUNTS, node_hash, count.to_bytes(4, "big"))
    else:
        transaction.delete(Table.NODE_COUNTS, node_hash)


def _lost(node_hash: bytes) -> CorruptStore:
    return CorruptStore(f"trie node 0x{node_hash.hex()}: it is gone before its time")
