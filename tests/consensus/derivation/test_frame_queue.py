"""Frames: parsing, and the pruning of Holocene."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.frame import ChannelId, Frame, encode_batcher_data
from consensus.derivation.frame_queue import prune_frames
from consensus.derivation.outcomes import Drained
from tests.consensus.derivation.stages import Stages, make_stages
from tests.consensus.rollup import batcher_transaction, publish, rollup_config
from tests.fakes.l1_source import FakeL1, Included


def frame(name: str) -> Frame:
    """Return a frame by a name like A0 or A2! (the last of its channel)."""
    return Frame(ChannelId(name[0].encode() * 16), int(name[1]), b"", name.endswith("!"))


def frames(names: str) -> list[Frame]:
    return [frame(name) for name in names.split()]


def names(items: list[Frame]) -> str:
    return " ".join(f"{chr(f.channel_id[0])}{f.number}{'!' if f.is_last else ''}" for f in items)


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def stages(l1: FakeL1) -> Stages:
    return make_stages(rollup_config(l1), l1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("A0 A1 A2!", "A0 A1 A2!"),
        ("A2! A1 A0", "A2!"),
        ("A0 A1 A0 A2!", "A0 A1 A2!"),
        ("A0 A1 A1 A2!", "A0 A1 A2!"),
        ("A0 A2 A1", "A0 A1"),
        ("A0! A1", "A0!"),
        ("A1 A2!", "A1 A2!"),
        ("A0 A1 B0 B1!", "B0 B1!"),
        ("A0 A1! B0 B1!", "A0 A1! B0 B1!"),
        ("A0 B1 A1!", "A0 A1!"),
        ("A0 B0 A1!", "B0"),
        ("A0 B0 C0 C1!", "C0 C1!"),
        ("A1! B0 B1 C0!", "A1! C0!"),
        ("A0! A0 A1!", "A0!"),
    ],
)
def test_pruning(before: str, after: str) -> None:
    assert names(prune_frames(frames(before))) == after


def pairwise_pruned(items: list[Frame]) -> list[Frame]:
    """The rule as the specification words it: compare neighbours until nothing changes."""
    kept = list(items)
    while (index := _first_offence(kept)) is not None:
        del kept[index]
    return kept


def _first_offence(kept: list[Frame]) -> int | None:
    for i in range(len(kept) - 1):
        current, following = kept[i], kept[i + 1]
        if current.channel_id == following.channel_id:
            if current.is_last or following.number != current.number + 1:
                return i + 1
        elif following.number != 0:
            return i + 1
        elif not current.is_last:
            return i
    return None


@given(
    st.lists(
        st.builds(
            Frame,
            st.sampled_from([ChannelId(b"A" * 16), ChannelId(b"B" * 16)]),
            st.integers(0, 2),
            st.just(b""),
            st.booleans(),
        ),
        max_size=9,
    )
)
def test_pruning_is_the_pairwise_rule(items: list[Frame]) -> None:
    assert prune_frames(items) == pairwise_pruned(items)


def test_numbers_wrap_behind_the_highest_frame() -> None:
    channel = ChannelId(b"A" * 16)
    top, first = Frame(channel, 65535, b"", False), Frame(channel, 0, b"", True)
    assert prune_frames([top, first]) == [top, first]
    assert prune_frames([Frame(channel, 65535, b"", True), first]) == [
        Frame(channel, 65535, b"", True)
    ]


async def drain(stages: Stages) -> str:
    found = []
    while not isinstance(item := await stages.frames.next_frame(), Drained):
        found.append(item)
    return names(found)


async def test_only_frames_of_one_transaction_are_compared(l1: FakeL1, stages: Stages) -> None:
    l1.mine(publish(frames("A0 A1")), publish(frames("A1 B0")), publish(frames("A2!")))
    await stages.traversal.advance()
    assert await drain(stages) == "A0 A1 B0 A2!"


async def test_transactions_that_do_not_parse_are_dropped_whole(l1: FakeL1, stages: Stages) -> None:
    good = encode_batcher_data(frames("A0"))
    l1.mine(
        Included(batcher_transaction(good + b"garbage")),
        Included(batcher_transaction(b"")),
        Included(batcher_transaction(b"\x01" + good[1:])),
        Included(batcher_transaction(good)),
    )
    await stages.traversal.advance()
    assert await drain(stages) == "A0"


async def test_reset(l1: FakeL1, stages: Stages) -> None:
    l1.mine(publish(frames("A0 A1")))
    await stages.traversal.advance()
    assert await stages.frames.next_frame() == frame("A0")
    stages.frames.reset(stages.start)
    assert stages.frames.current_l1 == l1.genesis
    assert await drain(stages) == ""
    await stages.traversal.advance()
    assert await drain(stages) == "A0 A1"
