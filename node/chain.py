"""The canonical chain of one store: its three heads, extending it by a block, unwinding it.

Functions over an open transaction: whatever calls them commits it all or nothing of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from node import attribution_index, indices
from node.blob_store import put_blobs
from node.block_store import get_block, get_header, put_block
from node.errors import CorruptStore, CriticalError, ResetError
from node.execution.transition import ExecutedBlock
from node.genesis.genesis import Genesis
from node.genesis.genesis_state import write_genesis
from node.history import first_kept, pruned
from node.indices import canonical_hash, is_canonical
from node.pruning import note_back, note_unwound
from node.state.flat_state import FlatState
from node.state.linked_node import NewNodes
from node.state.node_cache import NodeCache
from node.state.trie_state import stored_state
from node.state.view import StateChanges, StateView
from node.storage.database import Snapshot, WriteTransaction
from node.storage.node_table import append_nodes, find_state, next_number, put_state, state_root
from node.storage.schema import Table, apply_changes, flat_state_root, revert
from node.storage.seal import seal, unseal
from node.types.block import Block, BlockRef, Header
from node.types.primitives import BlockNumber, Hash32

UNDO_BLOCKS = 8192
_HEADS_KEY = b"heads"
_REF_SIZE = 40


@dataclass(frozen=True, slots=True)
class Heads:
    """The newest block, the newest that L1 data proves, and the newest that cannot change."""

    unsafe: BlockRef
    safe: BlockRef
    finalized: BlockRef


def read_heads(snapshot: Snapshot) -> Heads | None:
    """Return the stored heads, None in a store without a chain."""
    raw = snapshot.get(Table.META, _HEADS_KEY)
    if raw is None:
        return None
    if len(raw) != 3 * _REF_SIZE:
        raise CorruptStore(f"heads: expected {3 * _REF_SIZE} bytes, got {len(raw)}")
    heads = Heads(*(_decode_ref(raw[start : start + _REF_SIZE]) for start in (0, 40, 80)))
    for ref in (heads.unsafe, heads.safe, heads.finalized):
        if canonical_hash(snapshot, ref.number) != ref.hash:
            raise CorruptStore(f"heads: {_show(ref)} is not the canonical block at this height")
    return heads


def write_heads(tx: WriteTransaction, old: Heads, new: Heads) -> None:
    """Store heads that follow `old`, once they are known to be canonical and in order.

    ResetError when the safe head is above the unsafe head or one of the heads is not canonical,
    CriticalError when finality would be taken back.
    """
    if new.finalized.number < old.finalized.number:
        raise CriticalError(
            f"finalized head: {_show(old.finalized)} cannot go back to {_show(new.finalized)}"
        )
    if new.safe.number < new.finalized.number:
        raise CriticalError(
            f"safe head {_show(new.safe)} is below the finalized head {_show(new.finalized)}"
        )
    if new.safe.number > new.unsafe.number:
        raise ResetError(
            f"safe head {_show(new.safe)} is above the unsafe head {_show(new.unsafe)}"
        )
    for name, ref in (("safe", new.safe), ("finalized", new.finalized)):
        if canonical_hash(tx, ref.number) != ref.hash:
            raise ResetError(f"{name} head {_show(ref)} is not canonical")
    put_heads(tx, new)


def put_heads(tx: WriteTransaction, heads: Heads) -> None:
    """Store heads that need no check: those of a chain's first block."""
    encoded = b"".join(map(_encode_ref, (heads.unsafe, heads.safe, heads.finalized)))
    tx.put(Table.META, _HEADS_KEY, encoded)


def begin(tx: WriteTransaction, genesis: Genesis) -> BlockRef:
    """Write a chain's first block, with its state, into a store that has none."""
    block, root = write_genesis(tx, genesis)
    put_block(tx, block, ())
    put_state(tx, block.hash, 1, root)
    indices.add_block(tx, block)
    first = block.header.ref
    put_heads(tx, Heads(first, first, first))
    return first


def extend(tx: WriteTransaction, executed: ExecutedBlock, undo_blocks: int) -> NewNodes:
    """Put a block on top of the canonical chain, with its state and the record that undoes it.

    Return the trie nodes that were written.
    """
    block = executed.block
    put_block(tx, block, executed.receipts)
    put_blobs(tx, block)
    indices.add_block(tx, block)
    tx.put(Table.UNDO, block.hash, seal(block.hash, apply_changes(tx, executed.changes)))
    outdated = canonical_hash(tx, block.number - undo_blocks)
    if outdated is not None:
        tx.delete(Table.UNDO, outdated)
    return _append_state(tx, block, executed.changes)


