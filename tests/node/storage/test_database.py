"""The store: what is committed is there, what is not is not, and who may open it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import ConfigError, CorruptStore, CriticalError
from node.storage import database as database_module
from node.storage.database import CopyOf, Database, Table
from node.storage.schema import SCHEMA_VERSION_KEY


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as opened:
        yield opened


def put(database: Database, entries: dict[bytes, bytes], table: Table = Table.HEADERS) -> None:
    with database.write() as transaction:
        for key, value in entries.items():
            transaction.put(table, key, value)


def get(database: Database, key: bytes, table: Table = Table.HEADERS) -> bytes | None:
    with database.read() as snapshot:
        return snapshot.get(table, key)


def in_other_process(script: str, *arguments: object) -> str:
    """Run Python code in a process of its own; return what it prints."""
    prelude = "import sys\nfrom pathlib import Path\nfrom node.storage.database import *\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_commit_survives_reopening(tmp_path: Path) -> None:
    with Database.open(tmp_path / "chain") as database:
        put(database, {b"key": b"value"})
    with Database.open(tmp_path / "chain") as database:
        assert get(database, b"key") == b"value"
        assert get(database, b"other") is None


def test_tables_are_separate(database: Database) -> None:
    put(database, {b"key": b"header"}, Table.HEADERS)
    put(database, {b"key": b"body"}, Table.BODIES)
    assert get(database, b"key", Table.HEADERS) == b"header"
    assert get(database, b"key", Table.BODIES) == b"body"
    assert get(database, b"key", Table.UNDO) is None


def test_an_exception_aborts_the_transaction(database: Database) -> None:
    put(database, {b"kept": b"1", b"deleted": b"2"})
    with pytest.raises(ZeroDivisionError), database.write() as transaction:
        transaction.put(Table.HEADERS, b"kept", b"changed")
        transaction.delete(Table.HEADERS, b"deleted")
        assert transaction.get(Table.HEADERS, b"kept") == b"changed"
        assert transaction.get(Table.HEADERS, b"deleted") is None
        raise ZeroDivisionError
    assert get(database, b"kept") == b"1"
    assert get(database, b"deleted") == b"2"


def test_deleting_what_is_absent_does_nothing(database: Database) -> None:
    with database.write() as transaction:
        transaction.delete(Table.HEADERS, b"absent")


def test_a_snapshot_does_not_see_later_commits(database: Database) -> None:
    put(database, {b"key": b"before"})
    with database.read() as snapshot:
        put(database, {b"key": b"after", b"new": b"1"})
        assert snapshot.get(Table.HEADERS, b"key") == b"before"
        assert dict(snapshot.items(Table.HEADERS)) == {b"key": b"before"}
    assert get(database, b"key") == b"after"


def test_snapshots_may_be_open_side_by_side(database: Database) -> None:
    put(database, {b"key": b"1"})
    with database.read() as first:
        put(database, {b"key": b"2"})
        with database.read() as second:
            assert first.get(Table.HEADERS, b"key") == b"1"
            assert second.get(Table.HEADERS, b"key") == b"2"


keys = st.binary(min_size=1, max_size=3) | st.lists(
    st.sampled_from([b"\x00", b"a", b"\xff"]), min_size=1, max_size=4
).map(b"".join)


@given(st.sets(keys, max_size=20), keys | st.just(b""), keys | st.just(b""), st.booleans())
def test_items_are_ordered_and_bounded(
    stored: set[bytes], start: bytes, prefix: bytes, reverse: bool
) -> None:
    def wanted(key: bytes) -> bool:
        within = key <= start if reverse else key >= start
        return key.startswith(prefix) and (within or not start)

    with Database.open(None) as database:
        put(database, {key: key[::-1] for key in stored})
        with database.read() as snapshot:
            found = list(snapshot.items(Table.HEADERS, start, prefix=prefix, reverse=reverse))
    expected = sorted(filter(wanted, stored), reverse=reverse)
    assert found == [(key, key[::-1]) for key in expected]


def test_threads_read_while_one_writes(database: Database) -> None:
    """Two entries always change together, so no reader may see them differ."""
    put(database, {b"a": b"0", b"b": b"0"})
    torn: list[tuple[bytes | None, bytes | None]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with database.read() as snapshot:
                pair = (snapshot.get(Table.HEADERS, b"a"), snapshot.get(Table.HEADERS, b"b"))
            if pair[0] != pair[1]:
                torn.append(pair)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(200):
        put(database, {b"a": b"%d" % number, b"b": b"%d" % number})
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_writing_threads_take_turns(database: Database) -> None:
    put(database, {b"count": b"0"})

    def add() -> None:
        for _ in range(50):
            with database.write() as transaction:
                count = int(transaction.get(Table.HEADERS, b"count") or b"")
                transaction.put(Table.HEADERS, b"count", b"%d" % (count + 1))

    writers = [threading.Thread(target=add) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert get(database, b"count") == b"150"


def test_a_nested_write_is_refused_rather_than_waiting_for_itself(database: Database) -> None:
    with database.write() as outer:
        with pytest.raises(RuntimeError, match="already open"), database.write():
            pass
        outer.put(Table.HEADERS, b"key", b"value")
    assert get(database, b"key") == b"value"
    put(database, {b"key": b"again"})


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with Database.open(tmp_path):
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"):
            Database.open(tmp_path)
        output = in_other_process("Database.open(Path(sys.argv[1]))", tmp_path)
        assert "ConfigError" in output
        assert f"in use by process {os.getpid()}" in output
    Database.open(tmp_path).close()


def test_a_reading_process_sees_commits_and_cannot_write(tmp_path: Path) -> None:
    script = """
