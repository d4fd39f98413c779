import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.bridge.proof import WrongProof, withdrawal_proof
from consensus.bridge.withdrawal import Withdrawal
from consensus.l1.json_objects import MalformedL1Data
from node.state.proofs import verify_proof
from node.types.primitives import keccak256
from tests.consensus.bridge.test_withdrawal import SAMPLE
from tests.consensus.bridge.withdrawals import proof_answer, withdrawals

MISSING = Withdrawal(SAMPLE.nonce + 1, SAMPLE.sender, SAMPLE.target, 1, 2, b"")


@given(st.lists(withdrawals, min_size=1, max_size=30), st.data())
def test_what_is_held_is_proven(held: list[Withdrawal], data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from(held))
    header, answer = proof_answer(held, asked)
    proof = withdrawal_proof(header, answer, asked)
    key = keccak256(asked.slot.to_bytes(32, "big"))
    assert verify_proof(proof.output.storage_root, key, proof.nodes) == b"\x01"
    assert proof.output.state_root == header.state_root
    assert proof.output.block_hash == header.hash


def test_what_is_not_held_is_not() -> None:
    header, answer = proof_answer([SAMPLE], MISSING)
    with pytest.raises(WrongProof, match=f"does not hold withdrawal 0x{MISSING.hash.hex()}"):
        withdrawal_proof(header, answer, MISSING)


def test_the_proof_of_another_block() -> None:
    header, answer = proof_answer([SAMPLE], SAMPLE)
    _, other = proof_answer([SAMPLE, MISSING], SAMPLE)
    with pytest.raises(WrongProof, match=r"accountProof: proof node 0"):
        withdrawal_proof(header, other, SAMPLE)
    with pytest.raises(WrongProof, match=r"storageHash: expected 0x\w+ \(accountProof\), got"):
        withdrawal_proof(header, answer | {"storageHash": other["storageHash"]}, SAMPLE)


@given(st.data())
def test_one_byte_changed(data: st.DataObject) -> None:
    header, good = proof_answer([SAMPLE, MISSING], SAMPLE)
    answer: dict[str, Any] = copy.deepcopy(good)
    where = data.draw(st.sampled_from(["accountProof", "storageProof"]))
    nodes = answer[where] if where == "accountProof" else answer[where][0]["proof"]
    number = data.draw(st.integers(0, len(nodes) - 1))
    place = data.draw(st.integers(2, len(nodes[number]) - 1))
    digit = data.draw(st.sampled_from("0123456789abcdef"))
    if nodes[number][place] == digit:
        return
    nodes[number] = nodes[number][:place] + digit + nodes[number][place + 1 :]
    with pytest.raises(WrongProof, match=where):
        withdrawal_proof(header, answer, SAMPLE)


@pytest.mark.parametrize(
    "change",
    [
        {"storageHash": None},
        {"accountProof": "0x"},
        {"accountProof": [1]},
        {"storageProof": {}},
        {"storageProof": [7]},
        {"storageProof": [{"proof": None}]},
    ],
    ids=str,
)
def test_no_answer_at_all(change: dict[str, Any]) -> None:
    header, answer = proof_answer([SAMPLE], SAMPLE)
    with pytest.raises(MalformedL1Data):
        withdrawal_proof(header, answer | change, SAMPLE)


@pytest.mark.parametrize("count", [0, 2])
def test_more_or_fewer_slots(count: int) -> None:
    header, answer = proof_answer([SAMPLE], SAMPLE)
    answer["storageProof"] *= count
    with pytest.raises(WrongProof, match=f"expected 1 slot, got {count}"):
        withdrawal_proof(header, answer, SAMPLE)


def test_no_message_passer() -> None:
    header, answer = proof_answer([SAMPLE], SAMPLE)
    answer["accountProof"] = []
    with pytest.raises(WrongProof, match="accountProof"):
        withdrawal_proof(header, answer, SAMPLE)
