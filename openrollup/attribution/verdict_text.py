"""A true proof in words: what it says, on what it rests, whose word that is."""

from datetime import UTC, datetime

from attribution.posted_output import PostedOutput
from attribution.preimages import Preimage
from attribution.proof_check import ProvenReceipt
from attribution.proof_verdict import unattributed
from attribution.receipt_proof import ReceiptProof
from attribution.records import Record
from node.types.primitives import checksum_address
from openrollup.bridge.arguments import open_text

_WEI_IN_GWEI = 10**9


def verdict_lines(
    proof: ReceiptProof, shown: ProvenReceipt, posted: PostedOutput, preimage: Preimage | None
) -> list[str]:
    """Return what is printed of a proof that is true."""
    record, block = shown.record, shown.block
    return [
        f"true: receipt {proof.seq} of stream {proof.stream:#x} of "
        f"{checksum_address(proof.logger)} is on the rollup",
        f"block        {block.number} (0x{block.hash.hex()}), {_time(shown.timestamp)}",
        f"amount       {open_text(record.amount * _WEI_IN_GWEI)} OPEN",
        *_attribution(record),
        f"commitment   0x{record.commitment.hex()}",
        *([] if preimage is None else _answer(preimage)),
        f"output       {posted.index}, of block {posted.block}: 0x{posted.root.hex()}",
        f"             in {checksum_address(posted.oracle)} on L1 chain {posted.l1_chain_id}, "
        f"posted {_time(posted.timestamp)}",
        f"final        {_finality(posted)}",
        f"trusts       {checksum_address(posted.proposer)}, who proposes the outputs: nothing on "
        "L1 computes them;",
        f"             {checksum_address(posted.challenger)} can delete a wrong one for "
        f"{_duration(posted.finalization_period_s)}",
    ]


def _attribution(record: Record) -> list[str]:
    parts = [(f"dataset {entry.dataset}", entry.weight) for entry in record.influences]
    parts.append(("unattributed", unattributed(record)))
    shares = ", ".join(f"{name} {_percent(weight)}" for name, weight in parts)
    return [
        f"attribution  {shares}",
        "             (the gateway's word: who holds the preimage can recompute it)",
    ]


def _answer(preimage: Preimage) -> list[str]:
    return [
        "             is that of the preimage:",
        f"             model 0x{preimage.model_hash.hex()}",
        f"             request 0x{preimage.request_hash.hex()} ({preimage.prompt_tokens} tokens)",
        f"             response 0x{preimage.response_hash.hex()} "
        f"({preimage.completion_tokens} tokens)",
        f"             weights by {preimage.method.name.lower()}, evidence "
        f"0x{preimage.evidence_root.hex()}",
    ]


def _finality(posted: PostedOutput) -> str:
    end = _time(posted.final_after)
    if posted.is_final:
        return f"yes: since {end} nobody can delete the output, and L1 has finalized that"
    return f"not yet: the output may be deleted until {end}, and L1 has to finalize a later block"


def _percent(weight: int) -> str:
    whole, rest = divmod(weight, 100)
    return f"{whole}.{rest:02} %" if rest else f"{whole} %"


def _duration(seconds: int) -> str:
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} seconds"


def _time(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError):
        return f"time {seconds}"