database = Database.open(Path(sys.argv[1]), read_only=True)
with database.read() as snapshot:
    print(snapshot.get(Table.HEADERS, b"key"))
try:
    with database.write() as transaction:
        pass
except Exception as error:
    print(type(error).__name__)
database.close()
"""
    with Database.open(tmp_path) as database:
        put(database, {b"key": b"value"})
        assert in_other_process(script, tmp_path).split() == ["b'value'", "CriticalError"]
        put(database, {b"key": b"changed"})
        assert "b'changed'" in in_other_process(script, tmp_path)


def test_a_killed_writer_leaves_the_last_commit_and_no_lock(tmp_path: Path) -> None:
    script = """
import os
database = Database.open(Path(sys.argv[1]))
with database.write() as transaction:
    transaction.put(Table.HEADERS, b"key", b"committed")
with database.write() as transaction:
    transaction.put(Table.HEADERS, b"key", b"lost")
    os.kill(os.getpid(), 9)
"""
    in_other_process(script, tmp_path)
    with Database.open(tmp_path) as database:
        assert get(database, b"key") == b"committed"


def test_reading_needs_an_existing_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no database"):
        Database.open(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_another_schema_version_is_refused(tmp_path: Path, read_only: bool) -> None:
    with Database.open(tmp_path) as database:
        put(database, {SCHEMA_VERSION_KEY: b"999"}, Table.META)
    with pytest.raises(ConfigError, match=r"schema version 999, expected version \d+: use the re"):
        Database.open(tmp_path, read_only=read_only)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_foreign_database_is_refused(tmp_path: Path, read_only: bool) -> None:
    with lmdb.open(str(tmp_path)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"key", b"value")
    with pytest.raises(ConfigError, match="no version"):
        Database.open(tmp_path, read_only=read_only)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(CorruptStore, match="damaged"):
        Database.open(tmp_path)


def test_a_path_that_is_not_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot use"):
        Database.open(tmp_path / "file")


def test_a_refused_open_releases_the_lock(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(CorruptStore):
        Database.open(tmp_path)
    (tmp_path / "data.mdb").unlink()
    Database.open(tmp_path).close()


def test_a_full_map_is_critical_and_leaves_the_last_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_module, "MAP_SIZES", (2**20,))
    with Database.open(None) as database:
        put(database, {b"key": b"value"})
        with pytest.raises(CriticalError, match="map of at most"):
            put(database, {b"key": b"changed", b"large": bytes(2**21)})
        assert get(database, b"key") == b"value"


def test_a_full_disk_is_critical_and_leaves_the_last_commit(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk."""
    script = """
import resource
database = Database.open(Path(sys.argv[1]))
with database.write() as transaction:
    transaction.put(Table.HEADERS, b"key", b"value")
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, -1))
try:
    with database.write() as transaction:
        transaction.put(Table.HEADERS, b"key", b"changed")
        transaction.put(Table.HEADERS, b"large", bytes(2**22))
except Exception as error:
    print(type(error).__name__, str(error), sep=": ")
with database.read() as snapshot:
    print(snapshot.get(Table.HEADERS, b"key"))
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
with database.write() as transaction:
    transaction.put(Table.HEADERS, b"large", bytes(2**22))
"""
    error, value = in_other_process(script, tmp_path).splitlines()
    assert error.startswith("CriticalError: writing to the database: no space left")
    assert value == "b'value'"
    with Database.open(tmp_path) as database:
        assert get(database, b"large") == bytes(2**22)


