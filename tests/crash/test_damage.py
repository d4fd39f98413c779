"""A damaged value gives an error that names it, or no difference at all: never a wrong answer.

The exception is a flat state value that is another valid one: the check that `openrollup replay`
makes at its end finds it.
"""

import asyncio
import json
import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from node.clock import VirtualClock
from node.engine import Engine
from node.errors import CorruptStore, NodeError
from node.execution.transition import ExecutedBlock
from node.mempool import Mempool
from node.reader import Reader
from node.replay import replay
from node.state.flat_check import check_flat_state
from node.storage.database import CopyOf, Database
from node.storage.schema import SCHEMA_VERSION_KEY, Table
from node.types.block import BlockRef, Header
from node.types.primitives import BlockNumber, Hash32
from openrollup.pool_sink import PoolSink
from rpc.api import ethereum_methods
from rpc.dispatcher import Dispatcher
from tests.crash.store import CONTRACT, GENESIS, UNDO_BLOCKS
from tests.crash.writer import Plan, write
from tests.node.chains import Chain, l1_attributes
from tests.node.pooled_chain import USERS

_KEPT = 8
_INTERNAL_ERROR = -32603
_FLAT = (Table.ACCOUNTS, Table.STORAGE)


@dataclass(frozen=True)
class Node:
    """The parts of a node on a store, with empty caches."""

    database: Database
    engine: Engine
    reader: Reader
    dispatcher: Dispatcher

    def ask(self, questions: list[Any]) -> list[Any]:
        """Return the answers to JSON-RPC requests."""

        async def ask() -> list[Any]:
            bodies = [json.dumps(question).encode() for question in questions]
            return [json.loads(await self.dispatcher.handle(body) or b"") for body in bodies]

        return asyncio.run(ask())


def open_node(database: Database) -> Node:
    config = GENESIS.config
    engine = Engine(database, config, undo_blocks=UNDO_BLOCKS, kept_blocks=_KEPT)
    reader = Reader(database, config)
    mempool = Mempool(reader, config)
    methods = ethereum_methods(
        reader, mempool, config, PoolSink(mempool), VirtualClock(GENESIS.timestamp), "damage/1"
    )
    return Node(database, engine, reader, Dispatcher(methods))


