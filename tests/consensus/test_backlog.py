"""A batcher that was away for long; `python -m tests.consensus.backlog` has ten thousand blocks."""

import pytest

from consensus.batcher.data_availability import Capacity, DataAvailability
from tests.consensus.backlog import Backlog


@pytest.mark.parametrize("place", list(DataAvailability))
async def test_a_backlog_drains_at_full_channel_size(place: DataAvailability) -> None:
    drained = await Backlog(place, Capacity(frame_bytes=2_000, channel_bytes=7_900)).run(120, 4)
    assert drained.transactions == 480
    assert drained.channels >= 3
    assert drained.channel_fill > 0.97
    # Two to be derived after the last one is posted, and as many as the data need.
    room = {DataAvailability.CALLDATA: 6, DataAvailability.BLOBS: 4}[place]
    assert drained.l1_blocks <= -(-len(drained.fill) // room) + 2
