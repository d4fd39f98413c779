"""A stored block against everything that is stored of it and around it.

Nothing stored is believed except the canonical hashes: each block is executed again on the trie
state of its parent, and what comes out must be what is stored, to the last byte.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from node.block_store import get_header, split_receipts
from node.chain import ancestor_hashes
from node.config import ChainConfig
from node.difference import BlockReport, Difference, Differs
from node.errors import CorruptStore, DecodingError
from node.evm.rules import Interpreter
from node.execution.header import check_same
from node.execution.transition import BlockExecution
from node.indices import canonical_hash, number_of, transaction_place
from node.replayed_chain import CheckReceipt, apply_transaction, naming_differences, no_check
from node.senders import recover_senders
from node.state.trie import ordered_root
from node.state.trie_state import stored_state
from node.storage.database import Snapshot
from node.storage.node_table import state_root, stored_node
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


def replay_stored_block(
    config: ChainConfig,
    interpreter: Interpreter,
    snapshot: Snapshot,
    number: BlockNumber,
    count: int | None = None,
) -> BlockReport:
    """Check the canonical block at `number`, of its transactions only the first `count` if given.

    Block 0 has nothing to execute: its header, its emptiness and its state root are checked.
    """
    block_hash = canonical_hash(snapshot, number)
    if block_hash is None:
        missing = Difference("canonical", "a canonical block at this height", "none")
        return BlockReport(number, Hash32(b""), 0, 0, missing)
    transaction_count = gas_used = 0
    difference = None
    try:
        header = _check_header(config, interpreter, snapshot, number, block_hash)
        block = _check_body(config, snapshot, header)
        transaction_count = len(block.transactions) if count is None else count
        gas_used = header.gas_used
        _check_indices(snapshot, block)
        if number == 0:
            _check_first_block(snapshot, block)
        else:
            gas_used = _check_execution(config, interpreter, snapshot, block, transaction_count)
    except Differs as found:
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
        raise Differs("header", "a stored header", "none")
    try:
        header = decode_header(raw)
    except DecodingError as error:
        raise Differs("header", "a header", error) from error
    if keccak256(raw) != block_hash:
        _name_header_field(config, interpreter, snapshot, header, block_hash)
        raise Differs("hash", block_hash, keccak256(raw))
    if header.number != number:
        raise Differs("number", number, header.number)
    if number > 0 and (parent := canonical_hash(snapshot, number - 1)) != header.parent_hash:
        raise Differs("parentHash", parent, header.parent_hash)
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
        with naming_differences():
            execution = _begin(config, interpreter, snapshot, block)
            _apply(execution, block, len(block.transactions), no_check)
            restored = _sealed(execution)
    except (Differs, DecodingError):
        return
    if restored.hash == block_hash:
        with naming_differences():
            check_same(restored, header)


def _check_body(config: ChainConfig, snapshot: Snapshot, header: Header) -> Block:
    raw = snapshot.get(Table.BODIES, header.hash)
    if raw is None:
        raise Differs("body", "a stored body", "none")
    try:
        block = decode_body(header, raw)
    except DecodingError as error:
        raise Differs("body", "a block body", error) from error
    root = ordered_root([tx.raw for tx in block.transactions])
    if root != header.transactions_root:
        index = _changed_transaction(snapshot, block)
        raise Differs("transactionsRoot", header.transactions_root, root, index)
    withdrawals_root = ordered_root([item.encode() for item in block.withdrawals])
    # A rollup's header has something else in this place, and its blocks never hold withdrawals.
    committed = EMPTY_TRIE_ROOT if config.rollup is not None else header.withdrawals_root
    if withdrawals_root != committed:
        raise Differs("withdrawalsRoot", committed, withdrawals_root)
    if block.encode_body() != raw:
        raise Differs("body", block.encode_body(), raw)
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
        raise Differs("number by hash", block.number, number)
    index = _changed_transaction(snapshot, block)
    if index is not None:
        place = transaction_place(snapshot, block.transactions[index].hash)
        raise Differs("transaction by hash", (block.hash.hex(), index), place, index)


def _check_first_block(snapshot: Snapshot, block: Block) -> None:
    _stored_receipts(snapshot, block)
    expected = block.header.state_root
    try:
        root = state_root(snapshot, block.hash, expected)
        if root is not None:
            stored_node(snapshot, root)
    except CorruptStore as error:
        raise Differs("stateRoot", expected, error) from error


def _check_execution(
    config: ChainConfig, interpreter: Interpreter, snapshot: Snapshot, block: Block, count: int
) -> int:
    """Execute the first `count` transactions, and seal the block if these are all. The gas used."""
    stored = _stored_receipts(snapshot, block)

    def check_receipt(index: int, receipt: Receipt) -> None:
        if receipt.encode() != stored[index]:
            _compare_receipt(index, receipt, stored[index])

    with naming_differences():
        execution = _begin(config, interpreter, snapshot, block)
        _apply(execution, block, count, check_receipt)
        if count == len(block.transactions):
            check_same(_sealed(execution), block.header)
        return execution.gas_used


def _begin(
    config: ChainConfig, interpreter: Interpreter, snapshot: Snapshot, block: Block
) -> BlockExecution:
    """Begin a block on the stored state of its parent."""
    recover_senders(block.transactions)
    with _naming_damage():
        parent = get_header(snapshot, block.header.parent_hash)
        if parent is None:
            raise Differs("parentHash", "a stored block", block.header.parent_hash)
        view = stored_state(snapshot, state_root(snapshot, parent.hash, parent.state_root))
        hashes = ancestor_hashes(snapshot, parent)
        return BlockExecution(config, parent, attributes_of(block), view, hashes, interpreter)


def _apply(
    execution: BlockExecution, block: Block, count: int, check_receipt: CheckReceipt
) -> None:
    for index, tx in enumerate(block.transactions[:count]):
        with _naming_damage():
            receipt = apply_transaction(execution, index, tx)
        check_receipt(index, receipt)


def _sealed(execution: BlockExecution) -> Header:
    with _naming_damage():
        return execution.seal().block.header


@contextmanager
def _naming_damage() -> Iterator[None]:
    try:
        yield
    except CorruptStore as error:
        raise Differs("state", "the parent block and its state", error) from error


def _stored_receipts(snapshot: Snapshot, block: Block) -> tuple[bytes, ...]:
    raw = snapshot.get(Table.RECEIPTS, block.hash)
    if raw is None:
        raise Differs("receipts", "stored receipts", "none")
    try:
        stored = split_receipts(raw)
    except DecodingError as error:
        raise Differs("receipts", "a list of receipts", error) from error
    if len(stored) != len(block.transactions):
        raise Differs("receipts", len(block.transactions), len(stored))
    return stored


def _compare_receipt(index: int, computed: Receipt, encoding: bytes) -> None:
    try:
        stored = decode_receipt(encoding, 0)
    except DecodingError as error:
        raise Differs("receipt", "a receipt", error, index) from error
    for attribute, name in _RECEIPT_FIELD_NAMES.items():
        wanted, got = getattr(computed, attribute), getattr(stored, attribute)
        if wanted != got:
            raise Differs(name, wanted, got, index)
    raise Differs("receipt", computed.encode(), encoding, index)
