"""Replaying the chain of a node: what it says is believed only as far as it hashes."""

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from consensus.l1.json_rpc import JsonRpc, RpcSettings
from node.difference import BlockReport, Difference
from node.errors import ConfigError, NodeError, TemporaryError
from node.evm.rules import Interpreter
from node.genesis import genesis_to_json
from node.json_file import write_json
from node.replayed_chain import ReplayedChain
from openrollup.remote_chain import RemoteChain
from openrollup.remote_replay import RemoteReplay
from tests.node.chains import CREATION_CODE
from tests.openrollup.lying_node import LyingNode, lying_node
from tests.rpc.chain import Chain, ethereum_chain, rollup_chain

LAST = 6
RECEIPTS, RAW_BLOCK, BY_NUMBER = "eth_getBlockReceipts", "debug_getRawBlock", "eth_getBlockByNumber"
NO_RAW = {RAW_BLOCK}
PLAIN = {RAW_BLOCK, RECEIPTS}


def fill(chain: Chain, first: int, last: int, salt: int = 0) -> None:
    for number in range(first, last + 1):
        creation = chain.transfer(to=None, value=0, data=CREATION_CODE)
        failing = chain.transfer(to=None, nonce=creation.nonce + 1, data=b"\xfe")
        chain.mine(*((creation, failing) if number % 2 else ()), salt=salt)


@pytest.fixture(params=[ethereum_chain, rollup_chain], ids=["l1", "l2"])
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    chain = request.param()
    fill(chain, 1, LAST)
    yield chain
    chain.close()


@pytest.fixture
async def node(chain: Chain) -> AsyncIterator[LyingNode]:
    async with lying_node(chain) as node:
        yield node


@asynccontextmanager
async def replaying(
    node: LyingNode, first: int = 1, last: int | None = None
) -> AsyncIterator[RemoteReplay]:
    rpc = JsonRpc(node.url, RpcSettings(first_retry_s=0.01))
    try:
        with ReplayedChain.open(node.chain.genesis, Interpreter.FAST) as replayed:
            yield RemoteReplay(RemoteChain(rpc), replayed, first, last)
    finally:
        await rpc.close()


async def reports(node: LyingNode, first: int = 1, last: int | None = None) -> list[BlockReport]:
    async with replaying(node, first, last) as replay:
        return [report async for report in replay.reports()]


async def difference(node: LyingNode) -> tuple[int, Difference]:
    last = (await reports(node))[-1]
    assert last.difference is not None
    return last.number, last.difference


@pytest.mark.parametrize(
    "missing", [set(), NO_RAW, {RECEIPTS}, PLAIN], ids=["none", "no raw", "no receipts", "plain"]
)
async def test_a_sound_chain_is_equal(node: LyingNode, missing: set[str]) -> None:
    node.missing = missing
    found = await reports(node)
    assert [report.number for report in found] == list(range(1, LAST + 1))
    assert all(report.difference is None for report in found)
    assert found[-1].hash == node.chain.reader.head_header().hash
    assert found[0].transaction_count >= 2


async def test_a_range(node: LyingNode) -> None:
    assert [report.number for report in await reports(node, 3, 5)] == [3, 4, 5]
    assert [report.number for report in await reports(node, 0, 0)] == [0]
    for first, last in ((1, LAST + 1), (LAST + 1, None)):
        with pytest.raises(ConfigError, match=rf"expected from <= to <= {LAST} "):
            await reports(node, first, last)


async def test_a_chain_without_blocks() -> None:
    empty = ethereum_chain()
    async with lying_node(empty) as node:
        assert await reports(node) == []
    empty.close()


async def test_differences_before_the_range_count_but_receipts_do_not(node: LyingNode) -> None:
    node.changes[RECEIPTS] = at_block(1, lambda shown: shown[-1].update(status="0x1"))
    assert (await reports(node, 2))[-1].difference is None
    node.changes[BY_NUMBER] = header_change(1, stateRoot="0x" + "11" * 32)
    (report,) = await reports(node, 2)
    assert report.number == 1
    assert report.difference is not None


