"""Blocks that go-ethereum made, imported by `openrollup l1`: the same hash at the end."""

from pathlib import Path

import pytest

from tests.integration.json_rpc import call
from tests.integration.processes import Process, json_line, openrollup

VECTORS = Path(__file__).parents[2] / "../shared/vectors/l1-prague"
HEAD = "0x514c48e760c62a38f91e011149b1b4a619bb3a7f750ec4430061bf19c3336635"


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors of a geth chain are not here")
def test_import_reaches_the_head_of_geth(tmp_path: Path) -> None:
    command = openrollup(
        *("l1", "--json", "--port", "0", "--datadir", tmp_path / "l1"),
        *("--genesis", VECTORS / "genesis.json", "--import", VECTORS / "chain.rlp"),
    )
    with Process(command) as l1:
        started = json_line(l1.wait_for_line(lambda line: True))
        assert started["head"]["hash"] == HEAD
        block = call(started["l1"]["url"], "eth_getBlockByNumber", "latest", False)
        assert (block["hash"], int(block["number"], 16)) == (HEAD, 20)
        assert l1.stop() == 0
