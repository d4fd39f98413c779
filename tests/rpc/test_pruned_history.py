"""What a node answers that keeps the newest blocks only."""

from collections.abc import AsyncIterator

import pytest

from node.engine import Engine
from node.reader import Reader
from node.types.primitives import BlockNumber
from rpc.encoding.hexadecimal import data
from tests.rpc.chain import (
    ALICE,
    BOB,
    Chain,
    RpcFailure,
    RpcNode,
    ethereum_chain,
    rollup_chain,
    serve,
)

KEPT, BLOCKS = 8, 20
FIRST = BLOCKS - KEPT + 1
LOG_NOTHING = {"fromBlock": "0x1", "toBlock": "latest", "address": "0x" + "77" * 20}


def make_pruned(chain: Chain) -> None:
    """Make blocks with a transfer each, and prune."""
    chain.engine = Engine(chain.database, chain.config, kept_blocks=KEPT)
    chain.engine.subscribe(chain.mempool.on_head_change)
    for _ in range(BLOCKS - 1):
        chain.mine(chain.transfer())
    chain.settle(safe=BLOCKS - 1, finalized=BLOCKS - 1)
    chain.mine(chain.transfer())
    # The store is asked, not what the other reader remembers.
    chain.reader = Reader(chain.database, chain.config)


@pytest.fixture(params=[ethereum_chain, rollup_chain], ids=["ethereum", "rollup"])
async def node(request: pytest.FixtureRequest) -> AsyncIterator[RpcNode]:
    chain = request.param()
    make_pruned(chain)
    assert chain.reader.first_kept() == FIRST
    async with serve(chain) as served:
        yield served


ALICES = data(ALICE.address)
ASKED = [
    ("eth_getBlockByNumber", ("0x1", False)),
    ("eth_getBlockTransactionCountByNumber", ("0x1",)),
    ("eth_getBlockReceipts", ("0x1",)),
    ("eth_getTransactionByBlockNumberAndIndex", ("0x1", "0x0")),
    ("eth_getBalance", (ALICES, "0x1")),
    ("eth_getTransactionCount", (ALICES, "0x1")),
    ("eth_getCode", (ALICES, "0x1")),
    ("eth_getStorageAt", (ALICES, "0x0", "0x1")),
    ("eth_getProof", (ALICES, [], "0x1")),
    ("eth_call", ({"to": ALICES}, "0x1")),
    ("eth_estimateGas", ({"to": ALICES}, "0x1")),
    ("eth_feeHistory", ("0x4", "0x4", [50])),
]


@pytest.mark.parametrize(("method", "params"), ASKED, ids=[method for method, _ in ASKED])
async def test_the_error_says_where_history_begins(
    node: RpcNode, method: str, params: tuple[object, ...]
) -> None:
    with pytest.raises(RpcFailure) as caught:
        await node.call(method, *params)
    assert caught.value.code == 4444
    assert caught.value.message.startswith("pruned history unavailable: block ")
    assert f"which begins with block {FIRST}: " in caught.value.message


async def test_what_is_kept_is_answered(node: RpcNode) -> None:
    first = hex(FIRST)
    block = await node.call("eth_getBlockByNumber", first, True)
    assert len(await node.call("eth_getBlockReceipts", first)) == len(block["transactions"])
    tx_hash = block["transactions"][-1]["hash"]
    assert (await node.call("eth_getTransactionReceipt", tx_hash))["blockNumber"] == first
    before = int(await node.call("eth_getBalance", data(BOB.address), first), 16)
    after = int(await node.call("eth_getBalance", data(BOB.address), "latest"), 16)
    assert after == before + KEPT - 1
    assert (await node.call("eth_getProof", ALICES, [], first))["accountProof"]
    assert await node.call("eth_call", {"to": ALICES}, first) == "0x"


async def test_the_first_block_can_be_read(node: RpcNode) -> None:
    assert (await node.call("eth_getBlockByNumber", "earliest", True))["number"] == "0x0"


async def test_transactions_of_pruned_blocks_are_unknown(node: RpcNode) -> None:
    kept = node.chain.reader.block_by_number(BlockNumber(FIRST))
    assert kept is not None
    tx = kept.transactions[-1]
    assert await node.call("eth_getTransactionByHash", data(tx.hash)) is not None
    for _ in range(3):
        parent = node.chain.mine(node.chain.transfer())
        node.chain.settle(safe=parent.number, finalized=parent.number)
    assert await node.call("eth_getTransactionByHash", data(tx.hash)) is None
    assert await node.call("eth_getTransactionReceipt", data(tx.hash)) is None


async def test_fee_history_begins_where_history_does(node: RpcNode) -> None:
    history = await node.call("eth_feeHistory", hex(100), "latest", [50])
    assert history["oldestBlock"] == hex(FIRST)
    assert len(history["reward"]) == KEPT
    assert int(await node.call("eth_gasPrice"), 16) > 0


async def test_logs_are_found_absent_by_their_headers(node: RpcNode) -> None:
    assert await node.call("eth_getLogs", LOG_NOTHING) == []
