"""Trie nodes on their way into the table: none is lost, none stays, whatever happens meanwhile."""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.errors import CorruptStore
from node.storage.database import CopyOf, Database, Snapshot, WriteTransaction
from node.storage.node_journal import SLICES
from node.storage.node_record import NodeRecord, decode_record
from node.storage.schema import Table, hold_nodes, let_nodes_go, number_key
from node.types.primitives import Hash32, keccak256
from tests.node.storage.stored_nodes import held_nodes

RAWS = [b"node %d" % number for number in range(40)]
NODES = {keccak256(raw): raw for raw in RAWS}
HASHES = list(NODES)
KEY = number_key(7)

subsets = st.sets(st.sampled_from(HASHES), max_size=6)


def hold(tx: WriteTransaction, hashes: Iterable[Hash32], repeated: Iterable[Hash32] = ()) -> None:
    hold_nodes(tx, {node_hash: NODES[node_hash] for node_hash in hashes}, repeated)


def commit(database: Database, *hashes: Hash32) -> None:
    with database.write() as tx:
        hold(tx, hashes)


def turn(database: Database, commits: int = SLICES) -> None:
    """Make commits that all hold the same node once more."""
    for _ in range(commits):
        commit(database, HASHES[-1])


def numbers(snapshot: Snapshot) -> list[int]:
    return [int.from_bytes(key, "big") for key, _ in snapshot.items(Table.NODE_JOURNAL)]


class Aborted(Exception):
    pass


class Holdings(RuleBasedStateMachine):
    """The model is how often each node is held."""

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.database = Database.open(None)
        self.model: Counter[bytes] = Counter()
        self.commits = self.copies = 0
        self.old: list[tuple[Snapshot, Counter[bytes]]] = []
        self.views = ExitStack()

    def teardown(self) -> None:
        self.views.close()
        self.database.close()
        self.stack.close()

    def change(
        self, tx: WriteTransaction, gained: set[Hash32], again: set[Hash32], lost: set[Hash32]
    ) -> Counter[bytes]:
        model = Counter(self.model)
        hold(tx, gained, gained & again)
        model.update(gained)
        model.update(gained & again)
        gone = {node_hash for node_hash in lost if model[node_hash]}
        let_nodes_go(tx, gone)
        model.subtract(gone)
        hold(tx, again)
        model.update(again)
        for node_hash in +model:
            assert tx.trie_node(node_hash) == NODES[Hash32(node_hash)]
        return +model

    @rule(gained=subsets, again=subsets, lost=subsets)
    def commit(self, gained: set[Hash32], again: set[Hash32], lost: set[Hash32]) -> None:
        with self.database.write() as tx:
            model = self.change(tx, gained, again, lost)
        self.commits += bool(gained or again or any(self.model[one] for one in lost))
        self.model = model

    @rule(share=st.integers(1, 4))
    def let_much_go(self, share: int) -> None:
        self.commit(set(), set(), set(HASHES[::share]))

    @rule(gained=subsets, again=subsets, lost=subsets)
    def abort(self, gained: set[Hash32], again: set[Hash32], lost: set[Hash32]) -> None:
        with pytest.raises(Aborted), self.database.write() as tx:
            self.change(tx, gained, again, lost)
            raise Aborted

    @rule(count=st.integers(1, SLICES + 2))
    def commit_often(self, count: int) -> None:
        for number in range(count):
            self.commit({HASHES[number % 3]}, set(), {HASHES[(number + 1) % 3]})

    @rule()
    def commit_something_else(self) -> None:
        with self.database.write() as tx:
            tx.put(Table.HEADERS, b"key", b"value")

    @rule()
    def keep_a_snapshot(self) -> None:
        snapshot = self.views.enter_context(self.database.read())
        self.old = [*self.old[-3:], (snapshot, self.model)]

    @rule()
    def forget(self) -> None:
        self.database.node_journal.forget()

    @rule()
    def reopen(self) -> None:
        self.views.close()
        self.old = []
        self.copies += 1
        copy = self.folder / str(self.copies)
        self.database.copy_to(copy)
        self.database.close()
        self.database = Database.open(CopyOf(copy))

    @invariant()
    def what_is_held_is_stored(self) -> None:
        with self.database.read() as snapshot:
            assert held_nodes(snapshot) == self.model
            newest = self.commits
            assert numbers(snapshot) == [*range(max(1, newest - SLICES + 2), newest + 1)]
            for view, model in (*self.old, (snapshot, self.model)):
                for node_hash in model:
                    assert view.trie_node(Hash32(node_hash)) == NODES[Hash32(node_hash)]


TestHoldings = Holdings.TestCase
TestHoldings.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as opened:
        yield opened


