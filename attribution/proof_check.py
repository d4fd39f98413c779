"""What a receipt's proof shows, without asking anybody.

Record -> batch root -> log -> receipts root -> block -> blocks that knew its hash -> output root.
Only the last step, whether that output root is on L1, needs an L1.
"""

from dataclasses import dataclass
from itertools import pairwise

from attribution.calldata import Appended, decode_appended
from attribution.receipt_proof import HistoryStep, ReceiptProof
from attribution.records import Record, decode_record, is_in_batch, leaf_hash
from node.errors import DecodingError, InvalidInput
from node.genesis.system_contracts import HISTORY_STORAGE_ADDRESS
from node.kept_proofs import HISTORY_WINDOW, history_slot
from node.output_root import Output
from node.state.proofs import verify_proof
from node.state.view import decode_account
from node.types.block import BlockRef, Header, decode_header
from node.types.primitives import Hash32, keccak256
from node.types.receipt import Log, decode_receipt
from node.types.rlp_codec import as_bytes, decode, encode, encode_uint


class ProofError(InvalidInput):
    """The proof is of the right form but shows something else, or nothing."""


@dataclass(frozen=True, slots=True)
class ProvenReceipt:
    """What is true if `output_root` is the root of the rollup's block `output_block`.

    `timestamp` (seconds) is that of `block`, which holds the receipt.
    """

    record: Record
    appended: Appended
    block: BlockRef
    timestamp: int
    output_block: BlockRef
    output_root: Hash32


def check_proof(proof: ReceiptProof) -> ProvenReceipt:
    """Return what the proof shows. DecodingError or ProofError says what is wrong with it."""
    record = decode_record(proof.record)
    headers = [_header(index, raw) for index, raw in enumerate(proof.headers)]
    if not headers:
        raise ProofError("headers: expected one or more, got none")
    appended = _appended(proof, headers[0])
    _check_batch(proof, appended)
    if len(proof.history) != len(headers) - 1:
        raise ProofError(f"history: expected {len(headers) - 1} steps, got {len(proof.history)}")
    for index, (earlier, later) in enumerate(pairwise(headers)):
        _check_step(index, proof.history[index], earlier, later)
    return ProvenReceipt(
        record=record,
        appended=appended,
        block=headers[0].ref,
        timestamp=headers[0].timestamp,
        output_block=headers[-1].ref,
        output_root=output_root(headers[-1]),
    )


def output_root(header: Header) -> Hash32:
    """Return the output root of a block.

    Attribution needs Isthmus, where the header has the storage root of the message passer.
    """
    return Output(header.state_root, header.withdrawals_root, header.hash).root


def _header(index: int, raw: bytes) -> Header:
    header = decode_header(raw)
    if header.encode() != raw:
        raise ProofError(f"headers[{index}]: expected the encoding of a header")
    return header


def _appended(proof: ReceiptProof, header: Header) -> Appended:
    """Return the event of the batch; the receipts root of its block vouches for it."""
    key = encode(encode_uint(proof.transaction_index))
    raw = verify_proof(header.receipts_root, key, proof.receipt_proof)
    if raw is None:
        raise ProofError(f"receiptProof: there is no transaction {proof.transaction_index}")
    # Earlier transactions' gas does not matter here.
    receipt = decode_receipt(raw, 0)
    if receipt.status != 1:
        raise ProofError("receiptProof: the transaction failed")
    if proof.log_index >= len(receipt.logs):
        raise ProofError(f"logIndex: expected less than {len(receipt.logs)}, got {proof.log_index}")
    return _decode_event(receipt.logs[proof.log_index])


def _decode_event(log: Log) -> Appended:
    try:
        return decode_appended(log)
    except DecodingError as error:
        raise ProofError(f"logIndex: {error}") from error


def _check_batch(proof: ReceiptProof, appended: Appended) -> None:
    if (appended.logger, appended.stream) != (proof.logger, proof.stream):
        raise ProofError(
            f"the batch is of stream {appended.stream:#x} of 0x{appended.logger.hex()}, "
            f"not of {proof.stream:#x} of 0x{proof.logger.hex()}"
        )
    index = proof.seq - appended.from_seq
    leaf = leaf_hash(proof.logger, proof.stream, proof.seq, proof.record)
    if not is_in_batch(appended.batch_root, appended.count, index, leaf, proof.batch_path):
        raise ProofError(
            f"batchPath: it does not show that the record is number {proof.seq} of the stream"
        )


def _check_step(index: int, step: HistoryStep, earlier: Header, later: Header) -> None:
    if not 1 <= later.number - earlier.number <= HISTORY_WINDOW:
        raise ProofError(
            f"history[{index}]: block {later.number} does not know the hash of {earlier.number}"
        )
    address = keccak256(HISTORY_STORAGE_ADDRESS)
    account = verify_proof(later.state_root, address, step.account_proof)
    if account is None:
        raise ProofError(f"history[{index}]: the history contract is not there")
    key = keccak256(history_slot(earlier.number).to_bytes(32, "big"))
    value = verify_proof(decode_account(account).storage_root, key, step.storage_proof)
    known = b"" if value is None else as_bytes(decode(value), "slot")
    if known.rjust(32, b"\x00") != earlier.hash:
        raise ProofError(
            f"history[{index}]: block {later.number} knows 0x{known.hex()} as {earlier.number}, "
            f"not 0x{earlier.hash.hex()}"
        )
