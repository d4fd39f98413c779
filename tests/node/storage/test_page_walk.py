"""A truncated file is told from one that is shorter by right, and never read."""

import random
import shutil
from pathlib import Path

import pytest

from node.errors import CorruptStore
from node.storage.database import Database, Table


def fill(database: Database, rounds: int = 6) -> None:
    chance = random.Random(1)
    for number in range(rounds):
        with database.write() as tx:
            for key in range(150):
                name = bytes([number, key])
                tx.put(Table.HEADERS, name, chance.randbytes(600))
                tx.put(Table.BODIES, name, chance.randbytes(9000 if key % 3 else 30))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "chain"
    with Database.open(path) as database:
        fill(database)
    return path


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("left", [1, 100, 4096, 5000, 8192, 12288, 20_000, 0.3, 0.5, 0.9, -1])
def test_a_truncated_file_is_refused(
    filled: Path, tmp_path: Path, left: float, read_only: bool
) -> None:
    shutil.copytree(filled, tmp_path / "chain")
    file = tmp_path / "chain" / "data.mdb"
    size = file.stat().st_size
    length = int(size * left) if 0 < left < 1 else int(left) if left > 0 else size - 1
    with file.open("r+b") as opened:
        opened.truncate(length)
    with pytest.raises(CorruptStore, match=r"data\.mdb is damaged"):
        Database.open(tmp_path / "chain", read_only=read_only)


def test_an_emptied_file_has_nothing_to_read(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled, tmp_path / "chain")
    (tmp_path / "chain" / "data.mdb").write_bytes(b"")
    with pytest.raises(Exception, match="there is no database"):
        Database.open(tmp_path / "chain", read_only=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_whose_last_pages_were_never_needed_is_whole(
    tmp_path: Path, read_only: bool
) -> None:
    with Database.open(tmp_path) as database:
        fill(database)
        with database.write() as tx:
            for key in range(50):
                tx.put(Table.BODIES, b"new" + bytes([key]), bytes(5000))
            for key in range(50):
                tx.delete(Table.BODIES, b"new" + bytes([key]))
        pages = database._environment.info()["last_pgno"] + 1
    assert (tmp_path / "data.mdb").stat().st_size < pages * 4096, "this is not the case meant"
    with Database.open(tmp_path, read_only=read_only) as database, database.read() as snapshot:
        assert sum(1 for _ in snapshot.items(Table.BODIES)) == 6 * 150
    with Database.open(tmp_path) as database:
        fill(database, 8)
        with database.read() as snapshot:
            assert sum(1 for _ in snapshot.items(Table.BODIES)) == 8 * 150
