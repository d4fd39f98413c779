"""`openrollup attribution verify`: is a receipt's proof true, by L1 alone?"""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson

from attribution.posted_output import PostedOutput, check_against, check_place
from attribution.preimages import Preimage, preimage_to_json, read_preimages
from attribution.proof_check import ProofError, ProvenReceipt, check_proof
from attribution.proof_verdict import verdict_to_json
from attribution.receipt_proof import ReceiptProof, decode_proof
from attribution.records import Record
from consensus.block_refs import L1BlockRef
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from consensus.l1.source import L1NotFound
from consensus.proposer.posted_outputs import PostedOutputs
from node.errors import ConfigError, DecodingError, InvalidInput
from node.types.primitives import Address, checksum_address
from openrollup.attribution.verdict_text import verdict_lines

_PATIENCE = RpcSettings(attempts=2)


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """A proof.json, and the L1 that is believed. Without an `oracle` the proof's own is."""

    proof: Path
    l1_url: str
    json: bool
    oracle: Address | None = None
    preimage: Path | None = None


async def run_verify(options: VerifyOptions) -> int:
    """Return 0 if the proof is true, 1 if it is false, which is said in one line.

    ConfigError for files that are not what they are to be; TemporaryError if L1 does not answer.
    """
    proof = _read_proof(options.proof)
    preimages = None if options.preimage is None else read_preimages(options.preimage)
    if options.oracle is None:
        _warn(proof)
    try:
        # First what needs no L1: most of what can be wrong.
        shown = check_proof(proof)
        preimage = None if preimages is None else _matching(preimages, shown.record)
        posted = await _posted(options, proof)
        shown = check_against(proof, posted)
    except InvalidInput as error:
        _say_false(options, error)
        return 1
    assert posted is not None, "a proof against no output is refused"
    _say_true(options, proof, shown, posted, preimage)
    return 0


def _read_proof(path: Path) -> ReceiptProof:
    try:
        return decode_proof(path.read_bytes())
    except DecodingError as error:
        raise ConfigError(f"{path}: no proof of a receipt: {error}") from error


def _matching(preimages: Sequence[Preimage], record: Record) -> Preimage:
    for preimage in preimages:
        if preimage.commitment == record.commitment:
            return preimage
    raise ProofError(
        f"--preimage: none of {len(preimages)} gives the receipt's commitment, "
        f"0x{record.commitment.hex()}"
    )


async def _posted(options: VerifyOptions, proof: ReceiptProof) -> PostedOutput | None:
    async with AsyncExitStack() as stack:
        rpc = JsonRpc(options.l1_url, _PATIENCE)
        stack.push_async_callback(rpc.close)
        l1 = L1Client(rpc)

        async def finalized() -> L1BlockRef | None:
            try:
                return await l1.block_ref_by_label("finalized")
            except L1NotFound:
                return None

        chain_id = await l1.chain_id()
        oracle = proof.l2_output_oracle if options.oracle is None else options.oracle
        check_place(proof, chain_id, oracle)
        outputs = PostedOutputs.of_oracle(l1, chain_id, oracle, finalized)
        try:
            return await outputs.output(proof.output_index)
        except ConfigError as error:
            raise ProofError(f"l2OutputOracle: {error}") from error


def _warn(proof: ReceiptProof) -> None:
    sys.stderr.write(
        f"openrollup: warning: the oracle {checksum_address(proof.l2_output_oracle)} is the "
        "proof's own word: compare it with l2OutputOracle in the rollup's addresses.json, or give "
        "--oracle\n"
    )


def _say_false(options: VerifyOptions, error: InvalidInput) -> None:
    if options.json:
        sys.stdout.write(orjson.dumps({"valid": False, "reason": str(error)}).decode() + "\n")
    else:
        sys.stdout.write(f"false: {' '.join(str(error).split())}\n")
    sys.stdout.flush()


def _say_true(
    options: VerifyOptions,
    proof: ReceiptProof,
    shown: ProvenReceipt,
    posted: PostedOutput,
    preimage: Preimage | None,
) -> None:
    if options.json:
        verdict = verdict_to_json(proof, shown, posted)
        if preimage is not None:
            verdict["preimage"] = preimage_to_json(preimage)
        text = orjson.dumps(verdict).decode()
    else:
        text = "\n".join(verdict_lines(proof, shown, posted, preimage))
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
