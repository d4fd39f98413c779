"""Letting go of old history: what a block left behind, once it is older than what is kept.

A node of a trie is needed from the block that wrote it to the one that replaced it. What a block
replaces is noted under its number as GARBAGE, and deleted when the history begins there. What it
wrote is deleted at that moment, too, if it was unwound and has not come back.

What a block replaced is also the difference between two states. So a node that keeps everything
notes nothing of it, and when it is started with a bound it finds out by walking both, block by
block.
"""

from functools import partial

from node import block_store, indices
from node.errors import CorruptStore
from node.execution.transition import ExecutedBlock
from node.history import first_kept, put_first_kept
from node.indices import canonical_hash
from node.kept_proofs import keep_batches, keep_history
from node.output_schedule import OutputSchedule
from node.state.linked_node import NUMBER_SIZE, Reference, number_bytes
from node.state.trie_difference import lost_nodes, lost_trie_nodes
from node.storage.database import Snapshot, WriteTransaction
from node.storage.node_table import delete_nodes, find_state, state_root, stored_node
from node.storage.schema import Table, garbage_key, number_key
from node.storage.seal import seal, unseal
from node.types.block import Block
from node.types.primitives import BlockNumber, Hash32

BLOCKS_A_COMMIT = 64
"""The most that one commit prunes, so that no block is late for it."""
NODES_A_COMMIT = 4096
"""When a commit has deleted so many nodes, the next block waits for the next commit."""

_NUMBERS_A_PART = 300  # two parts to a page: longer values would need pages of their own in a row
_REPLACED = b"\x00"
_UNWOUND = b"\x01"
_KIND = slice(40, 41)


def note_replaced(tx: WriteTransaction, executed: ExecutedBlock) -> None:
    """Note which nodes a new canonical block replaced or took out of its parent's tries."""
    block, changes = executed.block, executed.changes
    numbers = list(changes.lost_nodes)
    for root in changes.lost_tries:
        numbers += lost_trie_nodes(partial(stored_node, tx), root, None)
    joined = b"".join(sorted(numbers))
    size = NUMBER_SIZE * _NUMBERS_A_PART
    for part, offset in enumerate(range(0, len(joined), size)):
        key = garbage_key(block.number, block.hash, _REPLACED, part)
        tx.put(Table.GARBAGE, key, seal(key, joined[offset : offset + size]))


def note_unwound(tx: WriteTransaction, block: Block) -> None:
    """Note that a block is not canonical any more: what it replaced is in use again."""
    prefix = number_key(block.number) + block.hash + _REPLACED
    for key, _ in list(tx.items(Table.GARBAGE, prefix=prefix)):
        tx.delete(Table.GARBAGE, key)
    key = garbage_key(block.number, block.hash, _UNWOUND, 0)
    tx.put(Table.GARBAGE, key, seal(key, b""))


def note_back(tx: WriteTransaction, block: Block) -> None:
    """Note that a block is canonical that may have been unwound before."""
    tx.delete(Table.GARBAGE, garbage_key(block.number, block.hash, _UNWOUND, 0))


def prune(tx: WriteTransaction, goal: int, outputs: OutputSchedule | None = None) -> None:
    """Let the history begin at block `goal`, or nearer to it: a commit does a bounded part.

    Nothing may ever unwind to a block below `goal`. What proves receipts under `outputs` stays.
    """
    first = first_kept(tx)
    deleted = 0
    for number in range(first + 1, min(goal, first + BLOCKS_A_COMMIT) + 1):
        deleted += _begin_at(tx, number, outputs)
        put_first_kept(tx, number)
        if deleted >= NODES_A_COMMIT:
            break


def _begin_at(tx: WriteTransaction, number: int, outputs: OutputSchedule | None) -> int:
    """Make a block the first one that is kept; return how many nodes were deleted."""
    block_hash, parent_hash = _canonical(tx, number), _canonical(tx, number - 1)
    if outputs is not None:
        keep_batches(tx, BlockNumber(number - 1), parent_hash)
        keep_history(tx, outputs, BlockNumber(number - 1), _state_root(tx, parent_hash))
    numbers: list[bytes] = []
    is_noted = False
    for key, value in list(tx.items(Table.GARBAGE, prefix=number_key(number))):
        tx.delete(Table.GARBAGE, key)
        noted = unseal(Table.GARBAGE, key, value)
        if key[_KIND] == _UNWOUND:
            other = Hash32(key[8:40])
            numbers += _written(tx, other)
            tx.delete(Table.STATES, other)
            block_store.prune_block(tx, other)
        else:
            numbers += _split(noted)
            is_noted = True
    if not is_noted:
        roots = _state_root(tx, parent_hash), _state_root(tx, block_hash)
        numbers += lost_nodes(partial(stored_node, tx), *roots)
    delete_nodes(tx, numbers)
    tx.delete(Table.STATES, parent_hash)
    tx.delete(Table.UNDO, block_hash)
    if number > 1:  # the first block's body is empty, and many ask for it
        indices.forget_transactions(tx, block_store.prune_block(tx, parent_hash))
    return len(numbers)


def _written(snapshot: Snapshot, block_hash: Hash32) -> list[bytes]:
    """Return the numbers of the nodes that a block wrote."""
    state = find_state(snapshot, block_hash)
    return [] if state is None else [*map(number_bytes, range(state.first, state.root + 1))]


def _state_root(snapshot: Snapshot, block_hash: Hash32) -> Reference | None:
    header = block_store.get_header(snapshot, block_hash)
    if header is None:
        raise CorruptStore(f"header of block 0x{block_hash.hex()}: it is missing")
    return state_root(snapshot, block_hash, header.state_root)


def _canonical(snapshot: Snapshot, number: int) -> Hash32:
    block_hash = canonical_hash(snapshot, number)
    if block_hash is None:
        raise CorruptStore(f"canonical block {number}: it is missing")
    return block_hash


def _split(value: bytes) -> list[bytes]:
    return [value[offset : offset + NUMBER_SIZE] for offset in range(0, len(value), NUMBER_SIZE)]
