"""Letting go of old history: what a block left behind, once it is older than what is kept.

A block that enters the chain takes nodes out of the tries: they are needed until
the state of its parent is pruned. A block that is unwound leaves nodes that no other state has:
they are needed until its own state is pruned. Both are noted under the block's number as GARBAGE,
and let go when the history begins there.

What a block took out is also the difference between two states. So a node that keeps everything
notes nothing, and when it is started with a bound it finds out by walking both, block by block.
"""

from collections.abc import Iterable

from node import block_store, indices
from node.errors import CorruptStore
from node.execution.transition import ExecutedBlock
from node.history import first_kept, put_first_kept
from node.indices import canonical_hash
from node.state.trie_difference import lost_nodes
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table, garbage_key, let_nodes_go, number_key, obsolete_nodes
from node.types.block import Block, Header
from node.types.primitives import Hash32

BLOCKS_A_COMMIT = 64
"""The most that one commit prunes, so that no block is late for it."""
NODES_A_COMMIT = 4096
"""When a commit has let go of so many nodes, the next block waits for the next commit."""

_HASHES_A_PART = 56  # two parts to a page: longer values would need pages of their own in a row
_TAKEN_OUT = b"\x00"
_UNWOUND = b"\x01"
_KIND = slice(40, 41)


def note_obsolete(tx: WriteTransaction, executed: ExecutedBlock) -> None:
    """Note what a new canonical block takes out of its parent's tries."""
    block = executed.block
    _note(tx, block, _TAKEN_OUT, obsolete_nodes(tx, executed.changes))


def note_unwound(tx: WriteTransaction, block: Block, parent: Header) -> None:
    """Note that a block is not canonical any more: its parent's nodes are in use again, and what it
    added belongs to no other state.
    """
    prefix = number_key(block.number) + block.hash + _TAKEN_OUT
    for key, _ in list(tx.items(Table.GARBAGE, prefix=prefix)):
        tx.delete(Table.GARBAGE, key)
    added = lost_nodes(tx.trie_node, block.header.state_root, parent.state_root)
    _note(tx, block, _UNWOUND, added)


def prune(tx: WriteTransaction, goal: int) -> None:
    """Let the history begin at block `goal`, or nearer to it: a commit does a bounded part.

    Nothing may ever unwind to a block below `goal`.
    """
    first = first_kept(tx)
    let_go = 0
    for number in range(first + 1, min(goal, first + BLOCKS_A_COMMIT) + 1):
        let_go += _begin_at(tx, number)
        put_first_kept(tx, number)
        if let_go >= NODES_A_COMMIT:
            break


def _begin_at(tx: WriteTransaction, number: int) -> int:
    """Make a block the first one that is kept; return how many nodes were let go."""
    block_hash = _canonical(tx, number)
    hashes: list[bytes] = []
    is_noted = False
    unwound = set()
    for key, value in list(tx.items(Table.GARBAGE, prefix=number_key(number))):
        tx.delete(Table.GARBAGE, key)
        hashes += _split(value)
        if key[_KIND] == _UNWOUND:
            unwound.add(Hash32(key[8:40]))
        else:
            is_noted = True
    for other in unwound - {block_hash}:
        block_store.prune_block(tx, other)
    parent_hash = _canonical(tx, number - 1)
    if not is_noted:
        roots = (_state_root(tx, parent_hash), _state_root(tx, block_hash))
        hashes += lost_nodes(tx.trie_node, *roots)
    let_nodes_go(tx, hashes)
    tx.delete(Table.UNDO, block_hash)
    if number > 1:  # the first block's body is empty, and many ask for it
        indices.forget_transactions(tx, block_store.prune_block(tx, parent_hash))
    return len(hashes)


def _note(tx: WriteTransaction, block: Block, kind: bytes, hashes: Iterable[bytes]) -> None:
    """Add to what is noted: a block may be unwound more than once."""
    prefix = number_key(block.number) + block.hash + kind
    start = sum(1 for _ in tx.items(Table.GARBAGE, prefix=prefix))
    joined = b"".join(hashes)
    size = 32 * _HASHES_A_PART
    for part, offset in enumerate(range(0, len(joined), size), start):
        key = garbage_key(block.number, block.hash, kind, part)
        tx.put(Table.GARBAGE, key, joined[offset : offset + size])


def _state_root(snapshot: Snapshot, block_hash: Hash32) -> Hash32:
    header = block_store.get_header(snapshot, block_hash)
    if header is None:
        raise CorruptStore(f"header of block 0x{block_hash.hex()}: it is missing")
    return header.state_root


def _canonical(snapshot: Snapshot, number: int) -> Hash32:
    block_hash = canonical_hash(snapshot, number)
    if block_hash is None:
        raise CorruptStore(f"canonical block {number}: it is missing")
    return block_hash


def _split(value: bytes) -> list[bytes]:
    return [value[offset : offset + 32] for offset in range(0, len(value), 32)]
