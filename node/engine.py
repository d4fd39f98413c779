"""The only writer of a chain: each of its changes is one commit, and survives a power loss."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from node import attribution_index
from node.block_store import get_header
from node.chain import (
    UNDO_BLOCKS,
    Heads,
    ancestor_hashes,
    begin,
    extend,
    read_heads,
    state_view,
    unwind,
    write_heads,
)
from node.config import ChainConfig
from node.errors import ConfigError, CriticalError, InvalidBlock, ResetError
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.execution.transition import BlockExecution, ExecutedBlock, build_block, execute_block
from node.genesis.genesis import Genesis
from node.head_change import HeadChange
from node.indices import canonical_hash
from node.output_schedule import OutputSchedule
from node.pruning import note_replaced, prune
from node.safe_heads import note_safe_head
from node.senders import recover_senders
from node.state.linked_node import NewNodes
from node.state.node_cache import NodeCache
from node.storage.database import Database, WriteTransaction
from node.storage.schema import Table
from node.types.block import Block, BlockRef, Header
from node.types.payload import PayloadAttributes
from node.types.primitives import BlockNumber

_CHAIN_ID_KEY = b"chain_id"


class Engine:
    """Writes one chain's store. Methods block, and a lock lets one of them run at a time.

    `undo_blocks` is how many of the newest blocks can be unwound, `interpreter` runs the code.
    `kept_blocks` is how many of the newest blocks are kept with their states, None for all: what is
    older is pruned, unless it is above the finalized head. With `keeps_proofs` nothing is before
    `keep_proofs` was called.
    """

    def __init__(
        self,
        database: Database,
        config: ChainConfig,
        *,
        undo_blocks: int = UNDO_BLOCKS,
        interpreter: Interpreter = DEFAULT_INTERPRETER,
        kept_blocks: int | None = None,
        keeps_proofs: bool = False,
    ) -> None:
        self._database = database
        self._config = config
        self._undo_blocks = undo_blocks
        self._interpreter = interpreter
        self._kept_blocks = kept_blocks
        self._may_prune = kept_blocks is not None and not keeps_proofs
        self._outputs: OutputSchedule | None = None
        self._nodes = NodeCache()
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[HeadChange], None]] = []
        with database.read() as snapshot:
            self._heads = read_heads(snapshot)

    def initialise(self, genesis: Genesis) -> None:
        """Write block 0 into an empty store; ConfigError if the store is another chain's."""
        chain_id = genesis.config.chain_id
        with self._lock:
            if self._heads is not None:
                self._check_same_chain(genesis.block, chain_id)
                return
            with self._database.write() as tx:
                tx.put(Table.META, _CHAIN_ID_KEY, chain_id.to_bytes(8, "big"))
                first = begin(tx, genesis)
                if self._config.attribution is not None:
                    attribution_index.begin(tx)
            self._heads = Heads(first, first, first)

    @property
    def is_empty(self) -> bool:
        """Whether the store has no chain yet."""
        return self._heads is None

    @property
    def heads(self) -> Heads:
        """The heads of the last commit; CriticalError before `initialise`."""
        if self._heads is None:
            raise CriticalError("the store has no chain: initialise it with a genesis first")
        return self._heads

    @contextmanager
    def begin(self, parent: Header, attributes: PayloadAttributes) -> Iterator[BlockExecution]:
        """Start a block on any stored parent. Its reads are valid inside the `with` block only, and
        in the thread that entered it; ResetError if the parent is not stored.
        """
        recover_senders(attributes.transactions)
        with self._database.read() as snapshot:
            if snapshot.get(Table.HEADERS, parent.hash) is None:
                raise ResetError(f"parent block 0x{parent.hash.hex()} is not stored")
            yield BlockExecution(
                self._config,
                parent,
                attributes,
                state_view(snapshot, parent, self._nodes),
                ancestor_hashes(snapshot, parent),
                self._interpreter,
            )

    def build(self, parent: Header, attributes: PayloadAttributes) -> ExecutedBlock:
        """Execute a block that holds exactly the attributes' transactions; nothing is written."""
        recover_senders(attributes.transactions)
        with self._database.read() as snapshot:
            if snapshot.get(Table.HEADERS, parent.hash) is None:
                raise ResetError(f"parent block 0x{parent.hash.hex()} is not stored")
            return build_block(
                self._config,
                parent,
                attributes,
                state_view(snapshot, parent, self._nodes),
                ancestor_hashes(snapshot, parent),
                self._interpreter,
            )

    def execute(self, block: Block) -> ExecutedBlock:
        """Check a block by executing it on its stored parent; nothing is written."""
        recover_senders(block.transactions)
        with self._database.read() as snapshot:
            parent = get_header(snapshot, block.header.parent_hash)
            if parent is None:
                raise InvalidBlock("parentHash", "a stored block", block.header.parent_hash)
            return execute_block(
                self._config,
                parent,
                block,
                state_view(snapshot, parent, self._nodes),
                ancestor_hashes(snapshot, parent),
                self._interpreter,
            )

    def insert(
        self,
        executed: ExecutedBlock,
        *,
        safe: BlockRef | None = None,
        finalized: BlockRef | None = None,
        derived_from: BlockRef | None = None,
    ) -> None:
        """Make an executed block the unsafe head, in one commit with all else that is given.

        `derived_from`: the L1 block that completed the data of a new safe head.
        Canonical blocks above its parent are unwound. ResetError if the parent is not canonical or
        the safe head would be unwound without a new one, CriticalError if a finalized block would.
        """
        block = executed.block
        with self._lock:
            old = self.heads
            new = Heads(block.header.ref, safe or old.safe, finalized or old.finalized)
            with self._database.write() as tx:
                # A block that is canonical already stays, with what lies above it unwound.
                known = canonical_hash(tx, block.number) == block.hash
                parent = BlockRef(block.header.parent_hash, BlockNumber(block.number - 1))
                removed = self._unwind(tx, old, block.header.ref if known else parent)
                written = None if known else self._extend(tx, executed)
                write_heads(tx, old, new)
                self._note_safe(tx, old, new, derived_from)
                self._prune(tx, new)
            if written is not None:
                self._nodes.replace(written, executed.changes.lost_nodes)
            self._committed(HeadChange(() if known else (executed,), removed, new))

    def set_heads(
        self,
        *,
        unsafe: BlockRef | None = None,
        safe: BlockRef | None = None,
        finalized: BlockRef | None = None,
        derived_from: BlockRef | None = None,
    ) -> None:
        """Move heads along the canonical chain, in one commit; a lower unsafe head unwinds.

        `derived_from`: the L1 block that completed the data of a new safe head.
        ResetError if a head is not canonical or they are out of order, CriticalError if a finalized
        block would be taken back.
        """
        with self._lock:
            old = self.heads
            new = Heads(unsafe or old.unsafe, safe or old.safe, finalized or old.finalized)
            with self._database.write() as tx:
                removed = self._unwind(tx, old, new.unsafe)
                write_heads(tx, old, new)
                self._note_safe(tx, old, new, derived_from)
            self._committed(HeadChange((), removed, new))

    def keep_proofs(self, outputs: OutputSchedule | None) -> None:
        """Let pruning begin; what proves receipts under `outputs` stays then, nothing if None."""
        with self._lock:
            self._outputs, self._may_prune = outputs, self._kept_blocks is not None

    def subscribe(self, callback: Callable[[HeadChange], None]) -> None:
        """Call `callback` after each commit, in the thread that made it."""
        self._subscribers.append(callback)

    @staticmethod
    def _unwind(tx: WriteTransaction, old: Heads, target: BlockRef) -> tuple[Block, ...]:
        if canonical_hash(tx, target.number) != target.hash:
            raise ResetError(f"block {target.number} (0x{target.hash.hex()}) is not canonical")
        return unwind(tx, old, target)

    def _extend(self, tx: WriteTransaction, executed: ExecutedBlock) -> NewNodes:
        written = extend(tx, executed, self._undo_blocks)
        if self._config.attribution is not None:
            attribution_index.add_executed(tx, executed)
        if self._kept_blocks is not None:
            note_replaced(tx, executed)
        return written

    def _prune(self, tx: WriteTransaction, heads: Heads) -> None:
        if self._kept_blocks is not None and self._may_prune:
            oldest = heads.unsafe.number - self._kept_blocks + 1
            prune(tx, min(oldest, heads.finalized.number), self._outputs)

    @staticmethod
    def _note_safe(
        tx: WriteTransaction, old: Heads, new: Heads, derived_from: BlockRef | None
    ) -> None:
        if new.safe != old.safe or derived_from is not None:
            note_safe_head(tx, new.safe, derived_from)

    def _committed(self, change: HeadChange) -> None:
        self._heads = change.heads
        for callback in self._subscribers:
            callback(change)

    def _check_same_chain(self, first: Block, chain_id: int) -> None:
        with self._database.read() as snapshot:
            stored_hash = canonical_hash(snapshot, 0) or b""
            stored_id = int.from_bytes(snapshot.get(Table.META, _CHAIN_ID_KEY) or b"", "big")
        if (stored_hash, stored_id) != (first.hash, chain_id):
            raise ConfigError(
                f"genesis: the store holds chain {stored_id} with genesis block "
                f"0x{stored_hash.hex()}, the configuration says chain {chain_id} with genesis "
                f"block 0x{first.hash.hex()}"
            )
