"""Every way in which a deposit can reach L2, and what it leaves there: in virtual time."""

from dataclasses import dataclass
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError

from consensus.l1.deposit_logs import DEPOSIT_TOPIC, parse_deposit
from node.artifacts import load_artifact
from node.types.deposit import DepositTransaction
from node.types.primitives import (
    ZERO_ADDRESS,
    Address,
    Hash32,
    checksum_address,
    create_address,
    hex_address,
    keccak256,
)
from node.types.receipt import Log, Receipt
from openrollup.testing import Devnet
from tests.consensus.bridge.test_deposits import alias_of

ETHER = 10**18
_GAS = 300_000


@dataclass(frozen=True, slots=True)
class User:
    """An account with ether and OPEN on L1, which has allowed the portal to take all of it."""

    devnet: Devnet
    address: str
    portal: Contract
    token: Contract

    @property
    def on_l2(self) -> tuple[int, int]:
        """Its balance on L2, and how many transactions it has sent there."""
        w3 = self.devnet.w3
        return w3.eth.get_balance(self.address), w3.eth.get_transaction_count(self.address)

    def deposit(
        self,
        to: str | None,
        *,
        mint: int = 0,
        value: int | None = None,
        gas: int = _GAS,
        data: bytes = b"",
    ) -> bytes:
        """Send a deposit into L1's pool and return its hash there."""
        target = checksum_address(ZERO_ADDRESS) if to is None else to
        arguments = [target, mint, mint if value is None else value, gas, to is None, data]
        return self.send(self.portal, "depositERC20Transaction", *arguments)

    def send(self, contract: Contract, name: str, *arguments: Any) -> bytes:
        """Call a contract on L1."""
        data = contract.encode_abi(name, list(arguments))
        request: Any = {"from": self.address, "to": contract.address, "data": data}
        return bytes(self.devnet.l1.w3.eth.send_transaction(request))


@pytest.fixture
def user(devnet: Devnet) -> User:
    contracts = devnet._network.nodes.rollup.contracts
    user = User(
        devnet,
        devnet.accounts[2].address,
        contract_at(devnet.l1.w3, contracts.optimism_portal, "OptimismPortal"),
        contract_at(devnet.l1.w3, contracts.open_token, "OpenToken"),
    )
    included(devnet, user.send(user.token, "approve", user.portal.address, 2**256 - 1))
    return user


def contract_at(w3: Web3, address: Address, name: str) -> Contract:
    found: Contract = w3.eth.contract(
        address=Web3.to_checksum_address(checksum_address(address)), abi=load_artifact(name).abi
    )
    return found


def created(w3: Web3, name: str, *arguments: Any) -> Contract:
    artifact = load_artifact(name)
    factory = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    receipt = w3.eth.wait_for_transaction_receipt(factory.constructor(*arguments).transact())
    return contract_at(w3, hex_address(receipt["contractAddress"]), name)


def included(devnet: Devnet, sent: bytes) -> DepositTransaction | None:
    """Bring a transaction into an L1 block, and return the deposit that it makes of it."""
    receipt = devnet.l1.w3.eth.wait_for_transaction_receipt(Hash32(sent))
    assert receipt["status"] == 1
    return deposit_in(receipt)


def deposit_in(receipt: Any) -> DepositTransaction | None:
    for log in receipt["logs"]:
        topics = tuple(Hash32(bytes(topic)) for topic in log["topics"])
        if topics[0] == DEPOSIT_TOPIC:
            plain = Log(hex_address(log["address"]), topics, bytes(log["data"]))
            return parse_deposit(Hash32(bytes(receipt["blockHash"])), log["logIndex"], plain)
    return None


def arrived(devnet: Devnet, sent: bytes) -> tuple[DepositTransaction, Receipt]:
    """Include a deposit on L1, build L2 blocks until it is there; return it with its receipt."""
    deposit = included(devnet, sent)
    assert deposit is not None
    for _ in range(20):
        (block,) = devnet.mine()
        hashes = [tx.hash for tx in block.transactions]
        if deposit.hash in hashes:
            return deposit, devnet.l2.receipts(block)[hashes.index(deposit.hash)]
    raise AssertionError("it does not come")


def assert_the_verifier_agrees(devnet: Devnet) -> None:
    devnet.derive()
    assert devnet.verifier.heads.safe == devnet.l2.heads.unsafe


def test_plain(devnet: Devnet, user: User) -> None:
    friend = Account.create().address
    balance, nonce = user.on_l2
    locked = user.token.functions.balanceOf(user.portal.address).call()
    _, receipt = arrived(devnet, user.deposit(friend, mint=7, value=5))
    assert receipt.status == 1
    assert devnet.l2.balance(friend) == 5
    assert user.on_l2 == (balance + 2, nonce + 1)
    assert user.token.functions.balanceOf(user.portal.address).call() == locked + 7
    assert_the_verifier_agrees(devnet)


def test_with_calldata(devnet: Devnet, user: User) -> None:
    greeter = created(devnet.w3, "Greeter", "hello")
    data = bytes.fromhex(greeter.encode_abi("setGreeting", ["from L1"])[2:])
    _, receipt = arrived(devnet, user.deposit(greeter.address, data=data))
    assert receipt.status == 1
    assert greeter.functions.greet().call() == "from L1"
    (log,) = receipt.logs
    assert log.topics[1][12:] == hex_address(user.address), "an account keeps its address"
    assert_the_verifier_agrees(devnet)


