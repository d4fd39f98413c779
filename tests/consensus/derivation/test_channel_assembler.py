"""Channels out of frames."""

import pytest

from consensus.codec.frame import MAX_FRAME_DATA, ChannelId, Frame
from consensus.config import CHANNEL_TIMEOUT, MAX_RLP_BYTES
from consensus.derivation.channel_assembler import FRAME_COST
from consensus.derivation.outcomes import Drained
from tests.consensus.derivation.stages import Stages, make_stages
from tests.consensus.rollup import publish, rollup_config
from tests.fakes.l1_source import FakeL1


def frame(name: str) -> Frame:
    """Return a frame whose data is its name: A0, or A2! for the last of its channel."""
    data = name[:2].encode()
    return Frame(ChannelId(name[0].encode() * 16), int(name[1]), data, name.endswith("!"))


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def stages(l1: FakeL1) -> Stages:
    return make_stages(rollup_config(l1), l1)


def mine(l1: FakeL1, names: str) -> None:
    """Put each frame into a transaction of its own, all in one L1 block."""
    l1.mine(*(publish([frame(name)]) for name in names.split()))


async def advance(stages: Stages) -> list[bytes]:
    """Return the channels that the next L1 block completes."""
    await stages.assembler.next_channel()
    await stages.traversal.advance()
    return await drain(stages)


async def drain(stages: Stages) -> list[bytes]:
    found = []
    while not isinstance(channel := await stages.assembler.next_channel(), Drained):
        found.append(channel)
    return found


@pytest.mark.parametrize(
    ("names", "channels"),
    [
        ("A0!", [b"A0"]),
        ("A0 A1 A2!", [b"A0A1A2"]),
        ("A2! A1 A0", []),
        ("A0 A1 A0 A2!", []),
        ("A0 A1 A1 A2!", [b"A0A1A2"]),
        ("A0 A2! A1 A2!", [b"A0A1A2"]),
        ("A1 A0 A1!", [b"A0A1"]),
        ("A0 B0! A1!", [b"B0"]),
        ("A0 B1 A1!", [b"A0A1"]),
        ("A0! A1! B0!", [b"A0", b"B0"]),
        ("A0 A1! A0 A1!", [b"A0A1", b"A0A1"]),
    ],
)
async def test_order(l1: FakeL1, stages: Stages, names: str, channels: list[bytes]) -> None:
    mine(l1, names)
    assert await advance(stages) == channels


async def test_over_several_l1_blocks(l1: FakeL1, stages: Stages) -> None:
    mine(l1, "A0")
    l1.mine_empty(3)
    mine(l1, "A1 A2!")
    found = [await advance(stages) for _ in range(5)]
    assert found == [[], [], [], [], [b"A0A1A2"]]


@pytest.mark.parametrize(("late", "channels"), [(0, [b"A0A1"]), (1, [])])
async def test_timeout(l1: FakeL1, stages: Stages, late: int, channels: list[bytes]) -> None:
    mine(l1, "A0")
    l1.mine_empty(CHANNEL_TIMEOUT - 1 + late)
    mine(l1, "A1!")
    for _ in range(CHANNEL_TIMEOUT + late):
        assert await advance(stages) == []
    assert await advance(stages) == channels


async def test_resubmission_after_a_timeout(l1: FakeL1, stages: Stages) -> None:
    mine(l1, "A0")
    l1.mine_empty(CHANNEL_TIMEOUT + 1)
    mine(l1, "A0 A1!")
    found = [await advance(stages) for _ in range(CHANNEL_TIMEOUT + 3)]
    assert found[-1] == [b"A0A1"]
    assert not any(found[:-1])


async def test_size_is_bounded(l1: FakeL1, stages: Stages) -> None:
    per_frame = MAX_FRAME_DATA + FRAME_COST
    fitting = MAX_RLP_BYTES // per_frame
    big = bytes(MAX_FRAME_DATA)
    large = [Frame(ChannelId(b"A" * 16), n, big, is_last=False) for n in range(fitting + 1)]
    last = Frame(ChannelId(b"A" * 16), fitting + 1, b"", is_last=True)
    for item in large:
        stages.assembler._add(item)
    assert stages.assembler._add(last) is None
    for item in large[:fitting]:
        stages.assembler._add(item)
    rest = MAX_RLP_BYTES - fitting * per_frame - FRAME_COST
    closing = Frame(ChannelId(b"A" * 16), fitting, bytes(rest), is_last=True)
    complete = stages.assembler._add(closing)
    assert complete is not None
    assert len(complete) == fitting * MAX_FRAME_DATA + rest


async def test_flush(l1: FakeL1, stages: Stages) -> None:
    mine(l1, "A0")
    mine(l1, "A1!")
    assert await advance(stages) == []
    stages.assembler.flush()
    assert await advance(stages) == []


async def test_reset(l1: FakeL1, stages: Stages) -> None:
    mine(l1, "A0 A1")
    mine(l1, "A2!")
    assert await advance(stages) == []
    stages.assembler.reset(stages.start)
    assert stages.assembler.current_l1 == l1.genesis
    found = [await advance(stages) for _ in range(2)]
    assert found == [[], [b"A0A1A2"]]
    await stages.traversal.advance()
    stages.assembler.reset(stages.start)
    mine(l1, "A2!")
    assert await drain(stages) == []
