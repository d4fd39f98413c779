from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.blob_store import get_blob, put_blobs
from node.errors import CorruptStore
from node.genesis.genesis import genesis_block
from node.storage.database import Database
from node.storage.schema import Table
from node.types.blob_sidecar import BLOB_PROOFS, BLOB_SIZE, Blob, BlobSidecar, versioned_hash
from node.types.block import Block
from node.types.primitives import BlockNumber, Hash32
from node.types.transaction import BLOB
from tests.node.chains import GENESIS
from tests.node.execution.signing import sign

EMPTY = genesis_block(GENESIS).block


def some_blob(seed: int) -> Blob:
    """Return bytes that pass for a blob: the store looks at the commitment's hash alone."""
    return Blob(bytes([seed]) * BLOB_SIZE, bytes([seed]) * 48, bytes([seed + 100]) * 48)


def name(seed: int) -> Hash32:
    return versioned_hash(some_blob(seed).commitment)


def block(number: int, *transactions: tuple[int, ...]) -> Block:
    """Return a block whose transactions carry the blobs of these seeds."""
    carrying = []
    for seeds in transactions:
        blobs = [some_blob(seed) for seed in seeds]
        sidecar = BlobSidecar(
            BLOB_PROOFS,
            tuple(item.data for item in blobs),
            tuple(item.commitment for item in blobs),
            tuple(item.proof for item in blobs),
        )
        tx = sign(kind=BLOB, nonce=number, blob_hashes=sidecar.versioned_hashes())
        carrying.append(replace(tx, sidecar=sidecar))
    header = replace(EMPTY.header, number=BlockNumber(number))
    return replace(EMPTY, header=header, transactions=(sign(), *carrying))


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as database:
        yield database


def kept(database: Database, *seeds: int) -> list[int]:
    with database.read() as snapshot:
        found = {seed: get_blob(snapshot, name(seed)) for seed in seeds}
    for seed, blob in found.items():
        assert blob in (None, some_blob(seed))
    return [seed for seed, blob in found.items() if blob is not None]


def rows(database: Database) -> int:
    with database.read() as snapshot:
        return sum(1 for _ in snapshot.items(Table.BLOBS))


def put(database: Database, stored: Block, **limits: int) -> None:
    with database.write() as tx:
        put_blobs(tx, stored, **limits)


def test_blobs_of_all_transactions_are_kept(database: Database) -> None:
    put(database, block(1, (1, 2), (3,)))
    put(database, block(2))
    put(database, block(3, (4,)))
    assert kept(database, 0, 1, 2, 3, 4, 5) == [1, 2, 3, 4]


def test_a_block_without_its_blobs_writes_nothing(database: Database) -> None:
    bare = block(1, (1,))
    put(database, replace(bare, transactions=(sign(kind=BLOB), bare.transactions[0])))
    assert rows(database) == 0


def test_they_survive_a_restart(tmp_path: Path) -> None:
    with Database.open(tmp_path) as database:
        put(database, block(1, (1,)))
    with Database.open(tmp_path) as database:
        put(database, block(2, (2,)))
        assert kept(database, 1, 2) == [1, 2]


def test_the_oldest_go_when_there_are_too_many(database: Database) -> None:
    for number in range(1, 6):
        put(database, block(number, (2 * number, 2 * number + 1)), retained_blobs=5)
    assert kept(database, *range(12)) == [7, 8, 9, 10, 11]
    assert rows(database) == 10


def test_those_of_old_blocks_go(database: Database) -> None:
    for number in (1, 2, 5):
        put(database, block(number, (number,)), retained_blocks=4)
    assert kept(database, 1, 2, 5) == [2, 5]
    put(database, block(100), retained_blocks=4)  # a block without blobs cleans up nothing
    assert kept(database, 2, 5) == [2, 5]
    put(database, block(101, (7,)), retained_blocks=4)
    assert kept(database, 2, 5, 7) == [7]
    assert rows(database) == 2


def test_what_comes_again_counts_as_new(database: Database) -> None:
    put(database, block(1, (1, 2)), retained_blobs=3)
    put(database, block(2, (1,)), retained_blobs=3)
    put(database, block(3, (3,)), retained_blobs=3)
    assert kept(database, 1, 2, 3) == [1, 2, 3]
    put(database, block(4, (4,)), retained_blobs=3)
    assert kept(database, 1, 2, 3, 4) == [1, 3, 4]
    put(database, block(5, (5,)), retained_blobs=3)
    assert kept(database, 1, 2, 3, 4, 5) == [3, 4, 5]
    assert rows(database) == 6


def test_the_same_twice_in_a_block(database: Database) -> None:
    put(database, block(1, (1, 1), (1,)))
    assert kept(database, 1) == [1]
    put(database, block(2, (2,)), retained_blobs=1)
    assert (kept(database, 1, 2), rows(database)) == ([2], 2)


@pytest.mark.parametrize("damage", [b"", b"\0" * 8, b"\0" * (8 + 96 + BLOB_SIZE)])
def test_a_damaged_row_is_noticed(database: Database, damage: bytes) -> None:
    put(database, block(1, (1,)))
    with database.write() as tx:
        tx.put(Table.BLOBS, name(1), damage)
    with pytest.raises(CorruptStore, match=f"0x{name(1).hex()}"):
        kept(database, 1)
