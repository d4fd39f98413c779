"""The network of a test: its steps, its clock, and how it is set back."""

import asyncio
from typing import Any

import pytest
import requests
from eth_account import Account
from web3 import Web3

from node.artifacts import load_artifact
from node.errors import ConfigError, InvalidInput
from openrollup.testing import DerivationDiffers, Devnet, DevnetError, NotIncluded

ETHER = 10**18


def pay(devnet: Devnet, value: int = 1, **fields: Any) -> bytes:
    to = devnet.accounts[1].address
    return devnet.w3.eth.send_transaction({"to": to, "value": Web3.to_wei(value, "wei"), **fields})


def test_a_block_is_a_block_time_after_its_parent(devnet: Devnet) -> None:
    parent = devnet.l2.block()
    blocks = devnet.mine(3)
    assert [block.number for block in blocks] == [parent.number + i for i in (1, 2, 3)]
    times = [block.header.timestamp for block in blocks]
    assert times == [parent.header.timestamp + i for i in (1, 2, 3)]
    assert devnet.time == times[-1]


@pytest.mark.devnet(block_time=2, gas_limit=40_000_000)
def test_the_marker_s_options(devnet: Devnet) -> None:
    first, second = devnet.mine(2)
    assert second.header.timestamp == first.header.timestamp + 2
    assert first.header.gas_limit == 40_000_000


def test_transactions_wait_for_the_next_block(devnet: Devnet) -> None:
    transaction = pay(devnet)
    assert devnet.l2.heads.unsafe.number == 0
    (block,) = devnet.mine()
    assert transaction in [tx.hash for tx in block.transactions]
    assert devnet.w3.eth.get_transaction_receipt(transaction)["blockNumber"] == 1
    assert devnet.l2.receipts(block)[-1].status == 1


def test_to_wait_for_a_receipt_builds_its_block(devnet: Devnet) -> None:
    receipt = devnet.w3.eth.wait_for_transaction_receipt(pay(devnet))
    assert (receipt["status"], receipt["blockNumber"]) == (1, 1)
    again = devnet.w3.eth.wait_for_transaction_receipt(receipt["transactionHash"].to_0x_hex())
    assert again == receipt
    assert devnet.l2.heads.unsafe.number == 1


def test_to_wait_at_the_verifier_brings_it_over_l1(devnet: Devnet) -> None:
    eth = devnet.verifier.w3.eth
    sent = eth.send_transaction({"to": devnet.accounts[1].address, "value": Web3.to_wei(1, "wei")})
    assert eth.wait_for_transaction_receipt(sent)["blockNumber"] == 1
    assert devnet.verifier.heads.safe.number == 1


def test_waiting_for_what_cannot_come_says_why(devnet: Devnet) -> None:
    eth = devnet.w3.eth
    with pytest.raises(NotIncluded, match="neither in a block nor pending: was it sent here"):
        eth.wait_for_transaction_receipt(b"\x01" * 32)
    gap = pay(devnet, nonce=3)
    with pytest.raises(NotIncluded, match="has nonce 3 and waits for the one with nonce 0"):
        eth.wait_for_transaction_receipt(gap)
    cap = eth.get_block("latest")["baseFeePerGas"]
    with pytest.raises(
        NotIncluded, match="block 1: its gas limit is 30000000, the block had less left"
    ):
        eth.wait_for_transaction_receipt(
            pay(devnet, maxFeePerGas=cap, maxPriorityFeePerGas=0, gas=30_000_000)
        )


@pytest.mark.devnet(automine=True)
def test_automine_builds_a_block_for_whoever_is_not_patient(devnet: Devnet) -> None:
    with requests.Session() as session:
        stranger = Web3(Web3.HTTPProvider(devnet.l2.url, session=session))
        receipt = stranger.eth.wait_for_transaction_receipt(pay(devnet), poll_latency=0.01)
    assert receipt["status"] == 1
    assert devnet.mine()[0].number == receipt["blockNumber"] + 1


