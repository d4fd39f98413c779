"""The embedded key-value store: one LMDB environment, one writing process, many readers.

A commit is on the disk when `write()` returns. Readers see the state of the last commit before they
began, whatever is written meanwhile. Keys are at most 511 bytes long (a limit of LMDB).
"""

import errno
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import lmdb

from node.errors import ConfigError, CorruptStore, CriticalError, NodeError
from node.json_file import sync_directory
from node.storage.page_walk import MissingPage, check_pages
from node.storage.schema import SCHEMA_VERSION, SCHEMA_VERSION_KEY, Table

__all__ = ["CopyOf", "Database", "Snapshot", "Table", "WriteTransaction"]

# Address space, not disk: the file grows only as data is written. The smaller one is for systems
# that give a process less (kernels with 39-bit addresses). A map cannot grow step by step while
# there are readers in other threads and processes.
MAP_SIZES = (2**40, 2**36)
_MAX_READERS = 1024
_LOCK_FILE = "writer.lock"
# What LMDB says when what it finds in the file cannot be.
_DAMAGE = (
    lmdb.BadDbiError,
    lmdb.CorruptedError,
    lmdb.IncompatibleError,
    lmdb.InvalidError,
    lmdb.NotFoundError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.ProblemError,
    lmdb.VersionMismatchError,
)
# What the system says when it does not take all that it is given. LMDB makes an input/output error
# of it when it takes a part.
_NO_SPACE = tuple(map(os.strerror, (errno.EIO, errno.EFBIG, errno.EDQUOT)))
_DATA_FILE = "data.mdb"


@dataclass(frozen=True, slots=True)
class CopyOf:
    """Where a store is to be: nowhere, but it begins as what `Database.copy_to` wrote there."""

    directory: Path