def test_a_contract_creation(devnet: Devnet, user: User) -> None:
    _, nonce = user.on_l2
    artifact = load_artifact("Greeter")
    factory = devnet.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    code = bytes.fromhex(factory.constructor("born on L1").data_in_transaction[2:])
    _, receipt = arrived(devnet, user.deposit(None, gas=1_000_000, data=code))
    assert receipt.status == 1
    address = create_address(hex_address(user.address), nonce)
    assert receipt.contract_address == address
    assert contract_at(devnet.w3, address, "Greeter").functions.greet().call() == "born on L1"
    assert_the_verifier_agrees(devnet)


def test_from_a_contract(devnet: Devnet, user: User) -> None:
    """What a contract deposits comes from its alias, which nobody on L2 can be."""
    depositor = created(devnet.l1.w3, "Depositor")
    greeter = created(devnet.w3, "Greeter", "hello")
    included(devnet, user.send(user.token, "transfer", depositor.address, 50))
    data = bytes.fromhex(greeter.encode_abi("setGreeting", ["from a contract"])[2:])
    sent = user.send(
        *(depositor, "depositERC20", user.portal.address, greeter.address),
        *(50, 0, _GAS, False, data),
    )
    deposit, receipt = arrived(devnet, sent)
    alias = alias_of(hex_address(depositor.address))
    assert (deposit.sender, receipt.status) == (alias, 1)
    assert receipt.logs[0].topics[1][12:] == alias
    assert devnet.l2.balance(alias) == 50
    assert devnet.l2.balance(depositor.address) == 0
    assert_the_verifier_agrees(devnet)


@pytest.mark.parametrize("why", ["reverts", "out of gas", "value without balance"])
def test_failing_on_l2(devnet: Devnet, user: User, why: str) -> None:
    """The mint stays with the sender, whose nonce counts the attempt."""
    greeter = created(devnet.w3, "Greeter", "hello")
    balance, nonce = user.on_l2
    name, text = ("fail", "no") if why == "reverts" else ("setGreeting", "x" * 1_000)
    data = bytes.fromhex(greeter.encode_abi(name, [text])[2:])
    gas = 21_000 + 40 * len(data) if why == "out of gas" else _GAS
    value = balance + 10 if why == "value without balance" else 0
    sent = user.deposit(greeter.address, mint=9, value=value, gas=gas, data=data)
    _, receipt = arrived(devnet, sent)
    assert receipt.status == 0
    assert user.on_l2 == (balance + 9, nonce + 1)
    assert devnet.l2.balance(greeter.address) == 0
    assert greeter.functions.greet().call() == "hello"
    assert_the_verifier_agrees(devnet)


@pytest.mark.parametrize("size", [0, 1, 1_000])
def test_too_little_gas_is_refused_on_l1(devnet: Devnet, user: User, size: int) -> None:
    least = 21_000 + 40 * size
    friend, data = Account.create().address, b"\xff" * size
    refusal = "0x" + keccak256(b"GasLimitTooLow(uint64,uint64)")[:4].hex()
    with pytest.raises(ContractCustomError, match=refusal):
        user.deposit(friend, mint=1, gas=least - 1, data=data)
    _, receipt = arrived(devnet, user.deposit(friend, mint=1, gas=least, data=data))
    assert receipt.status == 1
    assert devnet.l2.balance(friend) == 1


def test_forced_in_while_the_sequencer_is_stopped(devnet: Devnet, user: User) -> None:
    """L1 alone brings it: not before the sequencing window is over, and then without anybody."""
    friend = Account.create().address
    deposit = included(devnet, user.deposit(friend, mint=3))
    assert deposit is not None
    window = devnet._network.nodes.rollup.config.seq_window_size
    devnet.advance_l1(window - 1)
    assert devnet.verifier.reader.transaction(deposit.hash) is None
    devnet.advance_l1(3)
    assert devnet.verifier.reader.transaction(deposit.hash) is not None
    assert devnet.verifier.balance(friend) == 3
    assert devnet.l2.balance(friend) == 3, "the sequencer's own node derives it, too"
    devnet.mine(2)
    assert_the_verifier_agrees(devnet)
    assert devnet.l2.balance(friend) == 3


@pytest.mark.parametrize("is_on_l2", [False, True], ids=["before it is on L2", "after"])
def test_through_an_l1_reorg(devnet: Devnet, user: User, is_on_l2: bool) -> None:
    """It comes from another L1 block then, so it is another transaction: once, not twice."""
    friend = Account.create().address
    devnet.advance_l1(4)
    sent = user.deposit(friend, mint=11)
    first = arrived(devnet, sent)[0] if is_on_l2 else included(devnet, sent)
    devnet.reorg_l1(2)
    again = deposit_in(devnet.l1.w3.eth.get_transaction_receipt(Hash32(sent)))
    assert first is not None
    assert again is not None
    assert again.hash != first.hash
    assert devnet.l2.balance(friend) == 0
    while devnet.l2.reader.transaction(again.hash) is None:
        devnet.mine()
    assert devnet.l2.reader.transaction(first.hash) is None
    assert devnet.l2.balance(friend) == 11
    assert_the_verifier_agrees(devnet)
    assert devnet.verifier.balance(friend) == 11
