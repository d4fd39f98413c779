import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.sequencer.origin_selector import (
    NoOrigin,
    OriginChoice,
    choose_origin,
    confirmed,
)
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32, keccak256

DRIFT = 1800
BLOCK_TIME = 2


def _l1(number: int, timestamp: int) -> L1BlockRef:
    def name(n: int) -> Hash32:
        return keccak256(n.to_bytes(8, "big"))

    return L1BlockRef(name(number), BlockNumber(number), name(number - 1), timestamp)


def _l2(timestamp: int) -> L2BlockRef:
    origin = BlockRef(_l1(10, 0).hash, BlockNumber(10))
    return L2BlockRef(keccak256(b"l2"), BlockNumber(7), keccak256(b"p"), timestamp, origin, 3)


CURRENT = _l1(10, 1000)


@pytest.mark.parametrize(
    ("parent_time", "next_time", "expected"),
    [
        # The next origin is taken as soon as its time has come, and not before.
        (1008, 1012, "current"),
        (1009, 1012, "current"),
        (1010, 1012, "next"),
        (1011, 1012, "next"),
        (1500, 1012, "next"),
        # Unknown: the current one serves for the drift after its own time.
        (1010, None, "current"),
        (2798, None, "current"),
        (2799, None, "none"),
        (2800, None, "none"),
        # Known but later than the block: past the drift, deposits alone.
        (2798, 5000, "current"),
        (2799, 5000, "current, deposits only"),
        (4997, 5000, "current, deposits only"),
        (4998, 5000, "next"),
        # Even the next origin may be further back than the drift.
        (2810, 1012, "next"),
        (2811, 1012, "next, deposits only"),
    ],
)
def test_table(parent_time: int, next_time: int | None, expected: str) -> None:
    following = None if next_time is None else _l1(11, next_time)
    choice = choose_origin(
        _l2(parent_time), CURRENT, following, block_time=BLOCK_TIME, max_drift=DRIFT
    )
    if isinstance(choice, NoOrigin):
        assert expected == "none"
        return
    name = "current" if choice.origin == CURRENT else "next"
    assert expected == name + (", deposits only" if choice.deposits_only else "")


def test_without_an_origin_the_reason_is_told() -> None:
    choice = choose_origin(_l2(2800), CURRENT, None, block_time=BLOCK_TIME, max_drift=DRIFT)
    assert isinstance(choice, NoOrigin)
    assert "L1 block 11 is not known yet" in choice.reason


@given(
    st.integers(1000, 10_000), st.none() | st.integers(1001, 10_000), st.sampled_from([1, 2, 12])
)
def test_no_choice_breaks_the_rules_of_batches(
    parent_time: int, next_time: int | None, block_time: int
) -> None:
    following = None if next_time is None else _l1(11, next_time)
    choice = choose_origin(
        _l2(parent_time), CURRENT, following, block_time=block_time, max_drift=DRIFT
    )
    timestamp = parent_time + block_time
    if isinstance(choice, NoOrigin):
        assert following is None
        assert timestamp > CURRENT.timestamp + DRIFT
        return
    assert isinstance(choice, OriginChoice)
    assert choice.origin.timestamp <= timestamp
    assert choice.deposits_only == (timestamp > choice.origin.timestamp + DRIFT)
    if choice.deposits_only and choice.origin == CURRENT:
        # An empty batch past the drift must not stay behind an origin that it could adopt.
        assert following is not None
        assert timestamp < following.timestamp


@pytest.mark.parametrize(
    ("number", "head", "depth", "known"),
    [
        (11, 11, 0, True),
        (11, 11, 1, False),
        (11, 14, 4, False),
        (11, 15, 4, True),
        (11, 10, 0, False),
    ],
)
def test_confirmations(number: int, head: int, depth: int, known: bool) -> None:
    candidate = _l1(number, 0)
    assert confirmed(candidate, _l1(head, 0), depth) == (candidate if known else None)


def test_nothing_is_not_confirmed() -> None:
    assert confirmed(None, CURRENT, 0) is None
