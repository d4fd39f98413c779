"""A short run of the kills, and proof that the audit after each would see a loss."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import CriticalError
from node.genesis.genesis import genesis_block
from node.storage.database import Database, WriteTransaction
from node.storage.schema import Table, number_key
from tests.crash.audit import Shown, audit
from tests.crash.commits import Commit, Model
from tests.crash.rounds import Heard
from tests.crash.store import GENESIS
from tests.crash.writer import Plan, write

ROOT = Path(__file__).parents[2]


def test_killed_writers_leave_whole_stores() -> None:
    command = [sys.executable, "-m", "tests.crash", "--rounds", "8", "--replay-every", "4"]
    command += ["--power-cuts", "0"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost: 0" in done.stdout
    print(done.stdout)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Heard]:
    """A store that a writer has left in good order, and what it has reported."""
    folder = tmp_path_factory.mktemp("written")
    report = folder / "report"
    with report.open("wb") as file:
        write(folder / "chain", file.fileno(), Plan(7, reorgs=True, death=None, commits=15), None)
    heard = Heard()
    for line in report.read_bytes().splitlines():
        heard.take(line)
    assert len(heard.announced) == 15
    assert heard.receipts
    return folder / "chain", heard


@pytest.fixture
def store(written: tuple[Path, Heard], tmp_path: Path) -> tuple[Path, Heard]:
    """A copy of it."""
    with Database.open(written[0], read_only=True) as database:
        (tmp_path / "chain").mkdir()
        database._environment.copy(str(tmp_path / "chain"))
    return tmp_path / "chain", written[1]


def check(path: Path, heard: Heard, shown: Shown | None = None) -> int:
    model = Model(genesis_block(GENESIS).block.hash)
    return audit(path, model, heard.announced, shown or heard.shown, 0)


def test_a_whole_store_is_found_whole(store: tuple[Path, Heard]) -> None:
    assert check(*store) == 15


def _head(tx: WriteTransaction) -> bytes:
    return (tx.get(Table.META, b"heads") or b"")[:32]


def _last(tx: WriteTransaction, table: Table) -> bytes:
    return next(tx.items(table, reverse=True))[0]


def _change(tx: WriteTransaction, table: Table, key: bytes) -> None:
    value = tx.get(table, key)
    assert value is not None
    tx.put(table, key, value[:-1] + bytes([value[-1] ^ 1]))


@pytest.mark.parametrize(
    "damage",
    [
        lambda tx: tx.delete(Table.HEADERS, _head(tx)),
        lambda tx: tx.delete(Table.BODIES, _head(tx)),
        lambda tx: tx.delete(Table.RECEIPTS, _head(tx)),
        lambda tx: tx.delete(Table.NUMBERS, _head(tx)),
        lambda tx: tx.delete(Table.CANONICAL, _last(tx, Table.CANONICAL)),
        lambda tx: tx.put(Table.CANONICAL, number_key(10**6), _head(tx)),
        lambda tx: tx.delete(Table.TRANSACTIONS, _last(tx, Table.TRANSACTIONS)),
        lambda tx: tx.put(Table.TRANSACTIONS, b"\x01" * 32, bytes(36)),
        lambda tx: tx.delete(Table.ACCOUNTS, _last(tx, Table.ACCOUNTS)),
        lambda tx: _change(tx, Table.STORAGE, _last(tx, Table.STORAGE)),
        lambda tx: tx.delete(Table.CODES, _last(tx, Table.CODES)),
        lambda tx: tx.delete(Table.TRIE_NODES, _last(tx, Table.TRIE_NODES)),
        lambda tx: _change(tx, Table.TRIE_NODES, _last(tx, Table.TRIE_NODES)),
        lambda tx: tx.delete(Table.STATES, _head(tx)),
        lambda tx: _change(tx, Table.STATES, _head(tx)),
        lambda tx: _change(tx, Table.META, b"next_node"),
        lambda tx: tx.delete(Table.UNDO, _head(tx)),
        lambda tx: _change(tx, Table.SAFE_HEADS, _last(tx, Table.SAFE_HEADS)),
        lambda tx: tx.delete(Table.SAFE_HEADS, _last(tx, Table.SAFE_HEADS)),
        lambda tx: _change(tx, Table.META, b"heads"),
        lambda tx: _change(tx, Table.META, b"state_root"),
    ],
)
def test_the_audit_sees_each_part_that_is_missing_or_of_another_commit(
    store: tuple[Path, Heard], damage: Callable[[WriteTransaction], None]
) -> None:
    with Database.open(store[0]) as database, database.write() as tx:
        damage(tx)
    with pytest.raises((AssertionError, CriticalError)):
        check(*store)


def test_the_audit_sees_that_a_shown_block_is_lost(store: tuple[Path, Heard]) -> None:
    path, heard = store
    shown = {**next(iter(heard.blocks.values())), "hash": "0x" + "11" * 32}
    lost = Commit(16, heard.announced[-1].head, heard.announced[-1].head + 1, "11" * 32, 0, 0)
    heard = replace(heard, announced=[*heard.announced, lost])
    assert check(path, heard) == 15
    with pytest.raises(AssertionError, match="shown are lost"):
        check(path, heard, Shown(blocks=(shown,)))


def test_the_audit_sees_a_receipt_that_was_shown_otherwise(store: tuple[Path, Heard]) -> None:
    path, heard = store
    receipt = next(iter(heard.receipts.values()))
    with pytest.raises(AssertionError, match="not as shown"):
        check(path, heard, Shown(receipts=({**receipt, "gasUsed": "0x1"},)))
