"""Output roots: the vector of op-node's unit tests, and blocks before and after Isthmus."""

from dataclasses import replace

import pytest

from node.config import ChainConfig
from node.engine import Engine
from node.errors import CorruptStore
from node.genesis.dev_chains import l2_genesis
from node.output_root import Output, output_of
from node.reader import Reader
from node.storage.database import Database
from node.types.primitives import ZERO_HASH, Hash32

PARTS = [Hash32(bytes(parts) + bytes(29)) for parts in ((1, 2, 3), (4, 5, 6), (7, 8, 9))]


def test_the_known_vector() -> None:
    output = Output(*PARTS)
    assert output.fields == (ZERO_HASH, *PARTS)
    assert output.root.hex() == "ee71f7339a6143212e6df5c2581f5c4ca193245c178176e6a025ab983843f0e6"


@pytest.mark.parametrize("part", ["state_root", "storage_root", "block_hash"])
def test_each_part_counts(part: str) -> None:
    output = Output(*PARTS)
    assert replace(output, **{part: ZERO_HASH}).root != output.root


def test_of_a_block_with_and_without_the_root_in_its_header() -> None:
    genesis = l2_genesis(chain_id=901, timestamp=1_700_000_000)
    database = Database.open(None)
    try:
        engine = Engine(database, genesis.config)
        engine.initialise(genesis)
        isthmus = Reader(database, genesis.config)
        header = isthmus.head_header()
        output = output_of(isthmus, header)
        assert (output.state_root, output.block_hash) == (header.state_root, header.hash)
        assert output.storage_root == header.withdrawals_root
        before = Reader(database, _before_prague(genesis.config))
        assert output_of(before, header) == output
        without = replace(header, state_root=Hash32(b"\x11" * 32))
        with pytest.raises(CorruptStore):
            output_of(before, without)
    finally:
        database.close()


def _before_prague(config: ChainConfig) -> ChainConfig:
    return replace(config, prague_time=None)
