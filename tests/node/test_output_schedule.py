"""Which output covers which block."""

from hypothesis import given
from hypothesis import strategies as st

from node.output_schedule import OutputSchedule
from node.types.primitives import BlockNumber


def test_the_first_outputs() -> None:
    schedule = OutputSchedule(BlockNumber(100), 10)
    assert [schedule.block_of(index) for index in range(3)] == [110, 120, 130]
    covered = [(101, 0), (110, 0), (111, 1), (120, 1), (121, 2)]
    assert [(block, schedule.index_for(BlockNumber(block))) for block, _ in covered] == covered


@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(0, 10_000))
def test_it_is_the_first_at_or_after_the_block(start: int, interval: int, block: int) -> None:
    schedule = OutputSchedule(BlockNumber(start), interval)
    index = schedule.index_for(BlockNumber(block))
    assert index >= 0
    assert schedule.block_of(index) == schedule.block_for(BlockNumber(block)) >= block
    assert index == 0 or schedule.block_of(index - 1) < block
