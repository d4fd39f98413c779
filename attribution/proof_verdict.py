"""What a checked proof says, as JSON: the same from a node and from the command."""

from typing import Any

from attribution.posted_output import PostedOutput
from attribution.proof_check import ProvenReceipt
from attribution.receipt_proof import ReceiptProof
from attribution.records import FULL_WEIGHT, Record


def verdict_to_json(
    proof: ReceiptProof, shown: ProvenReceipt, posted: PostedOutput
) -> dict[str, Any]:
    """Return the receipt, where it is, on which output that rests, and whose word that is.

    Amounts are in gwei, weights in basis points, times in seconds.
    """
    return {
        "valid": True,
        "logger": _hex(proof.logger),
        "stream": hex(proof.stream),
        "seq": hex(proof.seq),
        **record_to_json(shown.record),
        "block": {
            "number": hex(shown.block.number),
            "hash": _hex(shown.block.hash),
            "timestamp": hex(shown.timestamp),
        },
        "output": output_to_json(posted),
        "trust": {
            "proposer": _hex(posted.proposer),
            "challenger": _hex(posted.challenger),
            "finalizationPeriod": hex(posted.finalization_period_s),
        },
    }


def record_to_json(record: Record) -> dict[str, Any]:
    """Return a record's fields, and the weight that it gives to no dataset."""
    return {
        "amountGwei": hex(record.amount),
        "influences": [
            {"dataset": hex(entry.dataset), "weight": hex(entry.weight)}
            for entry in record.influences
        ],
        "unattributed": hex(unattributed(record)),
        "commitment": _hex(record.commitment),
    }


def output_to_json(posted: PostedOutput) -> dict[str, Any]:
    """Return an output on L1."""
    return {
        "l1ChainId": hex(posted.l1_chain_id),
        "oracle": _hex(posted.oracle),
        "index": hex(posted.index),
        "block": hex(posted.block),
        "root": _hex(posted.root),
        "timestamp": hex(posted.timestamp),
        "finalAfter": hex(posted.final_after),
        "isFinal": posted.is_final,
    }


def unattributed(record: Record) -> int:
    """Return the weight that a record gives to no dataset, in basis points."""
    return FULL_WEIGHT - sum(entry.weight for entry in record.influences)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