def test_each_commit_writes_a_slice(database: Database) -> None:
    commit(database, *HASHES)
    for number in range(1, SLICES + 1):
        with database.read() as snapshot:
            found = {key for key, _ in snapshot.items(Table.TRIE_NODES)}
        done = {step % SLICES for step in range(1, number + 1)}
        assert found == {one for one in HASHES if one[0] * SLICES // 256 in done}
        turn(database, 1)


def test_what_came_and_went_meanwhile_never_gets_to_the_table(database: Database) -> None:
    turn(database)
    slice_done_next = (SLICES + 1) % SLICES
    one = next(h for h in HASHES[:-1] if h[0] * SLICES // 256 != slice_done_next)
    commit(database, one)
    with database.write() as tx:
        let_nodes_go(tx, [one])
    turn(database)
    with database.read() as snapshot:
        assert snapshot.get(Table.TRIE_NODES, one) is None
        assert snapshot.trie_node(one) is None


def test_a_commit_that_changes_no_trie_writes_no_record(database: Database) -> None:
    commit(database, HASHES[0])
    with database.write() as tx:
        tx.put(Table.HEADERS, b"key", b"value")
        hold_nodes(tx, {})
        let_nodes_go(tx, [])
    with database.read() as snapshot:
        assert numbers(snapshot) == [1]


def test_more_than_is_held_cannot_be_let_go(database: Database) -> None:
    commit(database, HASHES[0])
    turn(database, 3)
    with pytest.raises(CorruptStore, match=f"0x{HASHES[0].hex()}: it is gone before its time"):
        for _ in range(SLICES + 1):
            with database.write() as tx:
                let_nodes_go(tx, [HASHES[0]])
    with database.read() as snapshot:
        before = {table: list(snapshot.items(table)) for table in Table}
    with pytest.raises(CorruptStore, match="it is gone before its time"):
        turn(database, 1)
    with database.read() as snapshot:
        assert {table: list(snapshot.items(table)) for table in Table} == before


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_or_damaged_record_stops_commits_and_reads(
    database: Database, number: int
) -> None:
    turn(database, 4)
    key = number_key(number)
    with database.read() as snapshot:
        value = snapshot.get(Table.NODE_JOURNAL, key)
    assert value is not None
    unknown = keccak256(b"unknown")
    for wrong in (None, bytes([value[0] ^ 1]) + value[1:], value[:-1], value[:15], b""):
        with database.write() as tx:
            tx.delete(Table.NODE_JOURNAL, key)
            if wrong is not None:
                tx.put(Table.NODE_JOURNAL, key, wrong)
        database.node_journal.forget()
        with database.read() as snapshot, pytest.raises(CorruptStore, match=f"0x{key.hex()}"):
            snapshot.trie_node(unknown)
        with pytest.raises(CorruptStore, match=f"0x{key.hex()}"):
            turn(database, 1)
    with database.write() as tx:
        tx.put(Table.NODE_JOURNAL, key, value)
    turn(database, 1)


hashes = st.binary(min_size=32, max_size=32)


@given(st.dictionaries(hashes, st.binary(max_size=40), max_size=5), st.lists(hashes), st.data())
def test_records_round_trip_and_their_index_is_sealed(
    nodes: dict[bytes, bytes], let_go: list[bytes], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(sorted(nodes)))) if nodes else []
    record = NodeRecord.of(nodes, again, let_go)
    encoded = record.encode(KEY)
    assert decode_record(KEY, encoded) == record
    index_size = len(encoded) - sum(map(len, nodes.values()))
    place = data.draw(st.integers(0, index_size - 1))
    changed = encoded[:place] + bytes([encoded[place] ^ 1]) + encoded[place + 1 :]
    for wrong in (changed, encoded[:place], encoded + b"\0"):
        with pytest.raises(CorruptStore, match=f"node_journal.*0x{KEY.hex()}"):
            decode_record(KEY, wrong)
    with pytest.raises(CorruptStore):
        decode_record(number_key(8), encoded)


_READER = """
import sys
from pathlib import Path
from node.storage.database import Database
hashes = [bytes.fromhex(text) for text in sys.argv[2:]]
with Database.open(Path(sys.argv[1]), read_only=True) as database:
    with database.read() as old:
        for _ in range(2):
            sys.stdin.readline()
            with database.read() as new:
                print(*((one.trie_node(h) or b"-").hex() for one in (old, new) for h in hashes))
            sys.stdout.flush()
"""


@contextmanager
def reading(path: Path, *asked: Hash32) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _READER, str(path), *(one.hex() for one in asked)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def ask(process: "subprocess.Popen[str]") -> list[bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return [bytes.fromhex(text) for text in process.stdout.readline().split()]


def test_a_reader_in_another_process_sees_what_its_snapshot_has(tmp_path: Path) -> None:
    first, second = HASHES[:2]
    one, two = NODES[first], NODES[second]
    with Database.open(tmp_path) as database:
        commit(database, first)
        turn(database, 2)
        with reading(tmp_path, first, second) as process:
            assert ask(process) == [one, b"-", one, b"-"]
            with database.write() as tx:
                hold(tx, [second])
                let_nodes_go(tx, [first])
            turn(database, SLICES + 3)
            assert ask(process) == [one, b"-", b"-", two]
