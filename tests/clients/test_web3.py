"""web3.py against the node, as an application uses it."""

from typing import Any

import pytest
from eth_abi.abi import decode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError
from web3.types import TxParams, TxReceipt, Wei

from node.artifacts import load_artifact
from node.types.primitives import keccak256
from tests.integration.nodes import Started

GWEI = 10**9
ETHER = 10**18


@pytest.fixture(scope="module")
def web3(devnet: Started) -> Web3:
    return connect(devnet.l2_url)


@pytest.fixture(scope="module")
def user(devnet: Started) -> LocalAccount:
    return Account.from_key(devnet.accounts[0].private_key)


@pytest.fixture(scope="module")
def greeter(web3: Web3, user: LocalAccount) -> Contract:
    return deploy(web3, user, "Greeter", "hello")


def connect(url: str) -> Web3:
    web3 = Web3(Web3.HTTPProvider(url))
    web3.eth.set_gas_price_strategy(None)
    return web3


def send(web3: Web3, user: LocalAccount, fields: TxParams) -> TxReceipt:
    """Fill in what is missing by asking the node, sign, send and wait."""
    request: TxParams = {
        "from": user.address,
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(user.address, "pending"),
        "maxPriorityFeePerGas": web3.eth.max_priority_fee,
        **fields,
    }
    latest = web3.eth.get_block("latest")
    request["maxFeePerGas"] = Wei(2 * latest["baseFeePerGas"] + request["maxPriorityFeePerGas"])
    if "gas" not in request:
        request["gas"] = web3.eth.estimate_gas(request)
    signed = user.sign_transaction(request)
    transaction_hash = web3.eth.send_raw_transaction(signed.raw_transaction)
    return web3.eth.wait_for_transaction_receipt(transaction_hash, timeout=30, poll_latency=0.1)


def deploy(web3: Web3, user: LocalAccount, name: str, *arguments: object) -> Contract:
    artifact = load_artifact(name)
    factory = web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    fields = factory.constructor(*arguments).build_transaction({"from": user.address, "gas": 0})
    receipt = send(web3, user, {"data": fields["data"]})
    assert receipt["status"] == 1
    contract: Contract = web3.eth.contract(address=receipt["contractAddress"], abi=artifact.abi)
    return contract


def sign(web3: Web3, user: LocalAccount, **fields: Any) -> HexBytes:
    """A plain transfer of nothing to oneself, but for `fields`."""
    latest = web3.eth.get_block("latest")
    request = {
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(user.address, "pending"),
        "to": user.address,
        "gas": 21_000,
        "maxPriorityFeePerGas": GWEI,
        "maxFeePerGas": 2 * latest["baseFeePerGas"] + GWEI,
        **fields,
    }
    return HexBytes(user.sign_transaction(request).raw_transaction)


def test_chain_id(web3: Web3, devnet: Started) -> None:
    assert web3.eth.chain_id == devnet.l2_chain_id == 901
    assert web3.net.version == "901"
    assert connect(devnet.l1_url).eth.chain_id == devnet.l1_chain_id == 900


def test_transfer_moves_native_open(web3: Web3, user: LocalAccount) -> None:
    to = Account.create().address
    before = web3.eth.get_balance(user.address)
    receipt = send(web3, user, {"to": to, "value": Wei(3 * ETHER)})
    assert receipt["status"] == 1
    assert receipt["gasUsed"] == 21_000
    assert web3.eth.get_balance(to) == 3 * ETHER
    l1_fee = int(receipt["l1Fee"], 16)  # type: ignore[typeddict-item]
    gas_fee = receipt["gasUsed"] * receipt["effectiveGasPrice"]
    paid = before - web3.eth.get_balance(user.address, receipt["blockNumber"])
    assert paid == 3 * ETHER + gas_fee + l1_fee
    found = web3.eth.get_transaction(receipt["transactionHash"])
    assert (found["value"], found["blockHash"]) == (3 * ETHER, receipt["blockHash"])


def test_deployed_contract_answers_and_logs(web3: Web3, user: LocalAccount) -> None:
    greeter = deploy(web3, user, "Greeter", "hello")
    assert greeter.functions.greet().call() == "hello"
    call = greeter.functions.setGreeting("good evening")
    receipt = send(web3, user, call.build_transaction({"from": user.address}))
    assert greeter.functions.greet().call() == "good evening"
    (event,) = greeter.events.GreetingChanged().process_receipt(receipt)
    assert event["args"] == {"by": user.address, "greeting": "good evening"}
    (found,) = greeter.events.GreetingChanged().get_logs(from_block=receipt["blockNumber"])
    assert found["args"] == event["args"]


