from hypothesis import given
from hypothesis import strategies as st

from consensus.finality import L1_BLOCKS_KEPT, Derivation, FinalityTracker
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, keccak256


def _ref(layer: str, number: int) -> BlockRef:
    return BlockRef(keccak256(f"{layer}{number}".encode()), BlockNumber(number))


def _l1(number: int) -> BlockRef:
    return _ref("l1", number)


def _l2(number: int) -> BlockRef:
    return _ref("l2", number)


def test_nothing_is_final_at_first() -> None:
    assert FinalityTracker().final(_l1(1000)) is None


def test_the_last_block_of_an_l1_block_counts() -> None:
    tracker = FinalityTracker()
    for number, source in ((1, 10), (2, 10), (3, 10), (4, 12)):
        tracker.record(_l2(number), _l1(source))
    assert tracker.final(_l1(9)) is None
    assert tracker.final(_l1(10)) == Derivation(_l2(3), _l1(10))
    assert tracker.final(_l1(11)) == Derivation(_l2(3), _l1(10))
    assert tracker.final(_l1(12)) == Derivation(_l2(4), _l1(12))


def test_a_reset_forgets_what_lies_above() -> None:
    tracker = FinalityTracker()
    for number in range(1, 6):
        tracker.record(_l2(number), _l1(10 + number))
    tracker.reset(_l2(3), None)
    assert tracker.final(_l1(100)) == Derivation(_l2(3), _l1(13))
    tracker.reset(_l2(0), None)
    assert tracker.final(_l1(100)) is None


def test_a_restart_begins_with_the_stored_cursor() -> None:
    tracker = FinalityTracker()
    tracker.reset(_l2(7), _l1(20))
    assert tracker.final(_l1(19)) is None
    assert tracker.final(_l1(20)) == Derivation(_l2(7), _l1(20))


def test_memory_is_bounded() -> None:
    tracker = FinalityTracker()
    for number in range(3 * L1_BLOCKS_KEPT):
        tracker.record(_l2(number), _l1(number))
    assert len(tracker._derivations) == L1_BLOCKS_KEPT
    assert tracker.final(_l1(10**6)) == Derivation(
        _l2(3 * L1_BLOCKS_KEPT - 1), _l1(3 * L1_BLOCKS_KEPT - 1)
    )


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(0, 200))
def test_the_newest_block_at_or_below_is_found(steps: list[int], finalized: int) -> None:
    tracker = FinalityTracker()
    source, expected = 0, None
    for number, step in enumerate(steps, 1):
        source += step
        tracker.record(_l2(number), _l1(source))
        if source <= finalized:
            expected = Derivation(_l2(number), _l1(source))
    assert tracker.final(_l1(finalized)) == expected
