"""A contract on a rollup: what an application's own tests look like."""

from pathlib import Path

import pytest

TALLY = Path(__file__).parents[1] / "tally.json"


def test_counting(devnet):
    tally = devnet.deploy(TALLY)
    receipt = devnet.w3.eth.wait_for_transaction_receipt(tally.functions.increment().transact())
    assert receipt["status"] == 1
    assert tally.functions.count().call() == 1


def test_two_in_one_block_are_the_same_when_derived_from_l1(devnet):
    tally = devnet.deploy(TALLY)
    for account in devnet.accounts[:2]:
        tally.functions.increment().transact({"from": account.address})
    (block,) = devnet.mine()
    assert len(block.transactions) == 3  # the first one tells L2 of L1
    devnet.derive()
    assert devnet.verifier.heads.safe == devnet.l2.heads.unsafe
    derived = devnet.verifier.w3.eth.contract(tally.address, abi=tally.abi)
    assert derived.functions.count().call() == 2


@pytest.mark.devnet(block_time=2)
def test_a_deposit_pays_for_the_first_transaction(devnet):
    tally = devnet.deploy(TALLY)
    user = devnet.w3.eth.account.create()
    devnet.deposit(user.address, 10**18)
    call = tally.functions.increment().build_transaction({"from": user.address, "nonce": 0})
    signed = user.sign_transaction(call)
    sent = devnet.w3.eth.send_raw_transaction(signed.raw_transaction)
    assert devnet.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    assert tally.functions.count().call() == 1