def test_a_temporary_store_leaves_nothing_even_if_it_is_not_closed() -> None:
    temporary = Database.open(None)
    assert not Path(temporary._environment.path()).exists()
    with temporary.write() as transaction:
        for number in range(1000):
            transaction.put(Table.HEADERS, number.to_bytes(4, "big"), bytes(10_000))
    with temporary.read() as snapshot:
        assert snapshot.get(Table.HEADERS, bytes(4)) == bytes(10_000)
    temporary.close()


def test_a_commit_is_synced_unless_temporary(tmp_path: Path, database: Database) -> None:
    with Database.open(tmp_path) as durable:
        assert durable._environment.flags()["sync"]
    assert not database._environment.flags()["sync"]


def test_a_copy_begins_as_the_store_was_and_goes_its_own_way(
    database: Database, tmp_path: Path
) -> None:
    put(database, {b"key": b"first"})
    database.copy_to(tmp_path / "copy")
    put(database, {b"key": b"second"})
    for _ in range(2):
        with Database.open(CopyOf(tmp_path / "copy")) as copy:
            assert get(copy, b"key") == b"first"
            put(copy, {b"key": b"third"})
    assert get(database, b"key") == b"second"


def test_a_copy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^copy: cannot read .*data\.mdb: No such file"):
        Database.open(CopyOf(tmp_path / "nowhere"))
    (tmp_path / "file").write_bytes(b"")
    with Database.open(None) as database, pytest.raises(ConfigError, match=r"^copy: cannot use"):
        database.copy_to(tmp_path / "file")


@pytest.mark.parametrize("gigabytes", [128, 8])
def test_little_address_space_is_enough_or_the_error_says_so(
    tmp_path: Path, gigabytes: int
) -> None:
    script = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]) * 2**30, -1))
with Database.open(Path(sys.argv[1])) as database, database.write() as transaction:
    transaction.put(Table.HEADERS, b"key", b"value")
print("written")
"""
    output = in_other_process(script, tmp_path, gigabytes).strip()
    if gigabytes > 64:
        assert output == "written"
    else:
        assert "ConfigError: datadir: cannot map" in output
        assert output.endswith("raise the limit (`ulimit -v unlimited`)")


def test_a_reader_maps_as_much_as_its_writer(tmp_path: Path) -> None:
    """Whatever a process may map, what is in the file already fits."""
    script = """
import lmdb
from node.storage import database
database.MAP_SIZES = (2**20,)
with Database.open(Path(sys.argv[1]), read_only=True) as opened, opened.read() as snapshot:
    print(len(snapshot.get(Table.HEADERS, b"large")))
"""
    with Database.open(tmp_path) as database:
        put(database, {b"large": bytes(2**22)})
        assert in_other_process(script, tmp_path).strip() == str(2**22)


@given(st.sets(st.binary(min_size=1, max_size=2)), st.sets(st.binary(min_size=1, max_size=2)))
def test_many_keys_at_once(stored: set[bytes], more: set[bytes]) -> None:
    with Database.open(None) as database, database.write() as tx:
        tx.put_all(Table.UNDO, [(key, b"old") for key in sorted(stored)])
        get = tx.getter(Table.UNDO)
        assert all(get(key) == b"old" for key in stored)
        appended = [(key, b"new") for key in sorted(more)]
        if more and stored and min(more) <= max(stored):
            with pytest.raises(CorruptStore, match="undo: what comes next is there already"):
                tx.append_all(Table.UNDO, appended)
        else:
            tx.append_all(Table.UNDO, appended)
            assert [key for key, _ in tx.items(Table.UNDO)] == sorted(stored | more)
            assert tx.delete_all(Table.UNDO, sorted(more)) == []
            assert set(tx.delete_all(Table.UNDO, sorted(stored | more))) == more


def test_the_size_of_a_table_grows() -> None:
    with Database.open(None) as database, database.write() as tx:
        assert tx.size(Table.BODIES) == 0
        tx.put(Table.BODIES, b"key", bytes(10_000))
        assert tx.size(Table.BODIES) >= 10_000
