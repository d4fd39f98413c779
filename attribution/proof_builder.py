"""Putting a receipt's proof together from what a node has."""

from dataclasses import dataclass

from attribution.calldata import decode_append
from attribution.proof_check import HISTORY_WINDOW, history_slot
from attribution.receipt_proof import HistoryStep, ReceiptProof
from attribution.records import Record, batch_path, encode_records, leaf_hash
from node.errors import InvalidInput, PrunedHistory
from node.genesis.system_contracts import HISTORY_STORAGE_ADDRESS
from node.reader import Reader
from node.state.proofs import ordered_proof
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.block import Block, Header
from node.types.primitives import Address, BlockNumber, Hash32


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """Where the event of a batch is; `log_index` counts within its transaction."""

    block: BlockNumber
    transaction_index: int
    log_index: int


@dataclass(frozen=True, slots=True)
class Output:
    """An output root on L1: who keeps it, its number there, the L2 block that it is of."""

    l1_chain_id: int
    oracle: Address
    index: int
    block: BlockNumber


def build_proof(reader: Reader, place: BatchPlace, seq: int, output: Output) -> ReceiptProof:
    """Prove receipt `seq` of the batch at `place` under `output`, whose block may not be earlier.

    InvalidInput if that cannot be: no such receipt, or written by a contract, whose call data no
    block holds. PrunedHistory if the node no longer has what it takes.
    """
    if output.block < place.block:
        raise InvalidInput(f"output: expected one of block {place.block} or later")
    block = _block(reader, place.block)
    logger, stream, from_seq, records = _batch(block, place.transaction_index)
    index = seq - from_seq
    if not 0 <= index < len(records):
        last = from_seq + len(records) - 1
        raise InvalidInput(f"seq: expected {from_seq} to {last} in this batch, got {seq}")
    encoded = [encode_records([record]) for record in records]
    leaves = [
        leaf_hash(logger, stream, from_seq + offset, raw) for offset, raw in enumerate(encoded)
    ]
    headers, history = _path(reader, block.header, output.block)
    return ReceiptProof(
        l1_chain_id=output.l1_chain_id,
        l2_output_oracle=output.oracle,
        output_index=output.index,
        logger=logger,
        stream=stream,
        seq=seq,
        record=encoded[index],
        batch_path=batch_path(leaves, index),
        log_index=place.log_index,
        transaction_index=place.transaction_index,
        receipt_proof=_receipt_proof(reader, block.hash, place.transaction_index),
        headers=headers,
        history=history,
    )


def _batch(block: Block, transaction_index: int) -> tuple[Address, int, int, tuple[Record, ...]]:
    transaction = block.transactions[transaction_index]
    if transaction.to != ATTRIBUTION_ADDRESS:
        raise InvalidInput(
            f"transaction 0x{transaction.hash.hex()}: the receipts were written by a contract, so "
            "that their records are not in the chain's data"
        )
    stream, from_seq, records = decode_append(transaction.data)
    return transaction.sender, stream, from_seq, records


def _receipt_proof(reader: Reader, block_hash: Hash32, transaction_index: int) -> tuple[bytes, ...]:
    receipts = reader.receipts(block_hash)
    if receipts is None:
        raise PrunedHistory(f"the receipts of block 0x{block_hash.hex()} are no longer kept")
    return ordered_proof([receipt.encode() for receipt in receipts], transaction_index)


def _path(
    reader: Reader, first: Header, output_block: BlockNumber
) -> tuple[tuple[bytes, ...], tuple[HistoryStep, ...]]:
    """Return headers from `first` to the output's, and what links each to the next."""
    headers = [_header(reader, output_block)]
    history: list[HistoryStep] = []
    while (later := headers[-1]).number > first.number:
        number = BlockNumber(max(first.number, later.number - HISTORY_WINDOW))
        slot = history_slot(number)
        shown = reader.proof(HISTORY_STORAGE_ADDRESS, (slot,), later)
        history.append(HistoryStep(shown.account_proof, shown.storage[0].proof))
        headers.append(_header(reader, number))
    return tuple(header.encode() for header in headers[::-1]), tuple(history[::-1])


def _header(reader: Reader, number: BlockNumber) -> Header:
    header = reader.header_by_number(number)
    if header is None:
        raise InvalidInput(f"block {number}: this node does not have it")
    return header


def _block(reader: Reader, number: BlockNumber) -> Block:
    block = reader.block_by_number(number)
    if block is None:
        raise InvalidInput(f"block {number}: this node does not have it")
    return block
