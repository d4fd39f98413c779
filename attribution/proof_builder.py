"""Putting a receipt's proof together from what a node has."""

from dataclasses import dataclass

from attribution.receipt_proof import HistoryStep, ReceiptProof
from attribution.records import batch_path, decode_records, encode_records, leaf_hash
from node.attribution_entries import Place
from node.errors import InvalidInput, PrunedHistory
from node.genesis.system_contracts import HISTORY_STORAGE_ADDRESS
from node.kept_proofs import HISTORY_WINDOW, KeptBatch, history_slot, kept_batch, kept_step
from node.reader import Reader
from node.state.proofs import ordered_proof
from node.types.attribution_call import ATTRIBUTION_ADDRESS, AppendCall, parse_call
from node.types.block import Header
from node.types.primitives import Address, BlockNumber


@dataclass(frozen=True, slots=True)
class Output:
    """An output root on L1: who keeps it, its number there, the L2 block that it is of."""

    l1_chain_id: int
    oracle: Address
    index: int
    block: BlockNumber


def build_proof(reader: Reader, place: Place, seq: int, output: Output) -> ReceiptProof:
    """Prove receipt `seq` of the batch at `place` under `output`, whose block may not be earlier.

    InvalidInput if that cannot be: no such receipt, or written by a contract, whose call data no
    block holds. PrunedHistory if the node no longer has what it takes.
    """
    if output.block < place.block:
        raise InvalidInput(f"output: expected one of block {place.block} or later")
    batch = _batch(reader, place)
    records = decode_records(batch.records)
    index = seq - batch.from_seq
    if not 0 <= index < len(records):
        last = batch.from_seq + len(records) - 1
        raise InvalidInput(f"seq: expected {batch.from_seq} to {last} in this batch, got {seq}")
    encoded = [encode_records([record]) for record in records]
    leaves = [
        leaf_hash(batch.logger, batch.stream, batch.from_seq + offset, raw)
        for offset, raw in enumerate(encoded)
    ]
    headers, history = _path(reader, _header(reader, place.block), output.block)
    return ReceiptProof(
        l1_chain_id=output.l1_chain_id,
        l2_output_oracle=output.oracle,
        output_index=output.index,
        logger=batch.logger,
        stream=batch.stream,
        seq=seq,
        record=encoded[index],
        batch_path=batch_path(leaves, index),
        log_index=place.log_index,
        transaction_index=place.transaction_index,
        receipt_proof=batch.receipt_proof,
        headers=headers,
        history=history,
    )


def _batch(reader: Reader, place: Place) -> KeptBatch:
    """Return the batch from its block, or what was kept of it when that was pruned."""
    try:
        return _batch_of_block(reader, place)
    except PrunedHistory:
        with reader.snapshot() as snapshot:
            kept = kept_batch(snapshot, place)
        if kept is None:
            raise
        return kept


def _batch_of_block(reader: Reader, place: Place) -> KeptBatch:
    block = reader.block_by_number(place.block)
    if block is None:
        raise _unknown(place.block)
    transaction = block.transactions[place.transaction_index]
    if transaction.to != ATTRIBUTION_ADDRESS:
        raise InvalidInput(
            f"transaction 0x{transaction.hash.hex()}: the receipts were written by a contract, so "
            "that their records are not in the chain's data"
        )
    call = parse_call(transaction.data)
    if not isinstance(call, AppendCall):
        raise InvalidInput(f"transaction 0x{transaction.hash.hex()}: it writes no receipts")
    receipts = reader.receipts(block.hash)
    if receipts is None:
        raise _unknown(place.block)
    return KeptBatch(
        logger=transaction.sender,
        stream=call.stream,
        from_seq=call.from_seq,
        records=transaction.data[call.start : call.end],
        receipt_proof=ordered_proof(
            [receipt.encode() for receipt in receipts], place.transaction_index
        ),
    )


def _path(
    reader: Reader, first: Header, output_block: BlockNumber
) -> tuple[tuple[bytes, ...], tuple[HistoryStep, ...]]:
    """Return headers from `first` to the output's, and what links each to the next."""
    headers = [_header(reader, output_block)]
    history: list[HistoryStep] = []
    while (later := headers[-1]).number > first.number:
        number = BlockNumber(max(first.number, later.number - HISTORY_WINDOW))
        history.append(_step(reader, later, number))
        headers.append(_header(reader, number))
    return tuple(header.encode() for header in headers[::-1]), tuple(history[::-1])


def _step(reader: Reader, later: Header, earlier: BlockNumber) -> HistoryStep:
    """Return the step from the state of `later`, or what was kept when that was pruned."""
    try:
        shown = reader.proof(HISTORY_STORAGE_ADDRESS, (history_slot(earlier),), later)
    except PrunedHistory:
        with reader.snapshot() as snapshot:
            kept = kept_step(snapshot, later.number, earlier)
        if kept is None:
            raise
        return HistoryStep(*kept)
    return HistoryStep(shown.account_proof, shown.storage[0].proof)


def _header(reader: Reader, number: BlockNumber) -> Header:
    header = reader.header_by_number(number)
    if header is None:
        raise _unknown(number)
    return header


def _unknown(number: BlockNumber) -> InvalidInput:
    return InvalidInput(f"block {number}: this node does not have it")
