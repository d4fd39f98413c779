"""Blocks by hash: headers, bodies and receipts, which stay readable when a block is unwound.

Of a pruned block the header stays, and the deposit that opens it if it is a rollup's: consensus
reads there which L1 block it came from.
"""

from collections.abc import Sequence

from node.errors import CorruptStore, DecodingError, NodeError
from node.history import first_kept, pruned
from node.indices import is_canonical
from node.state.trie import ordered_root
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table
from node.storage.seal import seal, unseal
from node.types.block import Block, Header, decode_body, decode_header
from node.types.primitives import Address, Hash32, create_address, keccak256
from node.types.receipt import Receipt, decode_receipt
from node.types.rlp_codec import as_bytes, as_list, decode, encode
from node.types.transaction import DEPOSIT, Transaction, decode_transaction


def put_block(tx: WriteTransaction, block: Block, receipts: Sequence[Receipt]) -> None:
    """Store a block and its receipts under its hash."""
    tx.put(Table.HEADERS, block.hash, block.header.encode())
    tx.put(Table.BODIES, block.hash, block.encode_body())
    tx.put(Table.RECEIPTS, block.hash, encode_receipts(receipts))


def get_header(snapshot: Snapshot, block_hash: Hash32) -> Header | None:
    """Return a stored header; CorruptStore if the stored bytes do not have this hash."""
    raw = snapshot.get(Table.HEADERS, block_hash)
    if raw is None:
        return None
    if keccak256(raw) != block_hash:
        raise CorruptStore(f"header of block 0x{block_hash.hex()}: it has another hash")
    try:
        return decode_header(raw)
    except DecodingError as error:
        raise CorruptStore(f"header of block 0x{block_hash.hex()}: {error}") from error


def get_block(snapshot: Snapshot, block_hash: Hash32) -> Block | None:
    """Return a stored block; PrunedHistory if only its header is kept, CorruptStore if its body is
    missing or cannot be decoded.
    """
    header = get_header(snapshot, block_hash)
    if header is None:
        return None
    raw = snapshot.get(Table.BODIES, block_hash)
    if raw is None:
        raise _missing(snapshot, header, "body of block 0x{}: it is missing")
    try:
        block = decode_body(header, raw)
    except DecodingError as error:
        raise CorruptStore(f"body of block 0x{block_hash.hex()}: {error}") from error
    if ordered_root([tx.raw for tx in block.transactions]) != header.transactions_root:
        raise CorruptStore(f"body of block 0x{block_hash.hex()}: it has other transactions")
    # A rollup's header has something else in this place, and its blocks never hold withdrawals.
    withdrawals = block.withdrawals and ordered_root([item.encode() for item in block.withdrawals])
    if withdrawals and withdrawals != header.withdrawals_root:
        raise CorruptStore(f"body of block 0x{block_hash.hex()}: it has other withdrawals")
    return block


def get_opening(snapshot: Snapshot, block_hash: Hash32) -> Block | None:
    """Return a block with its first transaction alone, which a rollup's pruned block still has.

    PrunedHistory if it is pruned and had none to keep, CorruptStore as `get_block`.
    """
    raw = snapshot.get(Table.OPENINGS, block_hash)
    header = None if raw is None else get_header(snapshot, block_hash)
    if raw is None or header is None:
        block = get_block(snapshot, block_hash)
        return None if block is None else Block(block.header, block.transactions[:1])
    try:
        opening = unseal(Table.OPENINGS, block_hash, raw)
        return Block(header, (decode_transaction(opening),))
    except DecodingError as error:
        raise CorruptStore(f"opening of block 0x{block_hash.hex()}: {error}") from error


def get_receipts(snapshot: Snapshot, block: Block) -> tuple[Receipt, ...]:
    """Return the receipts of a stored block; PrunedHistory if they are no longer kept, CorruptStore
    if they are missing or damaged.
    """
    raw = snapshot.get(Table.RECEIPTS, block.hash)
    if raw is None:
        raise _missing(snapshot, block.header, "receipts of block 0x{}: they are missing")
    try:
        encodings = split_receipts(raw)
        receipts = decode_receipts(block, encodings)
    except DecodingError as error:
        raise CorruptStore(f"receipts of block 0x{block.hash.hex()}: {error}") from error
    if ordered_root(encodings) != block.header.receipts_root:
        raise CorruptStore(f"receipts of block 0x{block.hash.hex()}: they are not its header's")
    return receipts


def prune_block(tx: WriteTransaction, block_hash: Hash32) -> list[Hash32]:
    """Delete the body and receipts of a block, except a deposit that opens it.

    Returns the hashes of its transactions; CorruptStore if the body is missing or damaged.
    """
    raw = tx.get(Table.BODIES, block_hash)
    if raw is None:
        raise CorruptStore(f"body of block 0x{block_hash.hex()}: it is missing")
    try:
        items = as_list(as_list(decode(raw, 6), "block body", 3)[0], "transactions")
    except DecodingError as error:
        raise CorruptStore(f"body of block 0x{block_hash.hex()}: {error}") from error
    envelopes = [item if isinstance(item, bytes) else encode(item) for item in items]
    if envelopes and envelopes[0][:1] == bytes([DEPOSIT]):
        tx.put(Table.OPENINGS, block_hash, seal(block_hash, envelopes[0]))
    tx.delete(Table.BODIES, block_hash)
    tx.delete(Table.RECEIPTS, block_hash)
    return [keccak256(envelope) for envelope in envelopes]


def _missing(snapshot: Snapshot, header: Header, message: str) -> NodeError:
    """Return the error for something of a block that is not there: pruned, or lost."""
    first = first_kept(snapshot)
    # Where the history begins, only the canonical block is kept.
    is_kept = header.number > first or (
        header.number == first and is_canonical(snapshot, header.hash)
    )
    if is_kept or header.number == 0:
        return CorruptStore(message.format(header.hash.hex()))
    return pruned(f"block {header.number}", first)


def encode_receipts(receipts: Sequence[Receipt]) -> bytes:
    """Return the stored form: an RLP list of EIP-2718 encodings."""
    return encode([receipt.encode() for receipt in receipts])


def split_receipts(raw: bytes) -> tuple[bytes, ...]:
    """Return the EIP-2718 encodings in the stored form; DecodingError if it is not one."""
    items = as_list(decode(raw, 1), "receipts")
    return tuple(as_bytes(item, "receipt") for item in items)


def decode_receipts(block: Block, encodings: Sequence[bytes]) -> tuple[Receipt, ...]:
    """Decode receipts and rebuild what their encodings leave out from the block's transactions."""
    if len(encodings) != len(block.transactions):
        raise DecodingError(
            f"receipts: expected {len(block.transactions)}, one for each transaction, "
            f"got {len(encodings)}"
        )
    receipts: list[Receipt] = []
    cumulative = 0
    for tx, encoding in zip(block.transactions, encodings, strict=True):
        receipt = decode_receipt(encoding, cumulative)
        cumulative = receipt.cumulative_gas_used
        if tx.to is None:
            nonce = tx.nonce if isinstance(tx, Transaction) else receipt.deposit_nonce or 0
            receipt = _with_contract(receipt, create_address(tx.sender, nonce))
        receipts.append(receipt)
    return tuple(receipts)


def _with_contract(receipt: Receipt, address: Address) -> Receipt:
    return Receipt(
        receipt.type,
        receipt.status,
        receipt.cumulative_gas_used,
        receipt.gas_used,
        receipt.logs,
        receipt.bloom,
        receipt.deposit_nonce,
        address,
    )
