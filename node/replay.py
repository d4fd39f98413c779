"""Re-executing stored blocks and comparing everything: headers, bodies, receipts, state.

Nothing stored is believed except the canonical hashes: each block is executed again on the trie
state of its parent, and what comes out must be what is stored, to the last byte.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from node.block_store import get_header, split_receipts
from node.chain import ancestor_hashes
from node.chain_file import read_blocks
from node.config import ChainConfig
from node.engine import Engine
from node.errors import CorruptStore, DecodingError, InvalidBlock, InvalidTransaction
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.execution.header import check_same
from node.execution.transition import BlockExecution
from node.genesis.genesis import Genesis
from node.indices import canonical_hash, number_of, transaction_place
from node.reader import Reader
from node.state.trie import ordered_root
from node.state.trie_state import stored_state
from node.storage.database import Database, Snapshot
from node.storage.schema import Table
from node.types.block import Block, Header, decode_body, decode_header
from node.types.payload import attributes_of
from node.types.primitives import EMPTY_TRIE_ROOT, BlockNumber, Hash32, keccak256
from node.types.receipt import Receipt, decode_receipt

_RECEIPT_FIELD_NAMES = {
    "type": "type",
    "status": "status",
    "cumulative_gas_used": "cumulativeGasUsed",
    "logs": "logs",
    "bloom": "logsBloom",
    "deposit_nonce": "depositNonce",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is wrong in a block. `transaction_index` is None for the block itself.

    Fields have their JSON-RPC names; `header`, `body` and `receipts` stand for whole values that
    are missing or cannot be decoded, `hash` for a header that is not the canonical one.
    """

    field: str
    expected: object
    actual: object
    transaction_index: int | None = None

    def __str__(self) -> str:
        place = "" if self.transaction_index is None else f"transaction {self.transaction_index}: "
        return f"{place}{InvalidBlock(self.field, self.expected, self.actual)}"


@dataclass(frozen=True, slots=True)
class BlockReport:
    """The result for one block; `difference` is None if everything agrees."""

    number: BlockNumber
    hash: Hash32
    transaction_count: int
    gas_used: int
    difference: Difference | None = None


class _Differs(Exception):
    def __init__(
        self, field: str, expected: object, actual: object, transaction_index: int | None = None
    ) -> None:
        self.difference = Difference(field, expected, actual, transaction_index)
        super().__init__(str(self.difference))


def replay(reader: Reader, first: BlockNumber, last: BlockNumber) -> Iterator[BlockReport]:
    """Check canonical blocks `first` to `last`; the first one that differs ends it.

    Block 0 has nothing to execute: its header, its emptiness and its state root are checked.
    """
    for number in range(first, last + 1):
        with reader.snapshot() as snapshot:
            report = _replay_block(reader.config, reader.interpreter, snapshot, BlockNumber(number))
        yield report
        if report.difference is not None:
            return


def replay_file(
    path: Path, genesis: Genesis, interpreter: Interpreter = DEFAULT_INTERPRETER
) -> Iterator[BlockReport]:
    """Execute the blocks of a file from genesis on; the first one that differs ends it.

    The file may begin with block 0, which must be the genesis's. DecodingError if it holds
    something else than blocks. Only a successor tells that the last block is not the one meant:
    compare its hash.
    """
    with Database.open(None) as database:
        engine = Engine(database, genesis.config, interpreter=interpreter)
        engine.initialise(genesis)
        for block in read_blocks(path):
            difference = _check_by_execution(engine, block)
            gas_used = block.header.gas_used
            yield BlockReport(
                block.number, block.hash, len(block.transactions), gas_used, difference
            )
            if difference is not None:
                return


def _check_by_execution(engine: Engine, block: Block) -> Difference | None:
    head = engine.heads.unsafe
    if block.number == head.number == 0:
        same = block.hash == head.hash
        return None if same else Difference("hash", head.hash, block.hash)
    if block.header.parent_hash != head.hash:
        return Difference("parentHash", head.hash, block.header.parent_hash)
    try:
        engine.insert(engine.execute(block))
    except InvalidBlock as error:
        return Difference(error.field, error.expected, error.actual)
    return None


def _replay_block(
    config: ChainConfig, interpreter: Interpreter, snapshot: Snapshot, number: BlockNumber
) -> BlockReport:
    block_hash = canonical_hash(snapshot, number)
    if block_hash is None:
        missing = Difference("canonical", "a canonical block at this height", "none")
        return BlockReport(number, Hash32(b""), 0, 0, missing)
    transaction_count = gas_used = 0
    difference = None
    try:
        header = _check_header(config, interpreter, snapshot, number, block_hash)
        block = _check_body(config, snapshot, header)
        transaction_count, gas_used = len(block.transactions), header.gas_used
        _check_indices(snapshot, block)
        if number == 0:
            _check_first_block(snapshot, block)
        else:
            _check_execution(config, interpreter, snapshot, block)
    except _Differs as found:
        difference = found.difference
    return BlockReport(number, block_hash, transaction_count, gas_used, difference)


def _check_header(
    config: ChainConfig,
    interpreter: Interpreter,
    snapshot: Snapshot,
    number: BlockNumber,
    block_hash: Hash32,
) -> Header:
    raw = snapshot.get(Table.HEADERS, block_hash)
    if raw is None:
        raise _Differs("header", "a stored header", "none")
    try:
        header = decode_header(raw)
    except DecodingError as error:
        raise _Differs("header", "a header", error) from error
    if keccak256(raw) != block_hash:
        _name_header_field(config, interpreter, snapshot, header, block_hash)
        raise _Differs("hash", block_hash, keccak256(raw))
    if header.number != number:
        raise _Differs("number", number, header.number)
    if number > 0 and (parent := canonical_hash(snapshot, number - 1)) != header.parent_hash:
        raise _Differs("parentHash", parent, header.parent_hash)
    return header


