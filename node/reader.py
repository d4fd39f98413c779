"""Read-only queries on a chain's store. Each call sees one consistent state of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from node import blob_store, block_store
from node.chain import Heads, ancestor_hashes, read_heads, state_view
from node.config import ChainConfig
from node.errors import CorruptStore, CriticalError, InvalidInput
from node.evm.environment import Interrupt, no_interrupt
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.execution.simulate import CallRequest, Outcome, call, estimate_gas
from node.history import first_kept
from node.indices import canonical_hash, number_of, transaction_place
from node.log_filter import MAX_LOGS, LocatedLog, LogFilter, block_logs, bloom_may_match
from node.lru_cache import LruCache
from node.state.proofs import account_proof, storage_proof, storage_root
from node.state.view import Account, StateView
from node.storage.database import Database, Snapshot
from node.storage.schema import Table, number_key
from node.types.blob_sidecar import Blob
from node.types.block import Block, Header
from node.types.primitives import Address, BlockNumber, Hash32, keccak256
from node.types.receipt import Receipt

_CACHED_HEADERS = 1024
_CACHED_BLOCKS = 128
# The bloom's place in a header's encoding: a list prefix of 3 bytes, five hashes and an address
# with a prefix of one byte each, and the bloom's own prefix of 3. A header is always longer than
# its bloom and shorter than 64 KiB, so the list prefix has this size always.
_BLOOM_START = 3 + 5 * 33 + 21 + 3
_BLOOM_END = _BLOOM_START + 256


@dataclass(frozen=True, slots=True)
class TransactionLocation:
    """A canonical block and the index of the transaction in it."""

    block: Block
    index: int


@dataclass(frozen=True, slots=True)
class StorageProof:
    """A slot, its value, and the trie nodes from the account's storage root to it."""

    slot: int
    value: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account (None if it does not exist) with the trie nodes from the state root to it."""

    address: Address
    account: Account | None
    account_proof: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]


class Reader:
    """Answers queries from the store. Safe to use from several threads.

    Methods that take a header answer for the state after that block, which must be stored.
    """

    def __init__(
        self,
        database: Database,
        config: ChainConfig,
        interpreter: Interpreter = DEFAULT_INTERPRETER,
    ) -> None:
        self._database = database
        self._config = config
        self._interpreter = interpreter
        self._headers: LruCache[Hash32, Header] = LruCache(_CACHED_HEADERS)
        self._blocks: LruCache[Hash32, Block] = LruCache(_CACHED_BLOCKS)
        self._receipts: LruCache[Hash32, tuple[Receipt, ...]] = LruCache(_CACHED_BLOCKS)

    @property
    def config(self) -> ChainConfig:
        """The chain's parameters."""
        return self._config

    @property
    def interpreter(self) -> Interpreter:
        """What runs code in calls and estimates."""
        return self._interpreter

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open the store as it is now; for use in this thread, and closed soon."""
        return self._database.read()

    def heads(self) -> Heads:
        """Return the heads; CriticalError in a store without a chain."""
        with self.snapshot() as snapshot:
            return _heads(snapshot)

    def head_header(self) -> Header:
        """Return the header of the unsafe head."""
        with self.snapshot() as snapshot:
            return self._stored_header(snapshot, _heads(snapshot).unsafe.hash)

    def header(self, block: BlockNumber | Hash32) -> Header | None:
        """Return a header by number (canonical) or by hash."""
        if isinstance(block, bytes):
            return self.header_by_hash(block)
        return self.header_by_number(block)

    def header_by_number(self, number: BlockNumber) -> Header | None:
        """Return the canonical header at a height, None above the unsafe head."""
        with self.snapshot() as snapshot:
            block_hash = canonical_hash(snapshot, number)
            if block_hash is None:
                return None
            header = self._stored_header(snapshot, block_hash)
            _check_number(header, number)
            return header

    def header_by_hash(self, block_hash: Hash32) -> Header | None:
        """Return a header, of an unwound block too."""
        with self.snapshot() as snapshot:
            return self._header(snapshot, block_hash)

    def block_by_number(self, number: BlockNumber) -> Block | None:
        """Return the canonical block at a height, None above the unsafe head."""
        with self.snapshot() as snapshot:
            block_hash = canonical_hash(snapshot, number)
            if block_hash is None:
                return None
            block = self._stored_block(snapshot, block_hash)
            _check_number(block.header, number)
            return block

    def block_by_hash(self, block_hash: Hash32) -> Block | None:
        """Return a block, unwound ones too."""
        with self.snapshot() as snapshot:
            return self._block(snapshot, block_hash)

    def opening(self, block_hash: Hash32) -> Block | None:
        """Return a block with its first transaction alone, which pruned blocks of a rollup have."""
        with self.snapshot() as snapshot:
            return block_store.get_opening(snapshot, block_hash)

    def first_kept(self) -> BlockNumber:
        """Return the number of the oldest block that is kept whole; see `node.history`."""
        with self.snapshot() as snapshot:
            return first_kept(snapshot)

    def receipts(self, block_hash: Hash32) -> tuple[Receipt, ...] | None:
        """Return a block's receipts, of an unwound block too; None for an unknown block."""
        with self.snapshot() as snapshot:
            block = self._block(snapshot, block_hash)
            return None if block is None else self._block_receipts(snapshot, block)

    def canonical_hash(self, number: BlockNumber) -> Hash32 | None:
        """Return the hash of the canonical block at a height."""
        with self.snapshot() as snapshot:
            return canonical_hash(snapshot, number)

    def is_canonical(self, block_hash: Hash32) -> bool:
        """Whether a block is stored and part of the canonical chain."""
        with self.snapshot() as snapshot:
            header = self._header(snapshot, block_hash)
            return header is not None and canonical_hash(snapshot, header.number) == block_hash

    def transaction(self, tx_hash: Hash32) -> TransactionLocation | None:
        """Return where a transaction is in the canonical chain."""
        with self.snapshot() as snapshot:
            place = transaction_place(snapshot, tx_hash)
            if place is None:
                return None
            block, index = self._stored_block(snapshot, place[0]), place[1]
            if index >= len(block.transactions) or block.transactions[index].hash != tx_hash:
                raise CorruptStore(
                    f"place of transaction 0x{tx_hash.hex()}: it is not number {index} of block "
                    f"0x{block.hash.hex()}"
                )
            return TransactionLocation(block, index)

    def blob(self, versioned_hash: Hash32) -> Blob | None:
        """Return a blob of a block that this node made, None if it is not kept (any more)."""
        with self.snapshot() as snapshot:
            return blob_store.get_blob(snapshot, versioned_hash)

    @contextmanager
    def state_at(self, header: Header) -> Iterator[StateView]:
        """Open the state after a block, for use inside the `with` block and in this thread."""
        with self.snapshot() as snapshot:
            yield state_view(snapshot, header)

    def account(self, address: Address, header: Header) -> Account | None:
        """Return an account, None if it does not exist."""
        with self.state_at(header) as state:
            return state.account(address)

    def storage(self, address: Address, slot: int, header: Header) -> int:
        """Return a storage slot, 0 where nothing is stored."""
        with self.state_at(header) as state:
            return state.storage(address, slot)

    def code(self, address: Address, header: Header) -> bytes:
        """Return an account's code, empty if it has none."""
        with self.state_at(header) as state:
            account = state.account(address)
            return b"" if account is None else state.code(account.code_hash)

    def proof(self, address: Address, slots: tuple[int, ...], header: Header) -> AccountProof:
        """Return an account and slots of it with proofs against the block's state root."""
        with self.state_at(header) as state:
            account = state.account(address)
            root = storage_root(state.trie_node, state.root, address)
            return AccountProof(
                address,
                account,
                account_proof(state.trie_node, state.root, address),
                tuple(
                    StorageProof(
                        slot,
                        state.storage(address, slot),
                        storage_proof(state.trie_node, root, slot),
                    )
                    for slot in slots
                ),
            )

    def call(
        self, request: CallRequest, header: Header, interrupt: Interrupt = no_interrupt
    ) -> Outcome:
        """Run a message on the state after a block, without a trace.

        `interrupt` is asked now and then whether to go on; what it raises ends the call.
        """
        with self.snapshot() as snapshot:
            return call(
                self._config,
                header,
                state_view(snapshot, header),
                request,
                ancestor_hashes(snapshot, header),
                interrupt,
                self._interpreter,
            )

    def estimate_gas(
        self, request: CallRequest, header: Header, interrupt: Interrupt = no_interrupt
    ) -> int:
        """Return the least gas limit with which a transaction succeeds; see `call`."""
        with self.snapshot() as snapshot:
            return estimate_gas(
                self._config,
                header,
                state_view(snapshot, header),
                request,
                ancestor_hashes(snapshot, header),
                interrupt,
                self._interpreter,
            )

    def logs(self, wanted: LogFilter) -> list[LocatedLog]:
        """Return matching logs in order; InvalidInput if the range or the result is too large."""
        wanted.check()
        found: list[LocatedLog] = []
        with self.snapshot() as snapshot:
            for block_hash in self._blocks_with_logs(snapshot, wanted):
                block = self._stored_block(snapshot, block_hash)
                receipts = self._block_receipts(snapshot, block)
                found += (item for item in block_logs(block, receipts) if wanted.matches(item.log))
                if len(found) > MAX_LOGS:
                    raise InvalidInput(
                        f"query returned more than {MAX_LOGS} results: narrow the block range"
                    )
        return found

    def _blocks_with_logs(self, snapshot: Snapshot, wanted: LogFilter) -> Iterator[Hash32]:
        """Return blocks whose header's bloom lets a match be possible."""
        if wanted.block_hash is not None:
            if snapshot.get(Table.HEADERS, wanted.block_hash) is None:
                raise InvalidInput(f"unknown block 0x{wanted.block_hash.hex()}")
            yield wanted.block_hash
            return
        masks = wanted.bloom_masks()
        for key, raw_hash in snapshot.items(Table.CANONICAL, number_key(wanted.from_block)):
            if int.from_bytes(key, "big") > wanted.to_block:
                return
            raw = snapshot.get(Table.HEADERS, raw_hash) if raw_hash else None
            if raw is None:
                raise CorruptStore(f"header of block 0x{raw_hash.hex()}: it is missing")
            if keccak256(raw) != raw_hash:
                raise CorruptStore(f"header of block 0x{raw_hash.hex()}: it has another hash")
            if number_key(number_of(snapshot, Hash32(raw_hash)) or 0) != key:
                raise CorruptStore(f"canonical block {int.from_bytes(key, 'big')}: it is another")
            if bloom_may_match(raw[_BLOOM_START:_BLOOM_END], masks):
                yield Hash32(raw_hash)

    def _header(self, snapshot: Snapshot, block_hash: Hash32) -> Header | None:
        header = self._headers.get(block_hash)
        if header is None:
            header = block_store.get_header(snapshot, block_hash)
            if header is not None:
                self._headers.put(block_hash, header)
        return header

    def _stored_header(self, snapshot: Snapshot, block_hash: Hash32) -> Header:
        header = self._header(snapshot, block_hash)
        if header is None:
            raise CorruptStore(f"header of block 0x{block_hash.hex()}: it is missing")
        return header

    def _block(self, snapshot: Snapshot, block_hash: Hash32) -> Block | None:
        block = self._blocks.get(block_hash)
        if block is None:
            block = block_store.get_block(snapshot, block_hash)
            if block is not None:
                self._blocks.put(block_hash, block)
        return block

    def _stored_block(self, snapshot: Snapshot, block_hash: Hash32) -> Block:
        block = self._block(snapshot, block_hash)
        if block is None:
            raise CorruptStore(f"header of block 0x{block_hash.hex()}: it is missing")
        return block

    def _block_receipts(self, snapshot: Snapshot, block: Block) -> tuple[Receipt, ...]:
        receipts = self._receipts.get(block.hash)
        if receipts is None:
            receipts = block_store.get_receipts(snapshot, block)
            self._receipts.put(block.hash, receipts)
        return receipts


def _check_number(header: Header, number: int) -> None:
    if header.number != number:
        raise CorruptStore(f"canonical block {number}: block {header.number} is in its place")


def _heads(snapshot: Snapshot) -> Heads:
    heads = read_heads(snapshot)
    if heads is None:
        raise CriticalError("the store has no chain: initialise it with a genesis first")
    return heads
