"""attribution_getProof and attribution_verifyProof: receipts for those who believe L1 alone."""

from attribution.batch_search import find_batch, receipt_count
from attribution.posted_output import DueOutput, PostedOutput, check_against, check_place
from attribution.proof_builder import Output, build_proof
from attribution.proof_check import output_root
from attribution.proof_verdict import verdict_to_json
from attribution.receipt_proof import ReceiptProof, parse_proof, proof_to_json
from node.attribution_entries import Place
from node.errors import InvalidInput, TemporaryError
from node.reader import Reader
from node.types.block import Header
from node.types.primitives import Address
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, quantity
from rpc.errors import SERVER_ERROR, RpcError, not_found
from rpc.params import address, required, uint64
from rpc.ports import OutputsPort
from rpc.slow_reads import SlowReads


class ProofMethods:
    """Proves what this node has derived, under outputs that are on L1 as it has them."""

    def __init__(self, reader: Reader, outputs: OutputsPort, slow_reads: SlowReads) -> None:
        self._reader = reader
        self._outputs = outputs
        self._slow_reads = slow_reads

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        place = (required(address), required(uint64), required(uint64))
        return (
            Method("attribution_getProof", self._get_proof, place),
            Method("attribution_verifyProof", self._verify_proof, (required(parse_proof),)),
        )

    async def _get_proof(self, logger: Address, stream: int, seq: int) -> Json:
        """Prove under the first output at or after the receipt's block."""
        place, header = await self._slow_reads.run(self._find, logger, stream, seq)
        posted = await self._outputs.covering(header)
        if isinstance(posted, DueOutput):
            raise _not_posted(header, posted)
        proof = await self._slow_reads.run(self._build, place, seq, posted)
        return proof_to_json(proof)

    async def _verify_proof(self, proof: ReceiptProof) -> Json:
        """Check against the rollup's oracle on L1, as this node knows it."""
        try:
            check_place(proof, await self._outputs.l1_chain_id(), await self._outputs.oracle())
            posted = await self._outputs.output(proof.output_index)
            shown = await self._slow_reads.run(check_against, proof, posted)
        except InvalidInput as error:
            return {"valid": False, "reason": str(error)}
        assert posted is not None, "a proof against no output is refused"
        return verdict_to_json(proof, shown, posted)

    def _find(self, logger: Address, stream: int, seq: int) -> tuple[Place, Header]:
        found = find_batch(self._reader, logger, stream, seq)
        if found is None:
            count = receipt_count(self._reader, logger, stream)
            raise not_found(
                f"no such receipt (yet): expected a number below {count}, how many stream "
                f"{stream:#x} of 0x{logger.hex()} has here, got {seq}"
            )
        header = self._reader.header_by_number(found.block)
        if header is None:
            raise _changing()
        return found, header

    def _build(self, place: Place, seq: int, posted: PostedOutput) -> ReceiptProof:
        """Build a proof, and check it: what we hand out, L1 agrees with."""
        self._check_root(posted)
        output = Output(posted.l1_chain_id, posted.oracle, posted.index, posted.block)
        proof = build_proof(self._reader, place, seq, output)
        shown = check_against(proof, posted)
        if shown.block.number != place.block:
            raise _changing()
        return proof

    def _check_root(self, posted: PostedOutput) -> None:
        header = self._reader.header_by_number(posted.block)
        if header is None:
            raise TemporaryError(
                f"output {posted.index} on L1 is of block {posted.block}, to which this node has "
                "not come yet"
            )
        own = output_root(header)
        if own != posted.root:
            raise RpcError(
                SERVER_ERROR,
                f"output {posted.index} on L1, of block {posted.block}, is 0x{posted.root.hex()}, "
                f"this node has 0x{own.hex()}: nothing is proven under it",
            )


def _not_posted(header: Header, due: DueOutput) -> RpcError:
    return RpcError(
        SERVER_ERROR,
        f"no output yet: block {header.number} is covered by output {due.index}, of block "
        f"{due.block}, which is not on L1 and cannot be before time {due.not_before}",
        {
            "block": quantity(header.number),
            "outputIndex": quantity(due.index),
            "outputBlock": quantity(due.block),
            "notBefore": quantity(due.not_before),
        },
    )


def _changing() -> TemporaryError:
    return TemporaryError("the chain was reorganised while the proof was made: ask again")
