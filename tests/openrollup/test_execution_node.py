import json
from pathlib import Path

import pytest

from node import attribution_index
from node.config import AttributionConfig
from node.errors import ConfigError
from node.genesis import genesis_block, l1_dev_genesis, l2_genesis, read_genesis
from node.storage.database import Table
from node.types.primitives import Address
from openrollup.execution_node import GENESIS_FILE, ExecutionNode, StoredChain
from tests.node.chains import GENESIS, Chain, open_chain

OTHER = l1_dev_genesis(timestamp=GENESIS.timestamp + 1)


def test_a_new_store_holds_the_first_block_and_its_genesis_file(tmp_path: Path) -> None:
    with ExecutionNode.open(GENESIS, tmp_path) as node:
        first = genesis_block(GENESIS).block.header.ref
        assert node.reader.heads().unsafe == first
    assert read_genesis(tmp_path / GENESIS_FILE) == GENESIS


def test_in_memory_there_are_no_files() -> None:
    with ExecutionNode.open(GENESIS, None) as node:
        assert node.engine.heads.unsafe.number == 0


def test_the_pool_follows_the_chain() -> None:
    with ExecutionNode.open(GENESIS, None) as node, open_chain() as chain:
        payment = chain.transfer()
        node.mempool.add(payment.raw)
        node.engine.insert(chain.build(payment))
        assert len(node.mempool) == 0


def test_a_store_opens_again(tmp_path: Path) -> None:
    with ExecutionNode.open(GENESIS, tmp_path) as node, open_chain() as chain:
        node.engine.insert(chain.build())
    with ExecutionNode.open(GENESIS, tmp_path) as node:
        assert node.engine.heads.unsafe.number == 1


def test_another_chain_s_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    ExecutionNode.open(GENESIS, tmp_path).close()
    for _ in range(2):  # the refusal lets go of the store
        with pytest.raises(ConfigError, match="the store holds chain 900 with genesis block"):
            ExecutionNode.open(OTHER, tmp_path)
    assert read_genesis(tmp_path / GENESIS_FILE) == GENESIS
    ExecutionNode.open(GENESIS, tmp_path).close()


def test_a_kill_between_genesis_file_and_first_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dev chain's genesis depends on the time: what the file says must not be made anew."""

    def killed(self: object, genesis: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("node.engine.Engine.initialise", killed)
        ExecutionNode.open(GENESIS, tmp_path)
    with ExecutionNode.open(read_genesis(tmp_path / GENESIS_FILE), tmp_path) as node:
        assert node.engine.heads.unsafe.hash == genesis_block(GENESIS).block.hash


def test_a_genesis_file_without_a_chain_gives_way(tmp_path: Path) -> None:
    (tmp_path / GENESIS_FILE).write_text("{}")
    ExecutionNode.open(GENESIS, tmp_path).close()
    assert json.loads((tmp_path / GENESIS_FILE).read_text())


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with (
        ExecutionNode.open(GENESIS, tmp_path),
        pytest.raises(ConfigError, match="is in use by process"),
    ):
        ExecutionNode.open(GENESIS, tmp_path)


def test_a_dev_network_s_folder_stands_for_its_l2_chain(tmp_path: Path) -> None:
    ExecutionNode.open(GENESIS, tmp_path / "l2").close()
    ExecutionNode.open(OTHER, tmp_path / "l1").close()
    (tmp_path / GENESIS_FILE).write_text("for whoever starts a verifier")
    with StoredChain.open(tmp_path) as stored:
        assert stored.genesis == GENESIS
    with StoredChain.open(tmp_path / "l1") as stored:
        assert stored.genesis == OTHER


def test_a_folder_without_a_chain(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no chain here: expected genesis\.json or l2/genesis"):
        StoredChain.open(tmp_path / "absent")
    (tmp_path / GENESIS_FILE).write_text("{")
    with pytest.raises(ConfigError, match=r"genesis\.json: expected JSON"):
        StoredChain.open(tmp_path)


def test_files_of_a_rollup_are_no_chain(tmp_path: Path) -> None:
    ExecutionNode.open(GENESIS, tmp_path / "made").close()
    (tmp_path / GENESIS_FILE).write_bytes((tmp_path / "made" / GENESIS_FILE).read_bytes())
    with pytest.raises(ConfigError, match="there is no database in"):
        StoredChain.open(tmp_path)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, (1, 3)),
        (0, None, (0, 3)),
        (2, None, (2, 3)),
        (None, 2, (1, 2)),
        (3, 3, (3, 3)),
        (4, None, None),
        (None, 4, None),
        (3, 2, None),
        (-1, 2, None),
    ],
)
def test_block_range(
    tmp_path: Path, first: int | None, last: int | None, expected: tuple[int, int] | None
) -> None:
    with ExecutionNode.open(GENESIS, tmp_path) as node, open_chain() as chain:
        for _ in range(3):
            node.engine.insert(chain.extend())
    with StoredChain.open(tmp_path) as stored:
        if expected is None:
            with pytest.raises(ConfigError, match=r"--from, --to: expected 0 <= from <= to <= 3"):
                stored.block_range(first, last)
        else:
            assert stored.block_range(first, last) == expected


def test_a_chain_of_one_block_has_a_range(tmp_path: Path) -> None:
    ExecutionNode.open(GENESIS, tmp_path).close()
    with StoredChain.open(tmp_path) as stored:
        assert stored.block_range(None, None) == (0, 0)


def test_a_store_without_attribution_index_gets_one_when_it_opens(tmp_path: Path) -> None:
    genesis = l2_genesis(
        chain_id=901, timestamp=GENESIS.timestamp, attribution=AttributionConfig(0, 4, 2**20)
    )
    with ExecutionNode.open(genesis, tmp_path) as node:
        chain = Chain(node.database, node.engine, node.reader)
        for _ in range(3):
            chain.extend(chain.pay(Address(b"\x99" * 20), 5))
        with node.database.write() as tx:
            written = dict(tx.items(Table.ATTRIBUTION))
            attribution_index.end(tx)
            for key in written:
                tx.delete(Table.ATTRIBUTION, key)
    with ExecutionNode.open(genesis, tmp_path) as node, node.database.read() as snapshot:
        assert dict(snapshot.items(Table.ATTRIBUTION)) == written
        assert attribution_index.first_indexed(snapshot) == 1