def at_block(number: int, change: Callable[[Any], None]) -> Callable[[Any], Any]:
    """Change the receipts of one block."""

    def changed(receipts: Any) -> Any:
        if receipts and receipts[0]["blockNumber"] == hex(number):
            change(receipts)
        return receipts

    return changed


def header_change(at: int, **fields: Any) -> Callable[[Any], Any]:
    """Change the fields of one block."""

    def changed(block: Any) -> Any:
        return {**block, **fields} if block and block["number"] == hex(at) else block

    return changed


RECEIPT_FIELDS = {
    "type": "0x1",
    "status": "0x1",
    "transactionHash": "0x" + "11" * 32,
    "transactionIndex": "0x9",
    "blockHash": "0x" + "11" * 32,
    "blockNumber": "0x9",
    "from": "0x" + "11" * 20,
    "to": "0x" + "11" * 20,
    "gasUsed": "0x1",
    "cumulativeGasUsed": "0x1",
    "effectiveGasPrice": "0x1",
    "contractAddress": None,
    "logsBloom": "0x" + "11" * 256,
    "depositNonce": "0x1",
    "depositReceiptVersion": "0x1",
    "blobGasUsed": "0x1",
    "blobGasPrice": "0x1",
    "l1Fee": "0x1",
    "l1GasPrice": "0x1",
    "l1GasUsed": "0x1",
    "l1BaseFeeScalar": "0x9",
    "l1BlobBaseFee": "0x9",
    "l1BlobBaseFeeScalar": "0x9",
    "operatorFeeScalar": "0x9",
    "operatorFeeConstant": "0x9",
    "daFootprintGasScalar": "0x9",
}


@pytest.mark.parametrize("field", RECEIPT_FIELDS)
async def test_each_field_of_a_receipt_is_compared(node: LyingNode, field: str) -> None:
    def change(shown: Any) -> None:
        shown[-1][field] = RECEIPT_FIELDS[field]

    node.changes[RECEIPTS] = at_block(3, change)
    number, found = await difference(node)
    assert (number, found.field) == (3, field)
    assert found.transaction_index == (2 if node.chain.config.rollup else 1)
    assert found.actual == RECEIPT_FIELDS[field]
    assert str(found).startswith(f"transaction {found.transaction_index}: {field}: expected ")


@pytest.mark.parametrize("field", ["address", "topics", "data", "logIndex", "removed"])
async def test_each_field_of_a_log_is_compared(field: str) -> None:
    chain = ethereum_chain()
    creation = chain.transfer(to=None, value=0, data=CREATION_CODE)
    chain.mine(creation)
    contract = chain.reader.receipts(chain.reader.head_header().hash)
    assert contract is not None
    chain.mine(chain.transfer(to=contract[0].contract_address, value=0, data=bytes(64)))
    wrong = {"address": "0x" + "11" * 20, "topics": [], "data": "0x", "logIndex": "0x7"}

    def change(shown: Any) -> None:
        shown[0]["logs"][0][field] = wrong.get(field, True)

    async with lying_node(chain) as node:
        node.changes[RECEIPTS] = at_block(2, change)
        number, found = await difference(node)
        assert (number, found.field.removesuffix(".length")) == (2, f"logs[0].{field}")
        node.changes[RECEIPTS] = at_block(2, lambda shown: shown[0]["logs"].clear())
        assert (await difference(node))[1] == Difference("logs.length", 1, 0, 0)
    chain.close()


async def test_receipts_that_are_missing_or_too_many(node: LyingNode) -> None:
    for change in (list.pop, lambda shown: shown.append(shown[0])):
        node.changes[RECEIPTS] = at_block(3, change)
        assert (await difference(node))[1].field == "receipts"
    node.changes[RECEIPTS] = lambda shown: "0x"
    assert (await difference(node))[0] == 1


