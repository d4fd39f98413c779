"""Traffic, a restart, a stranger who derives the same chain, and a replay of what is stored."""

import json
import shutil
from pathlib import Path

import pytest

from node.storage.database import Database
from node.storage.schema import Table
from tests.integration.processes import run_openrollup
from tests.integration.scenario import Plan, live
from tests.integration.traffic import Kind

_PLAN = Plan(transactions=300, deposits=3, bulk=8, restarts=1, least_l2_blocks=20)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose chain the first test makes and the others read."""
    return tmp_path_factory.mktemp("rollup")


async def test_chain_is_derived_again(work: Path) -> None:
    figures = await live(_PLAN, work)
    print(figures)
    acknowledged = figures.acknowledged
    assert len(acknowledged.transactions) == 300 + 3 + 8
    assert set(acknowledged.kinds) == set(Kind)
    assert len(acknowledged.deposit_epochs) == 3
    assert figures.longest_channel > 1


def test_replay_agrees(work: Path) -> None:
    done = run_openrollup("replay", "--json", "--datadir", work / "data")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["equal"]
    assert result["transactions"] > _PLAN.transactions


@pytest.mark.parametrize("table", [Table.HEADERS, Table.BODIES, Table.RECEIPTS])
def test_replay_finds_a_changed_byte(work: Path, tmp_path: Path, table: Table) -> None:
    """Which field it is depends on where the byte lies; that one is named is what counts."""
    damaged = tmp_path / "data"
    shutil.copytree(work / "data" / "l2", damaged)
    number = flip_byte(damaged, table)
    done = run_openrollup("replay", "--json", "--datadir", damaged)
    assert done.returncode == 1, done.stderr
    difference = json.loads(done.stdout)["difference"]
    assert difference["block"] == number
    assert difference["field"]


def flip_byte(datadir: Path, table: Table) -> int:
    """Change one byte in the middle of the largest stored value; return its block's number."""
    with Database.open(datadir) as database:
        with database.read() as snapshot:
            key, value = max(snapshot.items(table), key=lambda item: len(item[1]))
            number = snapshot.get(Table.NUMBERS, key)
        middle = len(value) // 2
        changed = value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
        with database.write() as transaction:
            transaction.put(table, key, changed)
    assert number is not None
    return int.from_bytes(number, "big")
