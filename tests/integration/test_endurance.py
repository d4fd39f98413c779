"""The endurance run in small, and what it judges by."""

from pathlib import Path

import pytest

from tests.integration.endurance.figures import MOST_L1_BLOCKS_BEHIND, MOST_MEMORY_MIB, Figures
from tests.integration.endurance.ledger import Ledger, ShownBlock, ShownHeads, TakenBack, TornRead
from tests.integration.endurance.plan import Plan
from tests.integration.endurance.run import Endurance


async def test_traffic_reorgs_and_restarts(tmp_path: Path) -> None:
    """Too short for the lag that is demanded: all of it is right after something."""
    plan = Plan(
        duration_s=10,
        reorg_every_s=5,
        restart_every_s=6,
        deepest_reorg=3,
        l1_block_time_s=1,
        finalized_distance=4,
    )
    figures = Figures()
    await Endurance(plan, tmp_path, figures).run()
    print(figures.table())
    assert figures.broken_demands() == []
    assert figures.is_complete
    assert figures.reorg_depths
    assert figures.events
    assert figures.derived_again is not None
    assert figures.ledger.final_transactions


def block(number: int, branch: str = "a", *, on: str = "a", transactions: str = "") -> ShownBlock:
    """A block of a branch, on a block of the same or another one; one letter a transaction."""
    return ShownBlock(number, f"{branch}{number}", f"{on}{number - 1}", tuple(transactions))


@pytest.fixture
def ledger() -> Ledger:
    """Three blocks shown, the first of which is final and the second safe."""
    ledger = Ledger()
    blocks = [block(1, transactions="x"), block(2, transactions="y"), block(3, transactions="zw")]
    assert ledger.see(blocks, ShownHeads(3, 2, 1)).is_empty
    return ledger


def test_what_was_final_is_kept(ledger: Ledger) -> None:
    assert (ledger.first_open, ledger.blocks, ledger.transactions) == (2, 3, 4)
    assert ledger.final_blocks == {1: "a1"}
    assert ledger.final_transactions == {"x": "a1"}
    more = [block(2, transactions="y"), block(3, transactions="zw"), block(4)]
    assert ledger.see(more, ShownHeads(4, 4, 3)).is_empty
    assert ledger.final_blocks == {1: "a1", 2: "a2", 3: "a3"}
    assert set(ledger.final_transactions) == set("xyzw")


def test_blocks_that_are_replaced_are_counted_and_their_transactions_followed(
    ledger: Ledger,
) -> None:
    replaced = [block(2, "b", on="a", transactions="w"), block(3, "b", on="b")]
    assert ledger.see(replaced, ShownHeads(3, 1, 1)) == TakenBack(unsafe_blocks=1, safe_blocks=1)
    assert (ledger.homeless, ledger.returned) == (frozenset("yz"), 1)
    longer = [*replaced, block(4, "b", on="b", transactions="yz")]
    assert ledger.see(longer, ShownHeads(4, 2, 1)).is_empty
    assert (ledger.homeless, ledger.returned) == (frozenset(), 3)
    assert ledger.block_hash(2) == "b2"


def test_what_a_restart_took_is_told_from_what_was_lost(ledger: Ledger) -> None:
    shorter = [block(2, transactions="y")]
    ledger.see(shorter, ShownHeads(2, 2, 1))
    assert ledger.lost == {"z", "w"}
    ledger.note_restart()
    assert ledger.lost == frozenset()
    # Taken back before the process ended, and seen only now.
    ledger.see([block(2, "b", on="a", transactions="z")], ShownHeads(2, 1, 1))
    assert (ledger.homeless, ledger.lost) == ({"w", "y"}, frozenset())
    # The pool is a new one: what is taken back from now on has no excuse.
    ledger.see([block(2, "c", on="a")], ShownHeads(2, 1, 1))
    assert (ledger.homeless, ledger.lost) == ({"w", "y", "z"}, {"z"})


def test_a_shorter_chain_takes_blocks_back(ledger: Ledger) -> None:
    shorter = [block(2, transactions="y")]
    assert ledger.see(shorter, ShownHeads(2, 2, 1)) == TakenBack(unsafe_blocks=1)
    assert ledger.homeless == {"z", "w"}


@pytest.mark.parametrize(
    ("blocks", "heads"),
    [
        ([block(2)], ShownHeads(3, 2, 1)),
        ([block(3)], ShownHeads(3, 2, 1)),
        ([block(2), block(3, "b", on="b")], ShownHeads(3, 2, 1)),
        ([block(2, "b", on="b")], ShownHeads(2, 2, 1)),
        ([block(2), block(3)], ShownHeads(3, 2, 0)),
        ([block(2), block(3)], ShownHeads(3, 1, 2)),
    ],
)
def test_what_was_read_while_it_changed_is_not_believed(
    ledger: Ledger, blocks: list[ShownBlock], heads: ShownHeads
) -> None:
    with pytest.raises(TornRead):
        ledger.see(blocks, heads)
    assert ledger.block_hash(3) == "a3"


def test_demands() -> None:
    figures = Figures()
    assert figures.broken_demands() == []
    assert "Not finished; all demands hold so far." in figures.table()
    figures.is_complete = True
    assert figures.table().endswith("All demands hold.")
    figures.disturbed_lag.append(MOST_L1_BLOCKS_BEHIND + 5)
    figures.settled_lag.append(MOST_L1_BLOCKS_BEHIND)
    figures.memory_mib.append(MOST_MEMORY_MIB - 1)
    figures.longest_pause_s = 30.0
    assert figures.broken_demands() == []
    figures.most_lag_disturbed = MOST_L1_BLOCKS_BEHIND + 5
    assert figures.broken_demands() == []
    figures.most_lag_disturbed = MOST_L1_BLOCKS_BEHIND
    (broken_demand,) = figures.broken_demands()
    assert "15 L1 blocks behind after a reorg or restart, at most 10 demanded" in broken_demand
    figures.most_lag_disturbed = None
    figures.settled_lag.append(MOST_L1_BLOCKS_BEHIND + 1)
    figures.memory_mib.append(MOST_MEMORY_MIB)
    figures.longest_pause_s = 30.5
    figures.add_problem("divergence")
    figures.add_problem("divergence")
    broken = figures.broken_demands()
    assert broken[0] == "divergence"
    assert [text.split()[0] for text in broken] == ["divergence", "the", "1024", "no"]
    assert all(f"- {text}" in figures.table() for text in broken)