@dataclass(frozen=True)
class Whole:
    """A store in order, what it answers, and the block that comes next on it."""

    database: Database
    contents: dict[Table, list[tuple[bytes, bytes]]]
    questions: list[Any]
    answers: list[Any]
    next_block: ExecutedBlock
    head: Header
    first_kept: int
    parent_state_root: Hash32

    @contextmanager
    def damaged(self, table: Table, key: bytes, value: bytes) -> Iterator[Database]:
        """Replace a value; afterwards everything is as it was."""
        with self.database.write() as tx:
            tx.put(table, key, value)
        try:
            yield self.database
        finally:
            now = contents(self.database)
            with self.database.write() as tx:
                for name, rows in self.contents.items():
                    for changed, _ in set(now[name]) - set(rows):
                        tx.delete(name, changed)
                    for lost, raw in set(rows) - set(now[name]):
                        tx.put(name, lost, raw)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each error is logged; here there are thousands."""
    monkeypatch.setattr(logging.getLogger("rpc.dispatcher"), "disabled", True)


def contents(database: Database) -> dict[Table, list[tuple[bytes, bytes]]]:
    with database.read() as snapshot:
        return {table: list(snapshot.items(table)) for table in Table}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    path = tmp_path_factory.mktemp("damage") / "chain"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for seed, reorgs in ((5, False), (6, True)):
        write(path, nowhere, Plan(seed, reorgs, None, commits=25, kept_blocks=_KEPT), None)
    os.close(nowhere)
    with Database.open(CopyOf(path)) as database:
        node = open_node(database)
        head = node.reader.head_header()
        with node.engine.begin(head, Chain.attributes(head, 99)) as execution:
            execution.apply(l1_attributes(head))
            following = execution.seal()
        asked, first = questions(node.reader), node.reader.first_kept()
        assert 4 < first < head.number - 4
        parent = node.reader.header_by_hash(head.parent_hash)
        assert parent is not None
        rows = contents(database)
        yield Whole(
            database, rows, asked, node.ask(asked), following, head, first, parent.state_root
        )


def questions(reader: Reader) -> list[Any]:
    """Return requests that read from every table, near the head and where the history begins."""
    head, first = reader.heads().unsafe.number, reader.first_kept()
    calls: list[tuple[str, list[Any]]] = [
        ("eth_blockNumber", []),
        ("eth_feeHistory", [5, "latest", [50]]),
        ("eth_getLogs", [{"fromBlock": hex(first), "toBlock": hex(head)}]),
        ("eth_getLogs", [{"fromBlock": hex(first), "toBlock": hex(head), "address": hexed(b"x")}]),
        ("eth_getBlockByNumber", ["safe", False]),
        ("eth_getBlockByNumber", ["finalized", False]),
    ]
    for number in range(first, head + 1):
        calls.append(("eth_getBlockByNumber", [hex(number), True]))
        calls.append(("eth_getBlockReceipts", [hex(number)]))
        block = reader.block_by_number(BlockNumber(number))
        assert block is not None
        calls.append(("eth_getHeaderByHash", [hexed(block.hash)]))
        place = {"blockHash": hexed(block.hash), "requireCanonical": True}
        calls.append(("eth_getBalance", [hexed(USERS[0]), place]))
        for tx in block.transactions[:3]:
            calls.append(("eth_getTransactionReceipt", [hexed(tx.hash)]))
            calls.append(("eth_getTransactionByHash", [hexed(tx.hash)]))
    for number in (first, head):
        for user in USERS:
            calls.append(("eth_getBalance", [hexed(user), hex(number)]))
        slots = [hex(slot) for slot in range(0, 200, 20)]
        calls.append(("eth_getProof", [hexed(CONTRACT), slots, hex(number)]))
        calls.append(("eth_getCode", [hexed(CONTRACT), hex(number)]))
        data = "0x" + bytes(31).hex() + "05" + bytes(31).hex() + "07"
        calls.append(("eth_call", [{"to": hexed(CONTRACT), "data": data}, hex(number)]))
        for slot in slots:
            calls.append(("eth_getStorageAt", [hexed(CONTRACT), slot, hex(number)]))
    return [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(calls)
    ]


def hexed(raw: bytes) -> str:
    return "0x" + raw.rjust(20, b"\0").hex()


@pytest.mark.parametrize("table", list(Table))
def test_a_damaged_value_is_never_believed(whole: Whole, table: Table) -> None:
    rows = [row for row in whole.contents[table] if row[0] != SCHEMA_VERSION_KEY]
    chance = random.Random(table.value)
    for damage in (_flip, _flip, _flip, _cut, _cut, _empty, _append, _replace, _replace) * bool(
        rows
    ):
        # Most of what is asked is about the newest values.
        key, value = chance.choice(chance.choice((rows, rows[-20:])))
        damaged = damage(value, rows, chance)
        if damaged != value:
            with whole.damaged(table, key, damaged) as database:
                _check_answers(whole, database, table)
                _check_commits(whole, database, table)


Rows = list[tuple[bytes, bytes]]


def _flip(value: bytes, rows: Rows, chance: random.Random) -> bytes:
    bit = chance.randrange(8 * len(value))
    changed = value[bit // 8] ^ 1 << bit % 8
    return value[: bit // 8] + bytes([changed]) + value[bit // 8 + 1 :]


def _cut(value: bytes, rows: Rows, chance: random.Random) -> bytes:
    return value[: chance.randrange(len(value))]


def _empty(value: bytes, rows: Rows, chance: random.Random) -> bytes:
    return b""


def _append(value: bytes, rows: Rows, chance: random.Random) -> bytes:
    return value + chance.randbytes(3)


def _replace(value: bytes, rows: Rows, chance: random.Random) -> bytes:
    return chance.choice(rows)[1]


def _check_answers(whole: Whole, database: Database, table: Table) -> None:
    """All answers are what they were, or errors that say what is damaged."""
    try:
        node = open_node(database)
    except NodeError:
        return
    wrong = []
    for question, before, now in zip(
        whole.questions, whole.answers, node.ask(whole.questions), strict=True
    ):
        if now == before:
            continue
        if "error" not in now:
            wrong.append((question, before, now))
        elif now["error"]["code"] == _INTERNAL_ERROR:  # "internal error" alone is an accident
            assert now["error"]["message"].startswith("internal error: "), (question, now)
    if wrong:
        assert table in _FLAT, wrong[0]
        with pytest.raises(CorruptStore), database.read() as snapshot:
            check_flat_state(snapshot, whole.head.state_root)
    try:
        for report in replay(node.reader, whole.head.number, whole.head.number):
            str(report.difference)
    except NodeError:
        return


def _check_commits(whole: Whole, database: Database, table: Table) -> None:
    """A commit is made as a whole, or refused with nothing changed."""
    try:
        node = open_node(database)
    except NodeError:
        return
    parent = BlockRef(whole.head.parent_hash, BlockNumber(whole.head.number - 1))
    inserted = _is_made(database, lambda: node.engine.insert(whole.next_block))
    unwound = _is_made(database, lambda: node.engine.set_heads(unsafe=parent, safe=parent))
    if inserted and unwound and table not in _FLAT:
        with database.read() as snapshot:
            check_flat_state(snapshot, whole.parent_state_root)


def _is_made(database: Database, commit: Callable[[], None]) -> bool:
    before = contents(database)
    try:
        commit()
    except NodeError:
        assert contents(database) == before
        return False
    return True


def test_a_sibling_in_the_place_of_a_canonical_block_is_found_by_replay(whole: Whole) -> None:
    canonical = {value for _, value in whole.contents[Table.CANONICAL]}
    siblings = 0
    for block_hash, number in whole.contents[Table.NUMBERS]:
        height = BlockNumber(int.from_bytes(number, "big"))
        if block_hash in canonical or not whole.first_kept < height <= whole.head.number:
            continue
        siblings += 1
        with whole.damaged(Table.CANONICAL, number, block_hash) as database:
            reports = list(replay(Reader(database, GENESIS.config), height, whole.head.number))
            assert reports[-1].difference is not None
    assert siblings
