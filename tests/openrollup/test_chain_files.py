import json
from pathlib import Path

import pytest

from node.errors import ConfigError, InvalidBlock, InvalidInput
from node.genesis import genesis_to_json
from node.json_file import write_json
from openrollup.chain_files import ExportOptions, ImportOptions, run_export, run_import
from openrollup.cli import run
from openrollup.execution_node import ExecutionNode, StoredChain
from tests.node.chains import GENESIS, open_chain

BLOCKS = 4


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    ExecutionNode.open(GENESIS, path).close()
    with open_chain(path) as chain:
        for _ in range(BLOCKS):
            chain.extend(chain.transfer())
    return path


@pytest.fixture
def genesis(tmp_path: Path) -> Path:
    path = tmp_path / "genesis.json"
    write_json(path, genesis_to_json(GENESIS))
    return path


def head(datadir: Path) -> tuple[int, bytes]:
    with StoredChain.open(datadir) as chain:
        unsafe = chain.reader.heads().unsafe
        return unsafe.number, unsafe.hash


def test_round_trip(
    datadir: Path, genesis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, copy = tmp_path / "blocks.rlp", tmp_path / "copy"
    assert run(["export", "--datadir", str(datadir), str(file)]) == 0
    assert run(["import", "--datadir", str(copy), "--genesis", str(genesis), str(file)]) == 0
    number, block_hash = head(datadir)
    assert head(copy) == (number, block_hash)
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        f"4 blocks written to {file}",
        f"4 blocks imported, head 4 0x{block_hash.hex()}",
    ]
    assert shown.err == ""


def test_round_trip_as_json(
    datadir: Path, genesis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "blocks.rlp"
    assert run_export(ExportOptions(datadir, file, 0, None, json=True)) == 0
    assert run_import(ImportOptions(tmp_path / "copy", genesis, file, json=True)) == 0
    exported, imported = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert exported == {"blocks": 5, "file": str(file)}
    number, block_hash = head(datadir)
    assert imported == {"blocks": 4, "head": {"number": number, "hash": "0x" + block_hash.hex()}}


def test_an_import_goes_on_where_it_was_stopped(
    datadir: Path, genesis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part, whole, copy = tmp_path / "part", tmp_path / "whole", tmp_path / "copy"
    run_export(ExportOptions(datadir, part, None, 2, json=False))
    run_export(ExportOptions(datadir, whole, None, None, json=False))
    for file in (part, whole, whole):
        run_import(ImportOptions(copy, genesis, file, json=False))
    counts = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert counts == ["2", "2", "0"]
    assert head(copy) == head(datadir)


def test_what_was_good_stays_when_a_block_is_wrong(
    datadir: Path, genesis: Path, tmp_path: Path
) -> None:
    file, copy = tmp_path / "blocks.rlp", tmp_path / "copy"
    run_export(ExportOptions(datadir, file, None, 3, json=False))
    with open_chain() as chain:
        chain.extend(salt=1)
        file.write_bytes(file.read_bytes() + chain.extend().block.encode())
    with pytest.raises(InvalidBlock, match="parentHash"):
        run_import(ImportOptions(copy, genesis, file, json=False))
    assert head(copy)[0] == 3


def test_files_that_are_wrong(datadir: Path, genesis: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(InvalidInput, match="absent: cannot be read"):
        run_import(ImportOptions(tmp_path / "copy", genesis, absent, json=False))
    with pytest.raises(ConfigError, match="absent: cannot be read"):
        run_import(ImportOptions(tmp_path / "copy", absent, absent, json=False))
    with pytest.raises(ConfigError, match="no chain here"):
        run_export(ExportOptions(absent, tmp_path / "file", None, None, json=False))
    with pytest.raises(InvalidInput, match="cannot be written: No such file"):
        run_export(ExportOptions(datadir, absent / "file", None, None, json=False))
    with pytest.raises(ConfigError, match=r"--from, --to: expected"):
        run_export(ExportOptions(datadir, tmp_path / "file", 3, 2, json=False))


def test_a_wrong_file_is_code_1_and_one_line(
    datadir: Path, genesis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "text"
    file.write_text("these are no blocks")
    command = ["import", "--datadir", str(datadir), "--genesis", str(genesis), str(file)]
    assert run(command) == 1
    assert capsys.readouterr().err == ("openrollup: block at offset 0: expected a list, got 0x74\n")