class Snapshot:
    """A consistent, read-only view of all tables. Use it in the thread that opened it."""

    def __init__(
        self,
        transaction: "lmdb.Transaction[bytes]",
        tables: "dict[Table, lmdb._Database]",
    ) -> None:
        self._transaction = transaction
        self._tables = tables

    def get(self, table: Table, key: bytes) -> bytes | None:
        """Return the value under `key`, None if there is none."""
        return self._transaction.get(key, db=self._tables[table])

    def getter(self, table: Table) -> Callable[[bytes], bytes | None]:
        """Return `get` for one table, for those who ask often."""
        return partial(self._transaction.get, db=self._tables[table])

    def last_key(self, table: Table) -> bytes | None:
        """Return the greatest key, None if the table is empty."""
        with self._transaction.cursor(db=self._tables[table]) as cursor:
            return cursor.key() if cursor.last() else None

    def size(self, table: Table) -> int:
        """Return how many bytes the pages of a table take in the file."""
        stat = self._transaction.stat(self._tables[table])
        pages: int = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return pages * int(stat["psize"])

    def items(
        self, table: Table, start: bytes = b"", *, prefix: bytes = b"", reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the (key, value) pairs whose keys begin with `prefix`, ordered by key.

        `start` is the first key to consider, itself included: upwards from it, or downwards with
        `reverse`. Empty means from the beginning, or from the end. Do not write to the table while
        this is under way.
        """
        with self._transaction.cursor(db=self._tables[table]) as cursor:
            if reverse:
                found = _seek_last(cursor, start, prefix)
            else:
                found = cursor.set_range(max(start, prefix))
            step = cursor.prev if reverse else cursor.next
            while found:
                key, value = cursor.item()
                if not key.startswith(prefix):
                    return
                yield key, value
                found = step()


class WriteTransaction(Snapshot):
    """A snapshot that sees, and can make, changes; all or none of them are committed."""

    def put(self, table: Table, key: bytes, value: bytes) -> None:
        """Set the value under `key`."""
        self._transaction.put(key, value, db=self._tables[table])

    def put_all(self, table: Table, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the values under many keys; fastest if these are sorted."""
        with self._transaction.cursor(db=self._tables[table]) as cursor:
            cursor.putmulti(items)

    def append_all(self, table: Table, items: Sequence[tuple[bytes, bytes]]) -> None:
        """Set the values under keys that ascend; CorruptStore unless all are above the last one."""
        with self._transaction.cursor(db=self._tables[table]) as cursor:
            _, added = cursor.putmulti(items, append=True)
        if added != len(items):
            raise CorruptStore(f"{table}: what comes next is there already")

    def delete_all(self, table: Table, keys: Iterable[bytes]) -> list[bytes]:
        """Remove many keys; return those that were absent."""
        delete, db = self._transaction.delete, self._tables[table]
        return [key for key in keys if not delete(key, db=db)]

    def delete(self, table: Table, key: bytes) -> bool:
        """Remove `key`; return whether it was there."""
        return self._transaction.delete(key, db=self._tables[table])


class Database:
    """A store in a directory. Reading and writing is safe from several threads."""

    def __init__(
        self,
        environment: lmdb.Environment,
        tables: "dict[Table, lmdb._Database]",
        lock: int | None,
    ) -> None:
        self._environment = environment
        self._tables = tables
        self._lock = lock
        self._writing_thread: int | None = None

    @classmethod
    def open(cls, path: Path | CopyOf | None, *, read_only: bool = False) -> "Database":
        """Open the store in directory `path`, creating it if needed (unless `read_only`).

        None and CopyOf: a temporary store, not synced to disk and gone after `close`. ConfigError
        if another process writes to it, if it was written under another schema version, if there
        is none to read or to copy, or if the directory cannot be used.
        """
        if path is None or isinstance(path, CopyOf):
            return cls._open_temporary(path)
        if read_only:
            return cls._open_existing(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = _lock_directory(path)
        except OSError as error:
            raise ConfigError(f"datadir: cannot use {path}: {error.strerror}") from error
        try:
            environment = _open_environment(path)
            try:
                _check_length(environment, path)
                # Its commit also syncs what a predecessor that was killed has written.
                tables = _create_tables(environment, path)
                _sync_directories(path)
                environment.reader_check()  # readers that crashed would keep old pages alive
                return cls(environment, tables, lock)
            except lmdb.Error as error:
                environment.close()
                raise _translated(error, f"opening the database in {path}") from error
            except BaseException:
                environment.close()
                raise
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def _open_temporary(cls, source: CopyOf | None) -> "Database":
        # Its files lose their names at once and live on until they are closed: a process that is
        # killed leaves nothing behind.
        with tempfile.TemporaryDirectory(prefix="openrollup-") as name:
            if source is not None:
                _copy_file(source.directory / _DATA_FILE, Path(name) / _DATA_FILE)
            environment = _open_environment(Path(name), sync=False)
            return cls(environment, _create_tables(environment, Path(name)), None)

    @classmethod
    def _open_existing(cls, path: Path) -> "Database":
        file = path / _DATA_FILE
        if not file.is_file() or not file.stat().st_size:
            raise ConfigError(f"datadir: there is no database in {path}")
        environment = _open_environment(path, readonly=True)
        try:
            _check_length(environment, path)
            _check_version(environment, path)
            tables = {
                table: environment.open_db(table.value.encode(), create=False) for table in Table
            }
        except lmdb.Error as error:
            environment.close()
            raise _translated(error, f"opening the database in {path}") from error
        except BaseException:
            environment.close()
            raise
        return cls(environment, tables, None)

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """Open a snapshot of the last commit. Keep it short: it keeps old pages from being reused.

        CorruptStore if the file turns out to be damaged.
        """
        try:
            with self._environment.begin() as transaction:
                yield Snapshot(transaction, self._tables)
        except lmdb.Error as error:
            raise _translated(error, "reading the database") from error

    @contextmanager
    def write(self) -> Iterator[WriteTransaction]:
        """Open a transaction that is committed at the end of the block, aborted by an exception.

        Other writing threads wait. CriticalError if the store cannot take it (disk full, ...):
        nothing is written then. RuntimeError if this thread is writing already.
        """
        this_thread = threading.get_ident()
        if self._writing_thread == this_thread:
            raise RuntimeError("a write transaction is already open in this thread")
        try:
            with self._environment.begin(write=True) as transaction:
                self._writing_thread = this_thread
                try:
                    yield WriteTransaction(transaction, self._tables)
                finally:
                    self._writing_thread = None
        except lmdb.Error as error:
            raise _translated(error, "writing to the database") from error

    def copy_to(self, directory: Path) -> None:
        """Write what the last commit left into a directory, which must be empty or new.

        ConfigError if the directory cannot be used, CriticalError if the copy cannot be written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._environment.copy(str(directory), compact=True)
        except OSError as error:
            raise ConfigError(f"copy: cannot use {directory}: {error.strerror}") from error
        except lmdb.Error as error:
            raise _translated(error, f"copying the database to {directory}") from error

    def close(self) -> None:
        """Release the store. Snapshots that are still open become unusable."""
        self._environment.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _lock_directory(path: Path) -> int:
    """Take the writer's lock; it is released when its descriptor is closed or the process ends."""
    lock = os.open(path / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise ConfigError(
            f"datadir: {path} is in use by process {holder}: stop it, or choose another directory"
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _copy_file(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise ConfigError(f"copy: cannot read {source}: {error.strerror}") from error


def _sync_directories(path: Path) -> None:
    """Put the names of new files, of the directory and of those that it is in, on the disk."""
    for directory in (path, *path.absolute().parents):
        if not os.access(directory, os.W_OK):
            return  # nothing in there is new by us
        sync_directory(directory)


def _open_environment(path: Path, *, sync: bool = True, readonly: bool = False) -> lmdb.Environment:
    for map_size in MAP_SIZES:
        with suppress(lmdb.MemoryError):
            return _open_mapped(path, map_size, sync=sync, readonly=readonly)
    raise ConfigError(
        f"datadir: cannot map {path}: expected at least {MAP_SIZES[-1] // 2**30} GiB of address "
        "space (not memory, and not disk), this process may use less: raise the limit "
        "(`ulimit -v unlimited`)"
    )


def _open_mapped(path: Path, map_size: int, *, sync: bool, readonly: bool) -> lmdb.Environment:
    try:
        return lmdb.open(
            str(path),
            map_size=map_size,
            max_dbs=len(Table),
            max_readers=_MAX_READERS,
            max_spare_txns=16,
            sync=sync,
            metasync=sync,
            readonly=readonly,
            readahead=False,
        )
    except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError) as error:
        raise CorruptStore(f"datadir: {path / _DATA_FILE} is damaged, or not ours") from error
    except lmdb.MemoryError:
        raise
    except lmdb.Error as error:
        raise ConfigError(f"datadir: cannot open the database in {path}: {error}") from error


def _check_length(environment: lmdb.Environment, path: Path) -> None:
    """Refuse a file that somebody has truncated: reading it would kill the process."""
    page_size = environment.stat()["psize"]
    size = (environment.info()["last_pgno"] + 1) * page_size
    file = path / _DATA_FILE
    if file.stat().st_size >= size:
        return
    try:
        with environment.begin():
            check_pages(file, page_size)
    except MissingPage as error:
        raise CorruptStore(f"datadir: {file} is damaged, its end is missing: {error}") from error


def _create_tables(environment: lmdb.Environment, path: Path) -> "dict[Table, lmdb._Database]":
    """Check the version, or write it, with all tables and in one commit, into a new store."""
    _check_version(environment, path, new_allowed=True)
    with environment.begin(write=True) as transaction:
        tables = {table: environment.open_db(table.value.encode(), transaction) for table in Table}
        transaction.put(SCHEMA_VERSION_KEY, str(SCHEMA_VERSION).encode(), db=tables[Table.META])
    return tables


def _check_version(environment: lmdb.Environment, path: Path, *, new_allowed: bool = False) -> None:
    if new_allowed and environment.stat()["entries"] == 0:
        return
    stored = None
    with suppress(lmdb.NotFoundError):
        meta = environment.open_db(Table.META.value.encode(), create=False)
        with environment.begin() as transaction:
            stored = transaction.get(SCHEMA_VERSION_KEY, db=meta)
    if stored != str(SCHEMA_VERSION).encode():
        found = "no version" if stored is None else f"version {stored.decode(errors='replace')}"
        raise ConfigError(
            f"datadir: the database in {path} has schema {found}, expected version "
            f"{SCHEMA_VERSION}: use the release that wrote it, or export the blocks with that "
            "release and import them into a new directory"
        )


def _seek_last(cursor: "lmdb.Cursor[bytes]", start: bytes, prefix: bytes) -> bool:
    """Move to the last key that begins with `prefix` and is not above `start` (if given)."""
    beyond = _successor(prefix)
    if start and (beyond is None or start < beyond):
        if cursor.set_range(start):
            return cursor.key() == start or cursor.prev()
        return cursor.last()
    if beyond is not None and cursor.set_range(beyond):
        return cursor.prev()
    return cursor.last()


def _successor(prefix: bytes) -> bytes | None:
    """Return the least key above all that begin with `prefix`; None if there is no such key."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def _translated(error: lmdb.Error, action: str) -> NodeError:
    if isinstance(error, lmdb.MapFullError):
        return CriticalError(
            f"{action}: its map of at most {MAP_SIZES[0] // 2**30} GiB is full: nothing was "
            "written; raise the limit of the address space (`ulimit -v`) if there is one"
        )
    if isinstance(error, lmdb.DiskError) or any(reason in str(error) for reason in _NO_SPACE):
        return CriticalError(
            f"{action}: no space left on the disk, or it is failing ({error}): nothing was "
            "written; make room and start again"
        )
    if isinstance(error, _DAMAGE):
        return CorruptStore(f"{action}: the file is damaged ({error})")
    return CriticalError(f"{action}: {error}")