async def test_what_other_nodes_leave_out_or_write_in_capitals(node: LyingNode) -> None:
    def change(shown: Any) -> Any:
        for receipt in shown:
            for field in ("l1GasPrice", "l1GasUsed", "depositReceiptVersion"):
                receipt.pop(field, None)
            receipt["from"] = "0x" + receipt["from"][2:].upper()
            receipt["root"] = "0x"
            for log in receipt["logs"]:
                log.pop("blockTimestamp")
        return shown

    node.changes[RECEIPTS] = change
    assert all(report.difference is None for report in await reports(node))


HEADER_FIELDS = {
    "parentHash": "0x" + "11" * 32,
    "sha3Uncles": "0x" + "11" * 32,
    "miner": "0x" + "11" * 20,
    "stateRoot": "0x" + "11" * 32,
    "transactionsRoot": "0x" + "11" * 32,
    "receiptsRoot": "0x" + "11" * 32,
    "logsBloom": "0x" + "11" * 256,
    "difficulty": "0x1",
    "gasLimit": "0x1",
    "gasUsed": "0x1",
    "timestamp": "0x1",
    "extraData": "0x11",
    "mixHash": "0x" + "11" * 32,
    "nonce": "0x" + "11" * 8,
    "baseFeePerGas": "0x1",
    "withdrawalsRoot": "0x" + "11" * 32,
    "blobGasUsed": "0x1",
    "excessBlobGas": "0x1",
    "parentBeaconBlockRoot": "0x" + "11" * 32,
    "requestsHash": "0x" + "11" * 32,
    "hash": "0x" + "11" * 32,
}


@pytest.mark.parametrize("field", HEADER_FIELDS)
async def test_a_header_must_have_its_hash(node: LyingNode, field: str) -> None:
    node.changes[BY_NUMBER] = header_change(3, **{field: HEADER_FIELDS[field]})
    number, found = await difference(node)
    assert (number, found.field) == (3, "hash")


@pytest.mark.parametrize("value", ["0x9", "0x", None, 5, "zz"])
async def test_a_block_of_another_number(node: LyingNode, value: object) -> None:
    node.changes[BY_NUMBER] = header_change(3, number=value)
    number, found = await difference(node)
    assert number == 3
    assert found.field in ("hash", "block")


@pytest.mark.parametrize("missing", [set(), NO_RAW], ids=["raw", "plain"])
async def test_transactions_are_checked(node: LyingNode, missing: set[str]) -> None:
    node.missing = missing
    whole = "eth_getBlockByHash"
    changes: list[Callable[[Any], Any]] = [
        lambda block: block["transactions"].pop(),
        lambda block: block["transactions"].reverse(),
        lambda block: block["transactions"].append(block["transactions"][0]),
    ]
    for change in changes:

        def changed(block: Any, change: Any = change) -> Any:
            if block["number"] == "0x3":
                change(block)
            return block

        # Of a node that gives whole blocks only as JSON, both views have to lie.
        node.changes = {BY_NUMBER: changed} if not missing else {whole: changed, BY_NUMBER: changed}
        number, found = await difference(node)
        assert number == 3
        assert found.field in ("transactions", "transactionsRoot", "hash")
        if missing:
            assert found.field == "transactionsRoot"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", "0x5"),
        ("input", "0x11"),
        ("nonce", "0x77"),
        ("gas", "0x" + "f" * 20),
        ("to", "0x" + "11" * 20),
        ("type", "0x55"),
        ("v", None),
        ("hash", "0x" + "11" * 32),
    ],
)
async def test_each_field_of_a_transaction_is_hashed(
    node: LyingNode, field: str, value: object
) -> None:
    def changed(block: Any) -> Any:
        if block["number"] == "0x3":
            block["transactions"][-1][field] = value
            block["transactions"][-1].pop("yParity") if field == "v" else None
        return block

    node.missing, node.changes = NO_RAW, {"eth_getBlockByHash": changed}
    number, found = await difference(node)
    assert number == 3
    assert found.field in ("hash", "transaction", "block")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sourceHash", "0x" + "11" * 32),
        ("mint", "0x5"),
        ("isSystemTx", True),
        ("from", "0x" + "11" * 20),
        ("gas", "0x5"),
    ],
)
async def test_each_field_of_a_deposit_is_hashed(field: str, value: object) -> None:
    chain = rollup_chain()
    fill(chain, 1, 1)

    def changed(block: Any) -> Any:
        if block["number"] == "0x1":
            block["transactions"][0][field] = value
        return block

    async with lying_node(chain) as node:
        node.missing, node.changes = NO_RAW, {"eth_getBlockByHash": changed}
        number, found = await difference(node)
        assert (number, found.field, found.transaction_index) == (1, "hash", 0)
    chain.close()


