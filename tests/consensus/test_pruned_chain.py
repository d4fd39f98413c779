"""Derivation on a store whose old blocks are pruned: it reads further back than it may change."""

from collections.abc import Iterator

import pytest

from consensus.config import CHANNEL_TIMEOUT
from node.clock import VirtualClock
from node.errors import PrunedHistory
from node.history import first_kept
from node.pruning import prune
from node.types.primitives import BlockNumber
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.l1_source import FakeL1

WINDOW = 2


@pytest.fixture
def verifier() -> Iterator[RollupNode]:
    l1 = FakeL1()
    config, genesis = make_genesis(l1, seq_window_size=WINDOW)
    node = RollupNode(l1, config, genesis, VirtualClock(l1.genesis.timestamp))
    yield node
    node.close()


def prune_up_to_the_finalized(node: RollupNode) -> int:
    """Let nothing below the finalized head be kept; return its number."""
    goal = node.reader.heads().finalized.number
    first = 0
    while first < goal:
        with node.database.write() as tx:
            prune(tx, goal)
            first = first_kept(tx)
    return first


async def test_a_restarted_verifier_finds_where_channels_begin(verifier: RollupNode) -> None:
    l1 = verifier.l1
    l1.mine_empty(CHANNEL_TIMEOUT + WINDOW + 5)
    await verifier.derive()
    safe = verifier.reader.heads().safe
    verifier.engine.set_heads(finalized=safe)
    before = await verifier.l2.ref_by_hash(safe.hash)
    first = prune_up_to_the_finalized(verifier)
    assert first == safe.number

    again = RollupNode(l1, verifier.config, verifier.genesis, verifier.clock, verifier.database)
    assert await again.l2.ref_by_hash(safe.hash) == before
    with pytest.raises(PrunedHistory):
        again.reader.block_by_number(BlockNumber(first - 1))
    await again.deriver.reset()
    assert again.reader.heads() == verifier.reader.heads()
    l1.mine_empty(3)
    derived = await again.derive()
    assert derived[0].parent_hash == safe.hash
    assert again.deriver.current_l1 is not None
    # It began a channel timeout earlier, with the origin of a block that is pruned.
    old = again.reader.header_by_number(BlockNumber(1))
    assert old is not None
    assert (await again.l2.ref_by_hash(old.hash)).number == 1
