import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import ConfigError, InvalidInput, NodeError
from node.evm.rules import Interpreter
from node.genesis import genesis_to_json
from node.json_file import write_json
from node.storage.database import Database
from node.storage.schema import Table
from openrollup.chain_files import ExportOptions, run_export
from openrollup.cli import run
from openrollup.execution_node import ExecutionNode
from openrollup.replay import ReplayOptions, run_replay
from tests.node.chains import GENESIS, Chain, open_chain

BLOCKS = 5


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """A stored chain of five blocks, with a payment in each."""
    path = tmp_path / "data"
    ExecutionNode.open(GENESIS, path).close()
    with open_chain(path) as chain:
        extend(chain, BLOCKS)
    return path


@pytest.fixture
def file(datadir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The same blocks, exported; genesis.json lies beside it."""
    path = tmp_path / "blocks.rlp"
    run_export(ExportOptions(datadir, path, None, None, json=False))
    write_json(tmp_path / "genesis.json", genesis_to_json(GENESIS))
    capsys.readouterr()
    return path


def extend(chain: Chain, count: int) -> None:
    for _ in range(count):
        chain.extend(chain.transfer())


def options(
    *,
    datadir: Path | None = None,
    file: Path | None = None,
    genesis: Path | None = None,
    first: int | None = None,
    last: int | None = None,
    json: bool = True,
) -> ReplayOptions:
    if file is not None and genesis is None:
        genesis = file.with_name("genesis.json")
    return ReplayOptions(datadir, file, genesis, first, last, json)


Shown = Callable[[ReplayOptions], dict[str, object]]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    """Replays and returns the JSON that was printed."""

    def replay(asked: ReplayOptions) -> dict[str, object]:
        assert run_replay(asked) == 0
        result = json.loads(capsys.readouterr().out)
        assert isinstance(result, dict)
        return result

    return replay


@pytest.mark.parametrize("interpreter", Interpreter)
def test_every_interpreter_replays(datadir: Path, shown: Shown, interpreter: Interpreter) -> None:
    assert shown(replace(options(datadir=datadir), evm=interpreter))["equal"] is True


def test_a_stored_chain_is_equal(datadir: Path, shown: Shown) -> None:
    result = shown(options(datadir=datadir))
    seconds = result.pop("seconds")
    assert isinstance(seconds, float)
    for rate in ("blocksPerSecond", "gasPerSecond"):
        assert result.pop(rate) is not None
    gas = BLOCKS * 21_000
    assert result == {"blocks": BLOCKS, "transactions": BLOCKS, "gas": gas, "equal": True}


def test_text(datadir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_replay(options(datadir=datadir, first=2, last=4, json=False)) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("3 blocks equal (3 transactions, 63000 gas) in ")
    assert shown.out.endswith(" Mgas/s\n")
    assert shown.err == ""


def test_a_file_is_equal(file: Path, shown: Shown) -> None:
    result = shown(options(file=file))
    assert (result["blocks"], result["equal"]) == (BLOCKS, True)


@pytest.mark.parametrize(
    ("first", "last", "count"), [(None, 3, 3), (2, None, 4), (2, 3, 2), (5, 5, 1)]
)
def test_a_part(file: Path, datadir: Path, shown: Shown, first: int, last: int, count: int) -> None:
    for asked in (
        options(file=file, first=first, last=last),
        options(datadir=datadir, first=first, last=last),
    ):
        assert shown(asked)["blocks"] == count


def test_a_chain_without_blocks(tmp_path: Path, shown: Shown) -> None:
    ExecutionNode.open(GENESIS, tmp_path / "new").close()
    result = shown(options(datadir=tmp_path / "new"))
    assert (result["blocks"], result["transactions"], result["equal"]) == (1, 0, True)


def test_a_stored_difference_is_named(datadir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage_receipts(datadir, 3)
    with pytest.raises(NodeError, match=r"^block 3 differs: transaction 0: cumulativeGasUsed: "):
        run_replay(options(datadir=datadir))
    result = json.loads(capsys.readouterr().out)
    assert (result["blocks"], result["equal"]) == (2, False)
    difference = result["difference"]
    assert isinstance(difference, dict)
    assert (difference["block"], difference["transaction"]) == (3, 0)
    assert (difference["field"], difference["expected"]) == ("cumulativeGasUsed", "21000")
    assert difference["text"].startswith("transaction 0: cumulativeGasUsed: expected 21000, got ")


def test_a_difference_as_the_user_sees_it(
    datadir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage_receipts(datadir, 3)
    assert run(["replay", "--datadir", str(datadir)]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("2 blocks equal (2 transactions, ")
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("openrollup: block 3 differs: transaction 0: cumulativeGasUsed: ")


def test_a_file_of_another_chain_differs_at_once(datadir: Path, file: Path) -> None:
    run_export(ExportOptions(datadir, file, None, 1, json=False))
    with open_chain() as chain:
        chain.extend(salt=9)
        other = chain.extend(chain.transfer()).block.encode()
    file.write_bytes(file.read_bytes() + other)
    with pytest.raises(NodeError, match=r"^block 2 differs: parentHash: expected 0x"):
        run_replay(options(file=file))


def test_a_file_that_is_cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InvalidInput, match=r"the file ends inside it, 1 bytes are missing"):
        run_replay(options(file=file))


def test_a_stop_comes_before_what_is_not_wanted(file: Path, shown: Shown) -> None:
    file.write_bytes(file.read_bytes()[:-1])
    assert shown(options(file=file, last=3))["blocks"] == 3


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"first": 6}, r"--from, --to: the file ends with block 5"),
        ({"last": 6}, r"--from, --to: the file ends with block 5"),
        ({"first": 3, "last": 2}, r"--from, --to: expected from <= to, got 3 and 2"),
    ],
    ids=str,
)
def test_a_range_that_the_file_does_not_hold(file: Path, asked: dict[str, int], said: str) -> None:
    first, last = asked.get("first"), asked.get("last")
    with pytest.raises(ConfigError, match=said):
        run_replay(options(file=file, first=first, last=last))


def test_what_goes_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--genesis: expected beside --file"):
        run_replay(ReplayOptions(None, tmp_path, None, None, None, json=False))
    with pytest.raises(ConfigError, match="--genesis: goes with --file or --rpc"):
        run_replay(options(datadir=tmp_path, genesis=tmp_path))


def test_beside_a_running_node(datadir: Path) -> None:
    """In a process of its own, as the store demands."""
    command = [sys.executable, "-m", "openrollup", "replay", "--json", "--datadir", str(datadir)]
    with open_chain(datadir) as chain:
        extend(chain, 2)
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        extend(chain, 1)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["blocks"] == BLOCKS + 2


def damage_receipts(datadir: Path, number: int) -> None:
    """Let the receipts of a block be those of a dearer transaction."""
    with open_chain(datadir) as chain:
        block_hash = chain.reader.canonical_hash(number)  # type: ignore[arg-type]
    assert block_hash is not None
    with Database.open(datadir) as database, database.write() as tx:
        raw = tx.get(Table.RECEIPTS, block_hash)
        assert raw is not None
        changed = raw.replace((21_000).to_bytes(2, "big"), (21_001).to_bytes(2, "big"), 1)
        assert changed != raw
        tx.put(Table.RECEIPTS, block_hash, changed)


def test_a_damaged_flat_state_is_named(datadir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Database.open(datadir) as database:
        with database.read() as snapshot:
            key, value = next(snapshot.items(Table.ACCOUNTS))
        with database.write() as tx:
            tx.put(Table.ACCOUNTS, key, value[:-1] + bytes([value[-1] ^ 1]))
    assert run(["replay", "--datadir", str(datadir)]) == 1
    assert capsys.readouterr().err.startswith("openrollup: flat state: expected state root 0x")
