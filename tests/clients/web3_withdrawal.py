"""A withdrawal by web3.py, as an application without any OP Stack library does it."""

import time
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.types import TxReceipt

from node.artifacts import load_artifact
from tests.clients.test_web3 import send

_POLL_S = 0.3
_TIMEOUT_S = 90.0
_PASSER = "0x4200000000000000000000000000000000000016"
_FIELDS = ["uint256", "address", "address", "uint256", "uint256", "bytes"]


@dataclass(frozen=True, slots=True)
class Web3Withdrawal:
    """What came of it: the receipts of its three steps, by name."""

    receipts: dict[str, TxReceipt] = field(default_factory=dict)


def contract(web3: Web3, address: str, name: str) -> Contract:
    """Return one of our contracts as web3.py has it."""
    found: Contract = web3.eth.contract(
        address=Web3.to_checksum_address(address), abi=load_artifact(name).abi
    )
    return found


def withdraw(
    l1: Web3, l2: Web3, addresses: dict[str, str], user: LocalAccount, to: str, amount: int
) -> Web3Withdrawal:
    """Take OPEN from L2 to `to` on L1, and wait until it is there."""
    done = Web3Withdrawal()
    portal = contract(l1, addresses["optimismPortal"], "OptimismPortal")
    oracle = contract(l1, addresses["l2OutputOracle"], "L2OutputOracle")
    passer = contract(l2, _PASSER, "L2ToL1MessagePasser")
    data = passer.encode_abi("initiateWithdrawal", [to, 21_000, b""])
    begun = send(
        l2, user, {"to": passer.address, "data": data, "value": Web3.to_wei(amount, "wei")}
    )
    done.receipts["begun"] = begun
    (event,) = passer.events.MessagePassed().process_receipt(begun)
    args = event["args"]
    names = ("nonce", "sender", "target", "value", "gasLimit", "data")
    withdrawal = tuple(args[name] for name in names)
    assert Web3.keccak(encode(_FIELDS, withdrawal)) == args["withdrawalHash"]

    _wait_until(lambda: oracle.functions.latestBlockNumber().call() >= begun["blockNumber"])
    index = oracle.functions.getL2OutputIndexAfter(begun["blockNumber"]).call()
    root, _, number = oracle.functions.getL2Output(index).call()
    block = l2.eth.get_block(number)
    slot = Web3.keccak(args["withdrawalHash"] + bytes(32))
    proof = l2.eth.get_proof(passer.address, [int.from_bytes(slot)], number)
    parts = (
        bytes(32),
        bytes(block["stateRoot"]),
        bytes(proof["storageHash"]),
        bytes(block["hash"]),
    )
    assert Web3.keccak(b"".join(parts)) == root
    nodes = list(proof["storageProof"][0]["proof"])
    call = portal.encode_abi("proveWithdrawalTransaction", [withdrawal, index, parts, nodes])
    proven = send(l1, user, {"to": portal.address, "data": call})
    done.receipts["proven"] = proven

    final = portal.encode_abi("finalizeWithdrawalTransaction", [withdrawal])
    period = oracle.functions.FINALIZATION_PERIOD_SECONDS().call()
    proven_at = l1.eth.get_block(proven["blockNumber"])["timestamp"]
    _wait_until(lambda: _time(l1) > proven_at + period)
    done.receipts["finalized"] = send(l1, user, {"to": portal.address, "data": final})
    return done


def _time(web3: Web3) -> int:
    return web3.eth.get_block("latest")["timestamp"]


def _wait_until(condition: Any) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(_POLL_S)
