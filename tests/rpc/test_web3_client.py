"""web3.py, as its users have it, against a real chain."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import (
    BlockNotFound,
    ContractCustomError,
    ContractLogicError,
    TransactionNotFound,
    Web3RPCError,
)

from node.artifacts import load_artifact
from tests.rpc.chain import ALICE, BOB, TIP, RpcNode

ACCOUNT = Account.from_key(ALICE.private_key)


@pytest.fixture
async def w3(node: RpcNode) -> AsyncIterator[Any]:
    provider = AsyncHTTPProvider(node.url)
    client: Any = AsyncWeb3(provider)
    client.eth.default_account = ACCOUNT.address
    yield client
    await provider.disconnect()


async def transact(node: RpcNode, w3: Any, transaction: Any) -> Any:
    """Sign with the local key, send, make a block, and return the receipt."""
    raw = ACCOUNT.sign_transaction(transaction).raw_transaction
    tx_hash = await w3.eth.send_raw_transaction(raw)
    node.chain.mine()
    return await w3.eth.get_transaction_receipt(tx_hash)


async def test_the_chain(node: RpcNode, w3: Any) -> None:
    assert await w3.is_connected()
    assert await w3.client_version == "openrollup/test"
    assert await w3.eth.chain_id == node.chain.config.chain_id
    assert await w3.net.version == str(node.chain.config.chain_id)
    assert await w3.eth.syncing is False
    node.chain.mine(node.chain.transfer())
    block = await w3.eth.get_block("latest", full_transactions=True)
    assert (block["number"], block["hash"]) == (1, node.chain.reader.head_header().hash)
    assert block["transactions"][-1]["from"] == ACCOUNT.address
    with pytest.raises(BlockNotFound):
        await w3.eth.get_block(9)
    with pytest.raises(TransactionNotFound):
        await w3.eth.get_transaction(b"\x77" * 32)


async def test_a_transfer(node: RpcNode, w3: Any) -> None:
    bob = w3.to_checksum_address(BOB.address)
    before = await w3.eth.get_balance(bob)
    transaction = {
        "to": bob,
        "value": 5,
        "nonce": await w3.eth.get_transaction_count(ACCOUNT.address, "pending"),
        "chainId": await w3.eth.chain_id,
        "maxFeePerGas": 100 * TIP,
        "maxPriorityFeePerGas": await w3.eth.max_priority_fee,
    }
    transaction["gas"] = await w3.eth.estimate_gas({"from": ACCOUNT.address, **transaction})
    receipt = await transact(node, w3, transaction)
    assert receipt["status"] == 1
    assert receipt["gasUsed"] == 21_000
    assert await w3.eth.get_balance(bob) == before + 5
    with pytest.raises(Web3RPCError, match="nonce too low"):
        await transact(node, w3, transaction)


async def test_a_contract(node: RpcNode, w3: Any) -> None:
    artifact = load_artifact("Greeter")
    factory = w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    receipt = await transact(
        node, w3, await factory.constructor("hello").build_transaction(await fields(w3))
    )
    greeter = w3.eth.contract(address=receipt["contractAddress"], abi=artifact.abi)
    assert await greeter.functions.greet().call() == "hello"

    change = greeter.functions.setGreeting("welcome")
    receipt = await transact(node, w3, await change.build_transaction(await fields(w3)))
    assert await greeter.functions.greet().call() == "welcome"
    assert await greeter.functions.greet().call(block_identifier=1) == "hello"
    (event,) = await greeter.events.GreetingChanged().get_logs(from_block=0)
    assert event["args"] == {"by": ACCOUNT.address, "greeting": "welcome"}
    assert event["transactionHash"] == receipt["transactionHash"]

    with pytest.raises(ContractLogicError, match="execution reverted: not today"):
        await greeter.functions.fail("not today").call()
    with pytest.raises(ContractCustomError):
        await greeter.functions.failCustom(42).call()


async def test_filters(node: RpcNode, w3: Any) -> None:
    blocks, pending = await w3.eth.filter("latest"), await w3.eth.filter("pending")
    tx = node.chain.transfer()
    await w3.eth.send_raw_transaction(tx.raw)
    block = node.chain.mine()
    assert await pending.get_new_entries() == [tx.hash]
    assert await blocks.get_new_entries() == [block.hash]


async def test_fees_and_receipts(node: RpcNode, w3: Any) -> None:
    node.chain.mine(node.chain.transfer())
    head = node.chain.reader.head_header()
    history = await w3.eth.fee_history(2, "latest", [50])
    assert history["baseFeePerGas"][1] == head.base_fee
    assert await w3.eth.gas_price == head.base_fee + TIP
    assert await w3.eth.get_block_receipts("latest")


async def fields(w3: Any) -> dict[str, Any]:
    """Return what the client does not fill in for a local key."""
    return {
        "from": ACCOUNT.address,
        "nonce": await w3.eth.get_transaction_count(ACCOUNT.address, "pending"),
    }
