"""Recorded blocks stay what they are, whatever executes them."""

from pathlib import Path

import pytest

from openrollup.testing import replay

RECORDED = Path(__file__).parents[1] / "recorded"


@pytest.mark.replay("../recorded/chain.rlp", genesis="../recorded/genesis.json")
def test_recorded_block(replayed):
    assert replayed.gas_used > 0


def test_around_the_last_increment():
    tally = (RECORDED / "tally.txt").read_text().split()
    address, last = tally
    with replay(RECORDED / "chain.rlp", genesis=RECORDED / "genesis.json", upto=last) as stopped:
        assert stopped.receipt.status == 1
        assert [state.storage(address, 0) for state in (stopped.before, stopped.after)] == [2, 3]
