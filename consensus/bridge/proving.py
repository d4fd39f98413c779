"""Finding the proof that the portal will accept, at a node of L2 that may have forgotten."""

from collections.abc import Sequence

from consensus.bridge.chain import Chain
from consensus.bridge.portal import ProposedOutput
from consensus.bridge.proof import WithdrawalProof, WrongProof, withdrawal_proof
from consensus.bridge.withdrawal import Withdrawal
from consensus.l1.json_rpc import RpcFault
from node.errors import TemporaryError
from node.genesis.genesis import MESSAGE_PASSER


class NoProof(TemporaryError):
    """The node of L2 has no state of any block whose output could serve."""


async def find_proof(
    l2: Chain, withdrawal: Withdrawal, outputs: Sequence[tuple[int, ProposedOutput]]
) -> tuple[int, WithdrawalProof]:
    """Return the first output (by index) that the withdrawal can be proven against, and the proof.

    A node that keeps only some states may have that of a later output alone. WrongProof if what L1
    holds is not what this node has; NoProof if it has none of the states.
    """
    refusals = []
    for index, output in outputs:
        try:
            return index, await _proof(l2, withdrawal, output)
        except RpcFault as fault:
            refusals.append(f"block {output.l2_block}: {fault.message}")
    raise NoProof(
        f"{l2.url} gives no proof ({'; '.join(refusals)}): wait for the next output, or ask a node "
        "that keeps older states"
    )


async def _proof(l2: Chain, withdrawal: Withdrawal, output: ProposedOutput) -> WithdrawalProof:
    header = await l2.header(output.l2_block)
    answer = await l2.storage_proof(MESSAGE_PASSER, withdrawal.slot, output.l2_block)
    proof = withdrawal_proof(header, answer, withdrawal)
    if proof.output.root != output.root:
        raise WrongProof(
            f"L1's output for L2 block {output.l2_block} is 0x{output.root.hex()}, {l2.url} gives "
            f"0x{proof.output.root.hex()}: it is another chain's node, or a wrong output "
            "that a challenger has to delete"
        )
    return proof