def test_l1_is_its_own_chain(devnet: Devnet) -> None:
    before = devnet.l1.heads.unsafe.number
    receipt = devnet.l1.w3.eth.wait_for_transaction_receipt(
        devnet.l1.w3.eth.send_transaction({"to": devnet.accounts[2].address, "value": 1})
    )
    assert receipt["blockNumber"] == before + 1
    blocks = devnet.advance_l1(6)
    assert [block.number for block in blocks] == [before + 1 + i for i in range(1, 7)]
    assert devnet.l1.heads.finalized.number == blocks[-1].number - 4
    assert devnet.l2.heads.unsafe.number == 0


def test_what_was_posted_is_derived_equal(devnet: Devnet) -> None:
    pay(devnet)
    devnet.mine(3)
    assert devnet.verifier.heads.unsafe.number == 0
    devnet.derive()
    head = devnet.l2.heads.unsafe
    assert head.number == 3
    assert (
        devnet.l2.heads.safe == devnet.verifier.heads.safe == devnet.verifier.heads.unsafe == head
    )
    assert devnet.verifier.balance(devnet.accounts[1].address) == 10_000 * ETHER + 1
    devnet.advance_l1(5)
    assert devnet.verifier.heads.finalized == head


def test_a_deposit_arrives(devnet: Devnet) -> None:
    friend = Account.create().address
    deposit = devnet.deposit(friend, 5 * ETHER)
    receipt = devnet.w3.eth.get_transaction_receipt(deposit)
    assert (receipt["status"], receipt["type"]) == (1, 0x7E)
    assert devnet.l2.balance(friend) == devnet.w3.eth.get_balance(friend) == 5 * ETHER
    devnet.derive()
    assert devnet.verifier.balance(friend) == 5 * ETHER


def test_a_deposit_that_l1_refuses(devnet: Devnet) -> None:
    with pytest.raises(DevnetError, match="the deposit was reverted on L1, in block"):
        devnet.deposit(devnet.accounts[1].address, 20_000 * ETHER)


def test_outputs_are_proposed(devnet: Devnet) -> None:
    first = devnet.propose()
    assert devnet.verifier.heads.safe.number >= first
    devnet.mine(3 * first)
    devnet.derive()
    assert [devnet.propose(), devnet.propose()] == [2 * first, 3 * first]
    assert devnet.l1.heads.unsafe.number > 0


def test_blocks_that_nobody_posted_in_time_are_replaced(devnet: Devnet) -> None:
    pay(devnet)
    (built,) = devnet.mine()
    devnet.advance_l1(99)
    assert devnet.l2.block(built.number).hash == built.hash
    for _ in range(2):
        devnet._network.nodes.l1.chain.produce(0)  # that nobody has looked at yet
    with pytest.raises(DerivationDiffers, match=r"^block 1: \w+: the sequencer built .*L1 gives"):
        devnet.derive()
    devnet.derive()
    assert len(devnet.l2.block(built.number).transactions) == 1
    assert devnet.l2.block(built.number) == devnet.verifier.block(built.number)


def test_after_an_l1_reorg_both_nodes_follow(devnet: Devnet) -> None:
    devnet.advance_l1(3)
    (kept,) = devnet.mine()
    pay(devnet)
    devnet.mine(5)
    devnet.derive()
    devnet.advance_l1()
    (orphan,) = devnet.mine()
    old = devnet.l1.heads.unsafe
    assert [block.number for block in devnet.reorg_l1(2)] == [
        old.number - 1,
        old.number,
        old.number + 1,
    ]
    assert devnet.l1.block(old.number).hash != old.hash
    assert devnet.l2.block(kept.number).hash == kept.hash
    assert devnet.l2.heads.unsafe.number < orphan.number
    devnet.mine(3)
    devnet.derive()
    assert devnet.l2.heads.unsafe == devnet.verifier.heads.safe


def test_a_reorg_ends_where_l1_is_final(devnet: Devnet) -> None:
    with pytest.raises(DevnetError, match=r"^depth: expected 1 to 0, "):
        devnet.reorg_l1(1)  # the block that the rollup begins with
    devnet.advance_l1(6)
    with pytest.raises(DevnetError, match=r"^depth: expected 1 to 4, .* got 5"):
        devnet.reorg_l1(5)