def _name_header_field(
    config: ChainConfig,
    interpreter: Interpreter,
    snapshot: Snapshot,
    header: Header,
    block_hash: Hash32,
) -> None:
    """Raise for the one field of a damaged header that execution can restore, if there is one."""
    try:
        block = decode_body(header, snapshot.get(Table.BODIES, block_hash) or b"")
        restored = _execute(config, interpreter, snapshot, block, lambda index, receipt: None)
    except (_Differs, DecodingError):
        return
    if restored.hash == block_hash:
        _compare_headers(restored, header)


def _check_body(config: ChainConfig, snapshot: Snapshot, header: Header) -> Block:
    raw = snapshot.get(Table.BODIES, header.hash)
    if raw is None:
        raise _Differs("body", "a stored body", "none")
    try:
        block = decode_body(header, raw)
    except DecodingError as error:
        raise _Differs("body", "a block body", error) from error
    root = ordered_root([tx.raw for tx in block.transactions])
    if root != header.transactions_root:
        index = _changed_transaction(snapshot, block)
        raise _Differs("transactionsRoot", header.transactions_root, root, index)
    withdrawals_root = ordered_root([item.encode() for item in block.withdrawals])
    # A rollup's header has something else in this place, and its blocks never hold withdrawals.
    committed = EMPTY_TRIE_ROOT if config.rollup is not None else header.withdrawals_root
    if withdrawals_root != committed:
        raise _Differs("withdrawalsRoot", committed, withdrawals_root)
    if block.encode_body() != raw:
        raise _Differs("body", block.encode_body(), raw)
    return block


def _changed_transaction(snapshot: Snapshot, block: Block) -> int | None:
    """Return the first transaction that the index does not know at its place in this block."""
    for index, tx in enumerate(block.transactions):
        if transaction_place(snapshot, tx.hash) != (block.hash, index):
            return index
    return None


def _check_indices(snapshot: Snapshot, block: Block) -> None:
    number = number_of(snapshot, block.hash)
    if number != block.number:
        raise _Differs("number by hash", block.number, number)
    index = _changed_transaction(snapshot, block)
    if index is not None:
        place = transaction_place(snapshot, block.transactions[index].hash)
        raise _Differs("transaction by hash", (block.hash.hex(), index), place, index)


def _check_first_block(snapshot: Snapshot, block: Block) -> None:
    _stored_receipts(snapshot, block)
    root = block.header.state_root
    if root != EMPTY_TRIE_ROOT:
        node = snapshot.get(Table.TRIE_NODES, root)
        if node is None or keccak256(node) != root:
            raise _Differs("stateRoot", root, "no such trie node")


def _check_execution(
    config: ChainConfig, interpreter: Interpreter, snapshot: Snapshot, block: Block
) -> None:
    stored = _stored_receipts(snapshot, block)

    def check_receipt(index: int, receipt: Receipt) -> None:
        if receipt.encode() != stored[index]:
            _compare_receipt(index, receipt, stored[index])

    _compare_headers(_execute(config, interpreter, snapshot, block, check_receipt), block.header)


def _execute(
    config: ChainConfig,
    interpreter: Interpreter,
    snapshot: Snapshot,
    block: Block,
    check_receipt: Callable[[int, Receipt], None],
) -> Header:
    """Execute a block on the stored state of its parent, and return the header that comes out."""
    try:
        parent = get_header(snapshot, block.header.parent_hash)
        if parent is None:
            raise _Differs("parentHash", "a stored block", block.header.parent_hash)
        view = stored_state(snapshot, parent.state_root)
        hashes = ancestor_hashes(snapshot, parent)
        execution = BlockExecution(config, parent, attributes_of(block), view, hashes, interpreter)
        for index, tx in enumerate(block.transactions):
            try:
                receipt = execution.apply(tx)
            except InvalidTransaction as error:
                raise _Differs("transaction", "a valid transaction", error, index) from error
            check_receipt(index, receipt)
        return execution.seal().block.header
    except InvalidBlock as error:
        raise _Differs(error.field, error.expected, error.actual) from error
    except CorruptStore as error:
        raise _Differs("state", "the parent block and its state", error) from error


def _compare_headers(expected: Header, actual: Header) -> None:
    try:
        check_same(expected, actual)
    except InvalidBlock as error:
        raise _Differs(error.field, error.expected, error.actual) from error


def _stored_receipts(snapshot: Snapshot, block: Block) -> tuple[bytes, ...]:
    raw = snapshot.get(Table.RECEIPTS, block.hash)
    if raw is None:
        raise _Differs("receipts", "stored receipts", "none")
    try:
        stored = split_receipts(raw)
    except DecodingError as error:
        raise _Differs("receipts", "a list of receipts", error) from error
    if len(stored) != len(block.transactions):
        raise _Differs("receipts", len(block.transactions), len(stored))
    return stored


def _compare_receipt(index: int, computed: Receipt, encoding: bytes) -> None:
    try:
        stored = decode_receipt(encoding, 0)
    except DecodingError as error:
        raise _Differs("receipt", "a receipt", error, index) from error
    for attribute, name in _RECEIPT_FIELD_NAMES.items():
        wanted, got = getattr(computed, attribute), getattr(stored, attribute)
        if wanted != got:
            raise _Differs(name, wanted, got, index)
    raise _Differs("receipt", computed.encode(), encoding, index)