def _append_state(tx: WriteTransaction, block: Block, changes: StateChanges) -> NewNodes:
    """Write the tries of a block; one that was unwound and comes back has left them."""
    first = next_number(tx)
    if find_state(tx, block.hash) is not None:
        note_back(tx, block)
        return NewNodes(first)
    changes = changes.moved(first)
    append_nodes(tx, changes.nodes)
    put_state(tx, block.hash, first, changes.root)
    return changes.nodes


def unwind(tx: WriteTransaction, heads: Heads, target: BlockRef) -> tuple[Block, ...]:
    """Take back the canonical blocks above `target` (canonical itself), newest first."""
    if target.number < heads.finalized.number:
        raise CriticalError(
            f"unwinding to {_show(target)} would take back the finalized block "
            f"{_show(heads.finalized)}"
        )
    removed: list[Block] = []
    for number in range(heads.unsafe.number, target.number, -1):
        block = _canonical_block(tx, BlockNumber(number))
        note_unwound(tx, block)
        record = tx.get(Table.UNDO, block.hash)
        if record is None:
            raise CriticalError(f"block {number} is too old to be unwound: no record undoes it")
        revert(tx, unseal(Table.UNDO, block.hash, record))
        tx.delete(Table.UNDO, block.hash)
        indices.remove_block(tx, block)
        attribution_index.remove_block(tx, block.number)
        removed.append(block)
    return tuple(removed)


def state_view(snapshot: Snapshot, header: Header, cache: NodeCache | None = None) -> StateView:
    """Return the state after a stored block: flat if the store is at it, from the trie if not.

    `cache` keeps trie nodes of the flat state. PrunedHistory if the block is older than what is
    kept, or of a branch that is.
    """
    check_state_kept(snapshot, header)
    root = state_root(snapshot, header.hash, header.state_root)
    if flat_state_root(snapshot) == header.state_root:
        return FlatState(snapshot, root, cache)
    return stored_state(snapshot, root)


def check_state_kept(snapshot: Snapshot, header: Header) -> None:
    """Refuse with PrunedHistory a block whose state may have lost nodes by now.

    An unwound block shares nodes with the canonical block that it descends from: it is as old.
    """
    first = first_kept(snapshot)
    ancestor = header
    while ancestor.number >= first > 0:
        if canonical_hash(snapshot, ancestor.number) == ancestor.hash:
            return
        ancestor = _stored_header(snapshot, ancestor.parent_hash)
    if ancestor is not header:
        raise pruned(f"the branch from block {ancestor.number} to {header.number}", first)
    if first > 0:
        raise pruned(f"block {header.number}", first)


def ancestor_hashes(snapshot: Snapshot, parent: Header) -> Callable[[BlockNumber], Hash32]:
    """Return a lookup of hashes by number along the chain that ends in `parent`.

    Off the canonical chain it follows parent hashes, as far back as it is asked.
    """
    known = {parent.number: parent.hash, parent.number - 1: parent.parent_hash}
    lowest = parent.number - 1

    def block_hash(number: BlockNumber) -> Hash32:
        nonlocal lowest
        if number > parent.number or number < 0:
            raise ValueError(f"block {number} is not an ancestor of block {parent.number + 1}")
        while lowest > number:
            if is_canonical(snapshot, known[lowest]):
                return _canonical_hash(snapshot, number)
            header = _stored_header(snapshot, known[lowest])
            lowest -= 1
            known[lowest] = header.parent_hash
        return known[number]

    return block_hash


def _stored_header(snapshot: Snapshot, block_hash: Hash32) -> Header:
    header = get_header(snapshot, block_hash)
    if header is None:
        raise CorruptStore(f"header of block 0x{block_hash.hex()}: it is missing")
    return header


def _canonical_hash(snapshot: Snapshot, number: BlockNumber) -> Hash32:
    block_hash = canonical_hash(snapshot, number)
    if block_hash is None:
        raise CorruptStore(f"canonical block {number}: it is missing")
    return block_hash


def _canonical_block(snapshot: Snapshot, number: BlockNumber) -> Block:
    block = get_block(snapshot, _canonical_hash(snapshot, number))
    if block is None:
        raise CorruptStore(f"header of canonical block {number}: it is missing")
    return block


def _encode_ref(ref: BlockRef) -> bytes:
    return ref.hash + ref.number.to_bytes(8, "big")


def _decode_ref(raw: bytes) -> BlockRef:
    return BlockRef(Hash32(raw[:32]), BlockNumber(int.from_bytes(raw[32:], "big")))


def _show(ref: BlockRef) -> str:
    return f"{ref.number} (0x{ref.hash.hex()})"