@pytest.mark.devnet(block_time=60)
def test_an_origin_may_grow_old_until_l1_has_to_go_on(devnet: Devnet) -> None:
    before = devnet.l1.heads.unsafe.number
    devnet.mine(30)
    assert devnet.l1.heads.unsafe.number == before
    devnet.mine()
    assert devnet.l1.heads.unsafe.number == before + 1
    assert devnet.l2.heads.unsafe.number == 31


def test_a_contract_is_deployed_and_used(devnet: Devnet) -> None:
    artifact = load_artifact("Greeter")
    for form in ((artifact,), (artifact.abi, artifact.bytecode)):
        greeter = devnet.deploy(*form, "hello")
        assert greeter.functions.greet().call() == "hello"
        devnet.w3.eth.wait_for_transaction_receipt(
            greeter.functions.setGreeting("good evening").transact()
        )
        assert greeter.functions.greet().call() == "good evening"


def test_what_is_no_contract_is_refused(devnet: Devnet) -> None:
    for wrong, message in (
        (({"abi": []},), "expected an artifact with abi and bytecode, got abi"),
        (([],), "expected the bytecode .* after an ABI"),
        (("/nowhere.json",), "/nowhere.json cannot be read"),
    ):
        with pytest.raises(ConfigError, match=message):
            devnet.deploy(*wrong)  # type: ignore[arg-type]


def test_a_revert_brings_everything_back(devnet: Devnet) -> None:
    devnet.mine(2)
    waiting = pay(devnet)
    on_l1 = devnet.l1.w3.eth.send_transaction({"to": devnet.accounts[2].address, "value": 7})
    heads, time, urls = devnet.l2.heads, devnet.time, (devnet.l1.url, devnet.l2.url)
    snapshot = devnet.snapshot()
    for _ in range(2):
        devnet.mine(2)
        devnet.derive()
        devnet.revert(snapshot)
        assert (devnet.l2.heads, devnet.time) == (heads, time)
        assert (devnet.l1.url, devnet.l2.url) == urls
        assert devnet.verifier.heads.unsafe.number == 0
    assert waiting in [tx.hash for tx in devnet.mine()[0].transactions]
    assert on_l1 in [tx.hash for tx in devnet.advance_l1()[0].transactions]


def test_counts_that_make_no_sense(devnet: Devnet) -> None:
    for step in (devnet.mine, devnet.advance_l1):
        with pytest.raises(ConfigError, match=r"^count: expected 0 blocks or more, got -1"):
            step(-1)
        assert step(0) == []


def test_without_a_snapshot_there_is_no_way_back() -> None:
    with Devnet() as devnet, pytest.raises(DevnetError, match="there is no snapshot"):
        devnet.revert()


def test_a_block_that_is_not_there(devnet: Devnet) -> None:
    with pytest.raises(InvalidInput, match="there is no block 5: the newest is 0"):
        devnet.l2.block(5)


async def test_a_running_event_loop_is_not_blocked(devnet: Devnet) -> None:
    with pytest.raises(
        DevnetError, match=r"^devnet.mine\(\) blocks, .* asyncio.to_thread\(devnet.mine"
    ):
        devnet.mine()
    assert len(await asyncio.to_thread(devnet.mine, 2)) == 2


def test_a_network_that_does_not_run() -> None:
    devnet = Devnet()
    for use in (devnet.mine, lambda: devnet.l1.url, devnet.snapshot):
        with pytest.raises(DevnetError, match="does not run: use `with Devnet"):
            use()  # type: ignore[operator]
    devnet.stop()
    with devnet, pytest.raises(DevnetError, match="runs already"):
        devnet.start()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocktime": 2}, "^blocktime: there is no such option: automine, block_time"),
        ({"block_time": True}, "^block_time: expected int, got True"),
        ({"block_time": 0}, "^block_time: expected 1 to 60"),
        ({"automine": "yes"}, "^automine: expected bool, got 'yes'"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Devnet(**options)
