"""Whatever the sequencer builds, a node that knows only L1 derives the same, receipts too."""

import os
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes

from attribution.calldata import encode_append
from attribution.records import Influence, Record
from node.artifacts import load_artifact
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.block import Block
from node.types.primitives import Hash32, checksum_address
from openrollup.testing import Devnet

ETHER = 10**18
GWEI = 10**9


def send(devnet: Devnet, user: LocalAccount, **fields: Any) -> HexBytes:
    """Sign and send what `fields` make of it, without a block."""
    eth = devnet.w3.eth
    request = {
        "chainId": 901,
        "nonce": eth.get_transaction_count(user.address, "pending"),
        "gas": 200_000,
        "value": 0,
        **fields,
    }
    if "gasPrice" not in request:
        request.update(maxFeePerGas=100 * GWEI, maxPriorityFeePerGas=GWEI)
    return eth.send_raw_transaction(user.sign_transaction(request).raw_transaction)


def send_all_types(devnet: Devnet) -> None:
    """A transaction of each type, a creation, a failure and a record of attribution."""
    user, other, delegator = devnet.accounts[:3]
    greeter = load_artifact("Greeter")
    contract = devnet.deploy(greeter, "hello")
    send(devnet, user, to=other.address, gasPrice=100 * GWEI)
    entry = {"address": contract.address, "storageKeys": ["0x" + "00" * 32]}
    send(devnet, user, to=other.address, gasPrice=100 * GWEI, accessList=[entry])
    send(devnet, other, to=contract.address, data=contract.encode_abi("setGreeting", ["new"]))
    send(devnet, other, to=contract.address, data=contract.encode_abi("fail", ["no"]))
    creation = devnet.w3.eth.contract(abi=greeter.abi, bytecode=greeter.bytecode)
    data = creation.constructor("again").data_in_transaction
    send(devnet, other, to=b"", data=data, gas=2_000_000)
    nonce = devnet.w3.eth.get_transaction_count(delegator.address)
    authorization = delegator.sign_authorization(
        {"chainId": 901, "address": contract.address, "nonce": nonce}
    )
    send(devnet, user, to=delegator.address, authorizationList=[authorization])
    append = encode_append(1, 0, [Record(5, (Influence(4, 2_000),), Hash32(b"\x03" * 32))])
    send(devnet, user, to=checksum_address(ATTRIBUTION_ADDRESS), data=append, gas=2_000_000)


def assert_same_chain(devnet: Devnet) -> None:
    """Compare hashes, receipts and balances of both nodes up to the sequencer's head."""
    last = devnet.l2.heads.unsafe.number
    assert devnet.verifier.heads.safe == devnet.l2.heads.unsafe
    for number in range(last + 1):
        built, derived = devnet.l2.block(number), devnet.verifier.block(number)
        assert built == derived, f"block {number}"
        assert devnet.l2.receipts(built) == devnet.verifier.receipts(derived), f"block {number}"


def types(blocks: list[Block]) -> set[int]:
    return {tx.type for block in blocks for tx in block.transactions}


def test_transactions_of_all_types(devnet: Devnet) -> None:
    send_all_types(devnet)
    devnet.deposit(devnet.accounts[3].address, ETHER)
    devnet.mine(2)
    devnet.derive()
    assert_same_chain(devnet)
    last = devnet.l2.heads.unsafe.number
    assert types([devnet.l2.block(number) for number in range(last + 1)]) == {0, 1, 2, 4, 0x7E}


def test_a_batcher_that_has_much_to_catch_up_with(devnet: Devnet) -> None:
    sender, receiver = devnet.accounts[:2]
    for nonce in range(8):
        # Random bytes do not compress: this makes several channels of several transactions each.
        send(
            devnet,
            sender,
            to=receiver.address,
            nonce=nonce,
            data=os.urandom(100_000),
            gas=5_000_000,
        )
    devnet.mine(520)
    before = devnet.l1.heads.unsafe.number
    devnet.derive()
    assert_same_chain(devnet)
    l1_blocks = [devnet.l1.block(n) for n in range(before + 1, devnet.l1.heads.unsafe.number + 1)]
    assert sum(len(block.transactions) for block in l1_blocks) >= 8


def test_batches_that_an_l1_reorg_puts_into_other_blocks(devnet: Devnet) -> None:
    send_all_types(devnet)
    devnet.mine(3)
    devnet.post()
    devnet.advance_l1(2)
    assert devnet.verifier.heads.safe == devnet.l2.heads.unsafe
    devnet.reorg_l1(2)
    devnet.derive()
    assert_same_chain(devnet)


def test_deposits_of_l1_blocks_that_are_gone_come_again(devnet: Devnet) -> None:
    friend = Account.create().address
    devnet.advance_l1(3)
    devnet.deposit(friend, ETHER)
    devnet.derive()
    assert devnet.verifier.balance(friend) == ETHER
    devnet.reorg_l1(2)
    assert devnet.l2.balance(friend) == 0
    while devnet.l2.balance(friend) == 0:
        devnet.mine()
    devnet.derive()
    assert devnet.l2.balance(friend) == ETHER
    assert_same_chain(devnet)


def test_a_missed_sequencing_window_costs_the_transactions_and_not_the_deposits(
    devnet: Devnet,
) -> None:
    friend = Account.create().address
    devnet.deposit(friend, ETHER)
    sent = send(devnet, devnet.accounts[0], to=friend, value=1)
    (built,) = devnet.mine()
    devnet.advance_l1(101)
    replaced = devnet.l2.block(built.number)
    assert (len(built.transactions), len(replaced.transactions)) == (2, 1)
    assert devnet.l2.balance(friend) == ETHER
    receipt = devnet.w3.eth.wait_for_transaction_receipt(sent)  # it went back into the pool
    assert receipt["blockNumber"] > built.number
    devnet.derive()
    assert_same_chain(devnet)
