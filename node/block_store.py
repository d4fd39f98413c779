"""Blocks by hash: headers, bodies and receipts, which stay readable when a block is unwound."""

from collections.abc import Sequence

from node.errors import CorruptStore, DecodingError
from node.execution.transition import ExecutedBlock
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table
from node.types.block import Block, Header, decode_body, decode_header
from node.types.primitives import Address, Hash32, create_address, keccak256
from node.types.receipt import Receipt, decode_receipt
from node.types.rlp_codec import as_bytes, as_list, decode, encode
from node.types.transaction import Transaction


def put_block(tx: WriteTransaction, executed: ExecutedBlock) -> None:
    """Store a block and its receipts under its hash."""
    block = executed.block
    tx.put(Table.HEADERS, block.hash, block.header.encode())
    tx.put(Table.BODIES, block.hash, block.encode_body())
    tx.put(Table.RECEIPTS, block.hash, encode_receipts(executed.receipts))


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
    """Return a stored block; CorruptStore if its body is missing or cannot be decoded."""
    header = get_header(snapshot, block_hash)
    if header is None:
        return None
    raw = snapshot.get(Table.BODIES, block_hash)
    if raw is None:
        raise CorruptStore(f"body of block 0x{block_hash.hex()}: it is missing")
    try:
        return decode_body(header, raw)
    except DecodingError as error:
        raise CorruptStore(f"body of block 0x{block_hash.hex()}: {error}") from error


def get_receipts(snapshot: Snapshot, block: Block) -> tuple[Receipt, ...]:
    """Return the receipts of a stored block; CorruptStore if they are missing or damaged."""
    raw = snapshot.get(Table.RECEIPTS, block.hash)
    if raw is None:
        raise CorruptStore(f"receipts of block 0x{block.hash.hex()}: they are missing")
    try:
        return decode_receipts(block, split_receipts(raw))
    except DecodingError as error:
        raise CorruptStore(f"receipts of block 0x{block.hash.hex()}: {error}") from error


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
