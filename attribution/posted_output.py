"""An output root on L1, as receipts are proven against it: the last link of a proof, and whose word
it is.
"""

from dataclasses import dataclass

from attribution.proof_check import ProofError, ProvenReceipt, check_proof
from attribution.receipt_proof import ReceiptProof
from node.types.primitives import Address, BlockNumber, Hash32, checksum_address


@dataclass(frozen=True, slots=True)
class PostedOutput:
    """Output number `index` of an oracle: of the rollup's `block`, posted by `proposer`.

    `timestamp` is that of the L1 block that it came with. Up to `final_after` the `challenger` may
    delete it; `is_final` if L1's finalized block is later than that, so that neither he nor a reorg
    of L1 can take it back. Times are in seconds.
    """

    l1_chain_id: int
    oracle: Address
    index: int
    block: BlockNumber
    root: Hash32
    timestamp: int
    proposer: Address
    challenger: Address
    final_after: int
    is_final: bool

    @property
    def finalization_period_s(self) -> int:
        """For how long it could be deleted."""
        return self.final_after - self.timestamp


@dataclass(frozen=True, slots=True)
class DueOutput:
    """An output that is not on L1 (yet): it cannot be before L2 is at `not_before` (seconds)."""

    index: int
    block: BlockNumber
    not_before: int


def check_place(proof: ReceiptProof, l1_chain_id: int, oracle: Address) -> None:
    """Refuse a proof against an output that is elsewhere (ProofError)."""
    if proof.l1_chain_id != l1_chain_id:
        raise ProofError(
            f"l1ChainId: the proof is for chain {proof.l1_chain_id}, L1 is chain {l1_chain_id}"
        )
    if proof.l2_output_oracle != oracle:
        raise ProofError(
            f"l2OutputOracle: expected {checksum_address(oracle)}, the proof is against "
            f"{checksum_address(proof.l2_output_oracle)}"
        )


def check_against(proof: ReceiptProof, posted: PostedOutput | None) -> ProvenReceipt:
    """Return what a proof shows, given output number `output_index` of its oracle (None: no such).

    DecodingError or ProofError says what is wrong with the proof.
    """
    shown = check_proof(proof)
    if posted is None:
        raise ProofError(
            f"outputIndex: there is no output {proof.output_index} on L1 (any more): it was never "
            "posted, or is deleted"
        )
    check_place(proof, posted.l1_chain_id, posted.oracle)
    if (posted.index, posted.block) != (proof.output_index, shown.output_block.number):
        raise ProofError(
            f"outputIndex: output {posted.index} on L1 is of block {posted.block}, the proof ends "
            f"with block {shown.output_block.number}"
        )
    if posted.root != shown.output_root:
        raise ProofError(
            f"headers: they give the output root 0x{shown.output_root.hex()}, output "
            f"{posted.index} on L1 is 0x{posted.root.hex()}"
        )
    return shown
