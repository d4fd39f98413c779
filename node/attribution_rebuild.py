"""Making the attribution index of a chain that has none, or one of another version."""

from collections.abc import Iterator

from node import attribution_index, block_store
from node.attribution_index import balance_of
from node.chain import read_heads
from node.config import ChainConfig
from node.errors import CorruptStore, CriticalError
from node.history import first_kept
from node.indices import canonical_hash
from node.state.trie_state import stored_state
from node.storage.database import Database, Snapshot, WriteTransaction
from node.storage.node_table import state_root
from node.storage.schema import Table
from node.types.block import Block, Header
from node.types.primitives import Address, BlockNumber, Hash32

BLOCKS_A_COMMIT = 1_000
_KEYS_A_COMMIT = 100_000


def needs_rebuilding(database: Database, config: ChainConfig) -> bool:
    """Whether the index is not what the configuration asks for: absent, old, or there in vain."""
    with database.read() as snapshot:
        is_there = attribution_index.first_indexed(snapshot) is not None
    return is_there != (config.attribution is not None)


def rebuild(database: Database, config: ChainConfig) -> Iterator[tuple[int, int]]:
    """Make the index from the stored chain; yield (blocks done, of how many) now and then.

    Nothing else may write meanwhile. Whoever stops in between has no index, and begins anew. On a
    pruned chain it begins with the first block whose parent's state is kept.
    """
    _clear(database)
    if config.attribution is None:
        return
    with database.read() as snapshot:
        heads, kept = read_heads(snapshot), first_kept(snapshot)
    if heads is None:
        raise CriticalError("the store has no chain: initialise it with a genesis first")
    first, last = kept + 1, heads.unsafe.number
    for start in range(first, last + 1, BLOCKS_A_COMMIT):
        stop = min(start + BLOCKS_A_COMMIT, last + 1)
        with database.write() as tx:
            for number in range(start, stop):
                add_stored(tx, number)
        yield stop - first, last + 1 - first
    with database.write() as tx:
        attribution_index.begin(tx, first)


def _clear(database: Database) -> None:
    with database.write() as tx:
        attribution_index.end(tx)
    while True:
        with database.read() as snapshot:
            keys = [key for key, _ in _some(snapshot)]
        if not keys:
            return
        with database.write() as tx:
            tx.delete_all(Table.ATTRIBUTION, keys)


def _some(snapshot: Snapshot) -> Iterator[tuple[bytes, bytes]]:
    pairs = zip(range(_KEYS_A_COMMIT), snapshot.items(Table.ATTRIBUTION), strict=False)
    return (item for _, item in pairs)


def add_stored(tx: WriteTransaction, number: int) -> None:
    """Index a stored canonical block above those that are; its parent's state has to be kept."""
    block = _block(tx, number)
    parent = block_store.get_header(tx, block.header.parent_hash)
    if parent is None:
        raise CorruptStore(f"header of block 0x{block.header.parent_hash.hex()}: it is missing")
    receipts = block_store.get_receipts(tx, block)
    attribution_index.add_block(tx, block, receipts, _MoneyBefore(tx, parent, block.header))


class _MoneyBefore:
    """Tells from two states what their difference told when the block was executed."""

    def __init__(self, snapshot: Snapshot, parent: Header, header: Header) -> None:
        before = state_root(snapshot, parent.hash, parent.state_root)
        after = state_root(snapshot, header.hash, header.state_root)
        self._before, self._after = stored_state(snapshot, before), stored_state(snapshot, after)

    def __call__(self, address: Address) -> int | None:
        before = self._before.account(address)
        return None if before == self._after.account(address) else balance_of(before)


def _block(snapshot: Snapshot, number: int) -> Block:
    block_hash = canonical_hash(snapshot, BlockNumber(number))
    block = None if block_hash is None else block_store.get_block(snapshot, Hash32(block_hash))
    if block is None:
        raise CorruptStore(f"canonical block {number}: it is missing")
    return block
