"""Calls of AttributionVerifier, the contract on L1 that checks receipts' proofs."""

from dataclasses import dataclass

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError as AbiDecodingError

from attribution.receipt_proof import ReceiptProof
from attribution.records import Influence, Record
from node.errors import DecodingError
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32, keccak256

_PROOF = (
    "(uint256,address,uint64,uint64,bytes,bytes32[],uint64,uint64,bytes[],bytes[],"
    "(bytes[],bytes[])[])"
)
_RECEIPT = "((uint64,uint32[],uint16[],bytes32),uint256,uint256,bytes32,uint256)"
VERIFY = keccak256(f"verify({_PROOF})".encode())[:4]
VERIFY_FINAL = keccak256(f"verifyFinal({_PROOF})".encode())[:4]


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What the contract answers; see `attribution.proof_check.ProvenReceipt`.

    It is final when L1's time is greater than `final_after` (seconds).
    """

    record: Record
    block: BlockRef
    timestamp: int
    final_after: int


def encode_verify(proof: ReceiptProof, *, is_final: bool = False) -> bytes:
    """Return the call data that checks a proof, and with `is_final` that it cannot change."""
    history = [(step.account_proof, step.storage_proof) for step in proof.history]
    values = (
        proof.output_index,
        proof.logger,
        proof.stream,
        proof.seq,
        proof.record,
        proof.batch_path,
        proof.log_index,
        proof.transaction_index,
        proof.receipt_proof,
        proof.headers,
        history,
    )
    return (VERIFY_FINAL if is_final else VERIFY) + abi_encode((_PROOF,), (values,))


def decode_verified(output: bytes) -> VerifiedReceipt:
    """Read what the contract answered; DecodingError if that is something else."""
    try:
        ((record, number, timestamp, block_hash, final_after),) = abi_decode((_RECEIPT,), output)
    except AbiDecodingError as error:
        raise DecodingError(f"verify: {error}") from error
    amount, datasets, weights, committed = record
    influences = tuple(map(Influence, datasets, weights))
    return VerifiedReceipt(
        record=Record(amount, influences, Hash32(committed)),
        block=BlockRef(Hash32(block_hash), BlockNumber(number)),
        timestamp=timestamp,
        final_after=final_after,
    )
