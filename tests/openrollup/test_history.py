"""--history: what a bounded node leaves to replay, to export and to be started with again."""

import json
import logging
from pathlib import Path

import pytest

from node.errors import ConfigError
from openrollup.chain_files import ExportOptions, run_export
from openrollup.cli import run
from openrollup.execution_node import ExecutionNode, StoredChain
from tests.node.chains import GENESIS, open_chain

BLOCKS, KEPT = 10, 4
FIRST = BLOCKS - KEPT + 1


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """A chain of ten blocks, of which a node with --history 4 has kept the last."""
    path = tmp_path / "data"
    with ExecutionNode.open(GENESIS, path, kept_blocks=KEPT) as node, open_chain() as chain:
        for _ in range(BLOCKS):
            parent = chain.head().ref
            node.engine.insert(chain.extend(chain.transfer()), safe=parent, finalized=parent)
    return path


def test_replay_checks_what_can_be_executed(
    datadir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "--datadir", str(datadir), "--json"]) == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert (result["blocks"], result["equal"]) == (BLOCKS - FIRST, True)
    assert f"blocks before {FIRST + 1} cannot be executed: they are pruned" in shown.err


def test_replay_of_what_is_gone_is_refused(
    datadir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "--datadir", str(datadir), "--from", "3"]) == 2
    expected = f"--from: expected {FIRST + 1} or more, got 3: older blocks are pruned here"
    assert expected in capsys.readouterr().err


def test_an_export_has_all_blocks_or_names_the_first(datadir: Path, tmp_path: Path) -> None:
    file = tmp_path / "blocks.rlp"
    with pytest.raises(ConfigError, match=f"^--from: expected {FIRST} or more, got 1: older"):
        run_export(ExportOptions(datadir, file, None, None, json=False))
    assert not file.exists()
    assert run_export(ExportOptions(datadir, file, FIRST, None, json=False)) == 0
    assert file.exists()


@pytest.mark.parametrize(("kept_blocks", "is_told"), [(None, True), (5, True), (4, False)])
def test_a_node_that_wants_more_is_told_what_is_missing(
    datadir: Path, kept_blocks: int | None, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        ExecutionNode.open(GENESIS, datadir, kept_blocks=kept_blocks).close()
    assert (f"history begins with block {FIRST}: " in caplog.text) is is_told


def test_a_pruned_chain_is_still_the_same_chain(datadir: Path) -> None:
    with StoredChain.open(datadir) as stored:
        stored.check_state()
        assert stored.whole_blocks(FIRST, None) == (FIRST, BLOCKS)
        with pytest.raises(ConfigError, match="expected 0 <= from <= to <= 10"):
            stored.whole_blocks(FIRST, 11)
