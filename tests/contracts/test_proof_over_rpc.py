"""The same proofs as any client gets them: eth_getBlockByNumber and eth_getProof, over HTTP."""

from typing import Any

import pytest
from eth_abi import encode
from eth_utils import to_checksum_address

from consensus.bridge.withdrawal import Withdrawal, withdrawals_of
from node.genesis.genesis import MESSAGE_PASSER
from node.output_root import Output
from node.types.primitives import Address, Hash32, keccak256
from node.types.receipt import Log
from openrollup.testing.devnet import Devnet
from tests.contracts.conftest import FINALIZATION_PERIOD, L1Contracts
from tests.contracts.local_chain import Reverted
from tests.contracts.way_out import WayOut
from tests.contracts.withdrawing import TARGET, Proof, open_withdrawing

OPEN = 10**18


def test_withdrawals_of_a_user(l1: L1Contracts) -> None:
    """One by a plain transfer, then one with data; both proven at the later block."""
    with Devnet() as devnet, open_withdrawing(genesis_only=True) as unused:
        way_out = WayOut(l1, unused)
        way_out.lock(5 * OPEN)
        user = devnet.accounts[0].address
        plain = _withdraw(devnet, {"from": user, "value": 2 * OPEN, "gas": 200_000})
        data = keccak256(b"initiateWithdrawal(address,uint256,bytes)")[:4] + encode(
            ("address", "uint256", "bytes"), (TARGET, 50_000, b"\x01\x02")
        )
        more = _withdraw(devnet, {"from": user, "value": OPEN, "gas": 200_000, "data": data})
        assert to_checksum_address(plain.sender) == to_checksum_address(plain.target) == user
        assert (plain.value, plain.gas_limit, plain.data) == (2 * OPEN, 100_000, b"")
        assert (more.target, more.gas_limit, more.data) == (TARGET, 50_000, b"\x01\x02")

        proofs = [_proof(devnet, withdrawal) for withdrawal in (plain, more)]
        assert proofs[0].output == proofs[1].output
        index = way_out.propose(proofs[0].output.root)
        with pytest.raises(Reverted, match="InvalidWithdrawalProof"):
            way_out.prove(plain, index, proofs[1])
        for withdrawal, proof in zip((plain, more), proofs, strict=True):
            way_out.prove(withdrawal, index, proof)
        way_out.wait(FINALIZATION_PERIOD + 1)
        for withdrawal in (plain, more):
            assert way_out.finalized_with(way_out.finalize(withdrawal)) is True
        assert way_out.open_of(plain.target) == 2 * OPEN
        assert (way_out.open_of(TARGET), way_out.locked()) == (OPEN, 2 * OPEN)


def _withdraw(devnet: Devnet, transaction: dict[str, Any]) -> Withdrawal:
    eth = devnet.w3.eth
    sent = eth.send_transaction({"to": to_checksum_address(MESSAGE_PASSER), **transaction})
    receipt = eth.wait_for_transaction_receipt(sent)
    assert receipt["status"] == 1
    logs = [
        Log(
            Address(bytes.fromhex(log["address"][2:])),
            tuple(Hash32(bytes(topic)) for topic in log["topics"]),
            bytes(log["data"]),
        )
        for log in receipt["logs"]
    ]
    (withdrawal,) = withdrawals_of(logs)
    return withdrawal


def _proof(devnet: Devnet, withdrawal: Withdrawal) -> Proof:
    eth = devnet.w3.eth
    block = eth.get_block("latest")
    passer = to_checksum_address(MESSAGE_PASSER)
    answer = eth.get_proof(passer, [withdrawal.slot], block["number"])
    (storage,) = answer["storageProof"]
    roots = (block["stateRoot"], answer["storageHash"], block["hash"])
    output = Output(*(Hash32(bytes(root)) for root in roots))
    return Proof(output, tuple(bytes(node) for node in storage["proof"]))