@pytest.mark.parametrize("raw", ["0x", "0xc0", "0x80", 5, None, "0x" + "c1" * 2_000])
async def test_an_encoding_that_is_no_block(node: LyingNode, raw: object) -> None:
    node.changes[RAW_BLOCK] = lambda _: raw
    number, found = await difference(node)
    assert (number, found.field in ("debug_getRawBlock", "block")) == (0, True)


async def test_an_encoding_of_another_block(node: LyingNode) -> None:
    other = node.chain.reader.block_by_number(5)  # type: ignore[arg-type]
    assert other is not None
    node.changes[RAW_BLOCK] = lambda _: "0x" + other.encode().hex()
    number, found = await difference(node)
    assert (number, found.field) == (0, "parentHash")


async def test_another_first_block(node: LyingNode) -> None:
    node.changes[BY_NUMBER] = header_change(0, hash="0x" + "11" * 32)
    assert (await difference(node))[0] == 0


def reorganised(node: LyingNode, after: int, at: int, *, shorter: bool = False) -> None:
    """Let the chain be another after block `at` was read, above block `after`."""
    chain = node.chain
    done = False

    def before(method: str, params: Any) -> None:
        nonlocal done
        if not done and method == RECEIPTS and chain.reader.header_by_number(at) is not None:  # type: ignore[arg-type]
            wanted = chain.reader.canonical_hash(at)  # type: ignore[arg-type]
            if wanted is not None and params == ["0x" + wanted.hex()]:
                done = True
                parent = chain.reader.header_by_number(after)  # type: ignore[arg-type]
                chain.mine(parent=parent, salt=7)
                if not shorter:
                    fill(chain, after + 2, LAST + 2, salt=7)

    node.before = before


@pytest.mark.parametrize("shorter", [False, True])
@pytest.mark.parametrize(("after", "at"), [(0, 2), (1, 3), (3, 3), (2, LAST)])
async def test_a_reorg_meanwhile(node: LyingNode, after: int, at: int, shorter: bool) -> None:
    reorganised(node, after, at, shorter=shorter)
    found = await reports(node)
    assert all(report.difference is None for report in found)
    head = node.chain.reader.head_header()
    assert head.number == (after + 1 if shorter else LAST + 2)
    assert (found[-1].number, found[-1].hash) == (head.number, head.hash)
    last_branch = {report.number: report.hash for report in found}
    for number in range(1, head.number + 1):
        assert last_branch[number] == node.chain.reader.canonical_hash(number)  # type: ignore[index, arg-type]


async def test_what_a_node_never_gives(node: LyingNode) -> None:
    node.changes[RECEIPTS] = lambda shown: None
    with pytest.raises(NodeError, match=f"^block 1: .* its newest block is {LAST}$"):
        await reports(node)


async def test_a_chain_that_never_stands_still(node: LyingNode) -> None:
    salts = itertools.count(100)

    def before(method: str, params: Any) -> None:
        if method == RECEIPTS:
            parent = node.chain.reader.header_by_number(0)  # type: ignore[arg-type]
            node.chain.mine(parent=parent, salt=next(salts))

    node.before = before
    with pytest.raises(NodeError, match="changes faster than it can be read"):
        await reports(node)


