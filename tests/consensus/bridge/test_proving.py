import pytest

from consensus.bridge.chain import Chain
from consensus.bridge.portal import ProposedOutput
from consensus.bridge.proof import WrongProof, withdrawal_proof
from consensus.bridge.proving import NoProof, find_proof
from consensus.l1.json_objects import JsonObject
from consensus.l1.json_rpc import JsonRpc, RpcFault
from node.types.block import Header
from node.types.primitives import ZERO_HASH, Address
from tests.consensus.bridge.test_withdrawal import SAMPLE
from tests.consensus.bridge.withdrawals import proof_answer

HEADER, ANSWER = proof_answer([SAMPLE], SAMPLE)
PROOF = withdrawal_proof(HEADER, ANSWER, SAMPLE)
OUTPUTS = [
    (5, ProposedOutput(PROOF.output.root, 1, 20)),
    (9, ProposedOutput(PROOF.output.root, 2, 60)),
]


class KeepsStates(Chain):
    """A node of L2 whose blocks are all alike, and which has the states from some block on."""

    def __init__(self, oldest: int) -> None:
        super().__init__(JsonRpc("http://node"), 901)
        self._oldest = oldest

    async def header(self, number: int) -> Header:
        return HEADER

    async def storage_proof(self, address: Address, slot: int, number: int) -> JsonObject:
        assert slot == SAMPLE.slot
        if number < self._oldest:
            raise RpcFault("eth_getProof", 4444, "pruned history unavailable")
        return ANSWER


async def test_the_first_output_serves() -> None:
    assert await find_proof(KeepsStates(0), SAMPLE, OUTPUTS) == (5, PROOF)


async def test_a_node_that_has_only_later_states() -> None:
    assert await find_proof(KeepsStates(21), SAMPLE, OUTPUTS) == (9, PROOF)


async def test_a_node_that_has_none_of_the_states() -> None:
    with pytest.raises(NoProof, match=r"gives no proof \(block 20: pruned .*; block 60: pruned"):
        await find_proof(KeepsStates(61), SAMPLE, OUTPUTS)


async def test_an_output_that_is_not_this_chain_s() -> None:
    wrong = [(5, ProposedOutput(ZERO_HASH, 1, 20)), *OUTPUTS[1:]]
    with pytest.raises(WrongProof, match=f"L1's output for L2 block 20 is 0x{'00' * 32}, http"):
        await find_proof(KeepsStates(0), SAMPLE, wrong)