def test_reason_of_a_revert(greeter: Contract, user: LocalAccount) -> None:
    with pytest.raises(ContractLogicError) as caught:
        greeter.functions.fail("not today").call({"from": user.address})
    assert caught.value.message == "execution reverted: not today"
    with pytest.raises(ContractLogicError, match="execution reverted: nor now"):
        greeter.functions.fail("nor now").estimate_gas({"from": user.address})


def test_custom_error_of_a_revert(greeter: Contract, user: LocalAccount) -> None:
    with pytest.raises(ContractCustomError) as caught:
        greeter.functions.failCustom(42).call({"from": user.address})
    data = bytes(HexBytes(caught.value.data))
    assert data[:4] == keccak256(b"GreetingRefused(address,uint256)")[:4]
    by, code = decode(["address", "uint256"], data[4:])
    assert (Web3.to_checksum_address(by), code) == (user.address, 42)


def test_failed_transaction_has_a_receipt(
    web3: Web3, user: LocalAccount, greeter: Contract
) -> None:
    data = greeter.encode_abi("fail", ["too late"])
    receipt = send(web3, user, {"to": greeter.address, "data": data, "gas": 100_000})
    assert receipt["status"] == 0
    assert 21_000 < receipt["gasUsed"] < 100_000
    assert receipt["logs"] == []


def test_estimate_is_enough_and_close(web3: Web3, user: LocalAccount, greeter: Contract) -> None:
    call = greeter.functions.setGreeting("x" * 200)
    estimate = call.estimate_gas({"from": user.address})
    data = greeter.encode_abi("setGreeting", ["x" * 200])
    receipt = send(web3, user, {"to": greeter.address, "data": data, "gas": estimate})
    assert receipt["status"] == 1
    assert receipt["gasUsed"] <= estimate <= receipt["gasUsed"] * 1.02
    assert web3.eth.estimate_gas({"from": user.address, "to": user.address}) == 21_000


def test_pending_nonce_counts_what_waits(web3: Web3, devnet: Started) -> None:
    user = Account.from_key(devnet.accounts[1].private_key)
    first = web3.eth.get_transaction_count(user.address, "pending")
    hashes = [
        web3.eth.send_raw_transaction(sign(web3, user, nonce=first + offset)) for offset in range(3)
    ]
    assert web3.eth.get_transaction_count(user.address, "pending") == first + 3
    for transaction_hash in hashes:
        web3.eth.wait_for_transaction_receipt(transaction_hash, timeout=30, poll_latency=0.1)
    assert web3.eth.get_transaction_count(user.address, "latest") == first + 3


def test_replacement_must_pay_more(web3: Web3, devnet: Started) -> None:
    """With a gap before it the transaction waits, however fast blocks come."""
    user = Account.from_key(devnet.accounts[2].private_key)
    nonce = web3.eth.get_transaction_count(user.address) + 1
    web3.eth.send_raw_transaction(sign(web3, user, nonce=nonce))
    with pytest.raises(Web3RPCError, match="replacement transaction underpriced"):
        web3.eth.send_raw_transaction(sign(web3, user, nonce=nonce, value=1))
    better = sign(
        web3,
        user,
        nonce=nonce,
        maxPriorityFeePerGas=2 * GWEI,
        maxFeePerGas=2 * web3.eth.gas_price + 10 * GWEI,
    )
    replaced_by = web3.eth.send_raw_transaction(better)
    with pytest.raises(Web3RPCError, match="already known"):
        web3.eth.send_raw_transaction(better)
    web3.eth.send_raw_transaction(sign(web3, user, nonce=nonce - 1))
    receipt = web3.eth.wait_for_transaction_receipt(replaced_by, timeout=30, poll_latency=0.1)
    assert receipt["status"] == 1


def test_used_nonce_is_refused(web3: Web3, user: LocalAccount) -> None:
    send(web3, user, {"to": user.address})
    with pytest.raises(Web3RPCError, match="nonce too low"):
        web3.eth.send_raw_transaction(sign(web3, user, nonce=0))


def test_poor_sender_is_refused(web3: Web3) -> None:
    poor = Account.create()
    with pytest.raises(Web3RPCError, match="insufficient funds for gas"):
        web3.eth.send_raw_transaction(sign(web3, poor))


def test_fee_history_and_gas_price(web3: Web3) -> None:
    history = web3.eth.fee_history(2, "latest", [10, 90])
    assert len(history["baseFeePerGas"]) == len(history["gasUsedRatio"]) + 1
    assert web3.eth.gas_price >= web3.eth.get_block("latest")["baseFeePerGas"]
