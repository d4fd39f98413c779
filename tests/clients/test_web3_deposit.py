"""OPEN from L1 to L2 through web3.py: what is locked in the portal arrives as native coin."""

from eth_account import Account
from web3 import Web3
from web3.types import TxReceipt

from consensus.l1.deposit_logs import DEPOSIT_TOPIC
from node.artifacts import load_artifact
from node.types.deposit import make_deposit, user_source_hash
from node.types.primitives import Address, Hash32, checksum_address
from tests.clients.test_web3 import ETHER, connect, send
from tests.integration.nodes import Started

_GAS = 100_000


def test_deposit_arrives(devnet: Started) -> None:
    l1, l2 = connect(devnet.l1_url), connect(devnet.l2_url)
    token = l1.eth.contract(
        address=checksum_address(devnet.contracts["OpenToken"]), abi=load_artifact("OpenToken").abi
    )
    portal = l1.eth.contract(
        address=checksum_address(devnet.contracts["OptimismPortal"]),
        abi=load_artifact("OptimismPortal").abi,
    )
    users = [Account.from_key(account.private_key) for account in devnet.accounts]
    user = next(user for user in users if token.functions.balanceOf(user.address).call() > 0)
    to = Account.create().address
    amount = 5 * ETHER

    approval = token.encode_abi("approve", [portal.address, amount])
    assert send(l1, user, {"to": token.address, "data": approval})["status"] == 1
    call = portal.encode_abi("depositERC20Transaction", [to, amount, amount, _GAS, False, b""])
    on_l1 = send(l1, user, {"to": portal.address, "data": call})
    assert on_l1["status"] == 1

    expected = make_deposit(
        source_hash=user_source_hash(Hash32(bytes(on_l1["blockHash"])), _log_index(on_l1)),
        sender=Address(bytes.fromhex(user.address[2:])),
        to=Address(bytes.fromhex(to[2:])),
        mint=amount,
        value=amount,
        gas=_GAS,
        data=b"",
    )
    on_l2 = l2.eth.wait_for_transaction_receipt(expected.hash, timeout=60, poll_latency=0.1)
    assert (on_l2["status"], on_l2["type"]) == (1, 0x7E)
    assert l2.eth.get_balance(Web3.to_checksum_address(to)) == amount
    assert token.functions.balanceOf(portal.address).call() >= amount


def _log_index(receipt: TxReceipt) -> int:
    return next(
        log["logIndex"] for log in receipt["logs"] if bytes(log["topics"][0]) == DEPOSIT_TOPIC
    )