async def test_a_parent_that_is_not_the_block_before(node: LyingNode) -> None:
    """A whole block that hashes right, and is the node's own, but of another branch."""
    chain = node.chain
    parent = chain.reader.header_by_number(2)  # type: ignore[arg-type]
    main = [chain.reader.block_by_number(n) for n in range(LAST + 1)]  # type: ignore[arg-type]
    chain.mine(parent=parent, salt=9)
    four = chain.mine(salt=9)
    for block in main[3:]:
        assert block is not None
        chain.engine.insert(chain.engine.execute(block))
    stranger = await node.call("eth_getBlockByHash", ["0x" + four.hash.hex(), False])
    node.changes[BY_NUMBER] = lambda block: (
        stranger if block and block["number"] == "0x4" else block
    )
    number, found = await difference(node)
    assert main[3] is not None
    assert (number, found) == (
        4,
        Difference("parentHash", main[3].hash, four.header.parent_hash),
    )


async def test_a_server_that_fails(node: LyingNode) -> None:
    def before(method: str, params: Any) -> None:
        if method == RECEIPTS:
            raise RuntimeError("unwell")

    node.before = before
    with pytest.raises(TemporaryError, match=r"eth_getBlockReceipts: the server answered -32603"):
        await reports(node)


async def test_no_more_is_fetched_ahead_than_bounded(node: LyingNode) -> None:
    fill(node.chain, LAST + 1, 60)
    async with replaying(node) as replay:
        stream = replay.reports()
        assert (await anext(stream)).number == 1
        await asyncio.to_thread(lambda: None)
        assert node.calls.count(RECEIPTS) <= 17
        await stream.aclose()  # type: ignore[attr-defined]


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "openrollup", "replay", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


async def test_the_command(node: LyingNode, tmp_path: Path) -> None:
    done = await asyncio.to_thread(command, "--rpc", node.url, "--json", "--evm", "both")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert (shown["blocks"], shown["equal"]) == (LAST, True)

    node.changes[RECEIPTS] = at_block(3, lambda receipts: receipts[-1].update(status="0x1"))
    done = await asyncio.to_thread(command, "--rpc", node.url)
    assert done.returncode == 1
    assert done.stdout.startswith("2 blocks equal (")
    index = 2 if node.chain.config.rollup else 1
    reason = f"openrollup: block 3 differs: transaction {index}: status: expected 0x0, got 0x1\n"
    assert done.stderr == reason


async def test_the_genesis_of_a_node_that_does_not_tell(node: LyingNode, tmp_path: Path) -> None:
    node.missing.add("openrollup_genesis")
    done = await asyncio.to_thread(command, "--rpc", node.url)
    assert done.returncode == 2
    assert "--genesis: expected beside --rpc: http://" in done.stderr
    path = tmp_path / "genesis.json"
    write_json(path, genesis_to_json(node.chain.genesis))
    done = await asyncio.to_thread(command, "--rpc", node.url, "--genesis", str(path), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["blocks"] == LAST


async def test_a_genesis_that_is_wrong(node: LyingNode, tmp_path: Path) -> None:
    node.changes["openrollup_genesis"] = lambda genesis: {**genesis, "gasLimit": "x"}
    done = await asyncio.to_thread(command, "--rpc", node.url)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "openrollup_genesis of http://" in done.stderr
    node.changes["openrollup_genesis"] = lambda genesis: {**genesis, "timestamp": "0x1"}
    done = await asyncio.to_thread(command, "--rpc", node.url)
    assert done.returncode == 1
    assert "block 0 differs: timestamp: expected 1, got 1700000000" in done.stderr


async def test_nobody_there() -> None:
    done = await asyncio.to_thread(command, "--rpc", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("openrollup: --rpc: http://127.0.0.1:1")
    assert "is a node running there?" in done.stderr
