"""A token crosses a whole network: deployed, derived, and the same at the verifier."""

from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.logs import DISCARD

from node.artifacts import load_artifact
from node.genesis.predeploys import L2_STANDARD_BRIDGE_ADDRESS, MINTABLE_ERC20_FACTORY_ADDRESS
from openrollup.testing import Devnet

MIN_GAS = 200_000


def contract_at(w3: Web3, name: str, address: Any) -> Contract:
    return w3.eth.contract(Web3.to_checksum_address(address), abi=load_artifact(name).abi)


def transact(w3: Web3, call: Any, sender: str) -> Any:
    receipt = w3.eth.wait_for_transaction_receipt(call.transact({"from": sender}))
    assert receipt["status"] == 1
    return receipt


def test_a_token_crosses_to_l2_and_starts_back(devnet: Devnet) -> None:
    l1, l2, alice = devnet.l1.w3, devnet.w3, devnet.accounts[0].address
    artifact = load_artifact("TestToken")
    home = l1.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    created = transact(l1, home.constructor("Home", "HOME", 1000), alice)
    token = contract_at(l1, "TestToken", created["contractAddress"])

    l2_bridge = contract_at(l2, "L2StandardBridge", L2_STANDARD_BRIDGE_ADDRESS)
    l1_bridge = contract_at(l1, "L1StandardBridge", l2_bridge.functions.l1TokenBridge().call())
    assert l1_bridge.functions.otherBridge().call() == l2_bridge.address
    messengers = [bridge.functions.messenger().call() for bridge in (l1_bridge, l2_bridge)]
    messenger = contract_at(l2, "L2CrossDomainMessenger", messengers[1])
    assert messenger.functions.otherMessenger().call() == messengers[0]

    factory = contract_at(l2, "OptimismMintableERC20Factory", MINTABLE_ERC20_FACTORY_ADDRESS)
    create = factory.functions.createOptimismMintableERC20(token.address, "Away", "AWAY")
    (event,) = factory.events.OptimismMintableERC20Created().process_receipt(
        transact(l2, create, alice), errors=DISCARD
    )
    away = contract_at(l2, "OptimismMintableERC20", event["args"]["localToken"])

    transact(l1, token.functions.approve(l1_bridge.address, 700), alice)
    call = l1_bridge.functions.depositERC20(token.address, away.address, 700, MIN_GAS, b"")
    transact(l1, call, alice)
    devnet.advance_l1(6)
    for _ in range(60):
        if away.functions.balanceOf(alice).call():
            break
        devnet.mine()
    assert away.functions.balanceOf(alice).call() == 700
    assert token.functions.balanceOf(l1_bridge.address).call() == 700

    back = l2_bridge.functions.withdraw(away.address, 300, MIN_GAS, b"")
    receipt = transact(l2, back, alice)
    (event,) = l2_bridge.events.WithdrawalInitiated().process_receipt(receipt, errors=DISCARD)
    assert (event["args"]["l1Token"], event["args"]["amount"]) == (token.address, 300)
    assert away.functions.totalSupply().call() == 400

    devnet.derive()
    there = contract_at(devnet.verifier.w3, "OptimismMintableERC20", away.address)
    assert there.functions.balanceOf(alice).call() == 400
