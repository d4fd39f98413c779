"""Batches out of channels."""

from dataclasses import replace

import pytest

from consensus.codec.batch import SingularBatch
from consensus.codec.channel import split_into_frames
from consensus.codec.compression import Compression, ZlibCompressor
from consensus.codec.frame import ChannelId
from consensus.codec.span_batch import SPAN_BATCH, SpanBatch, span_of
from consensus.derivation.outcomes import Drained
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from node.types.rlp_codec import encode
from tests.consensus.derivation.stages import Stages, make_stages
from tests.consensus.rollup import make_channel, publish, rollup_config, user_transaction
from tests.fakes.l1_source import FakeL1, Included


def batch(timestamp: int) -> SingularBatch:
    zero = Hash32(bytes(32))
    return SingularBatch(zero, BlockRef(zero, BlockNumber(0)), timestamp, (user_transaction(0),))


def raw_channel(number: int, content: bytes) -> Included:
    """Put a channel with any content into a batcher transaction."""
    stream = ZlibCompressor(6)
    data = stream.process(content) + stream.finish()
    return publish(split_into_frames(ChannelId(number.to_bytes(16, "big")), data, 1000))


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def stages(l1: FakeL1) -> Stages:
    return make_stages(rollup_config(l1), l1)


async def drain(stages: Stages) -> list[int]:
    found = []
    while not isinstance(item := await stages.reader.next_batch(), Drained):
        found.append(item.first_timestamp if isinstance(item, SpanBatch) else item.timestamp)
    return found


async def advance(stages: Stages) -> list[int]:
    """Return the timestamps of the batches of the next L1 block."""
    await drain(stages)
    await stages.traversal.advance()
    return await drain(stages)


async def test_channels_one_after_the_other(l1: FakeL1, stages: Stages) -> None:
    l1.mine(
        publish(make_channel([batch(1), batch(2)], 1)),
        publish(make_channel([], 2)),
        publish(make_channel([batch(3)], 3, compression=Compression.ZLIB)),
    )
    assert await advance(stages) == [1, 2, 3]


@pytest.mark.parametrize(
    "rest",
    [
        encode(b""),
        encode(b"\x00garbage"),
        encode(b"\x09"),
        encode([b"list"]),
        b"\xb8",
        b"\xff" * 9,
    ],
)
async def test_what_does_not_decode_ends_its_channel_only(
    l1: FakeL1, stages: Stages, rest: bytes
) -> None:
    good, more = encode(batch(1).encode()), encode(batch(2).encode())
    l1.mine(raw_channel(1, good + rest + more), publish(make_channel([batch(3)], 2)))
    assert await advance(stages) == [1, 3]


async def test_span_batches(l1: FakeL1, stages: Stages) -> None:
    config = rollup_config(l1)
    good = span_of([batch(l1.genesis.timestamp)], config, first_opens_epoch=False)
    l1.mine(raw_channel(1, encode(good.encode()) + encode(batch(7).encode())))
    assert await advance(stages) == [l1.genesis.timestamp, 7]


async def test_a_span_batch_that_is_cut_off_ends_its_channel(l1: FakeL1, stages: Stages) -> None:
    span = encode(bytes([SPAN_BATCH]) + b"span")
    l1.mine(raw_channel(1, encode(batch(1).encode()) + span + encode(batch(2).encode())))
    assert await advance(stages) == [1]


async def test_a_span_batch_of_impossible_transactions_is_left_out_alone(
    l1: FakeL1, stages: Stages
) -> None:
    good = span_of([batch(l1.genesis.timestamp)], rollup_config(l1), first_opens_epoch=False)
    (data,) = good.transactions.datas
    bad = replace(good, transactions=replace(good.transactions, datas=(b"\x05" + data[1:],)))
    contents = b"".join(map(encode, (batch(1).encode(), bad.encode(), batch(2).encode())))
    l1.mine(raw_channel(1, contents))
    assert await advance(stages) == [1, 2]


async def test_channels_of_garbage(l1: FakeL1, stages: Stages) -> None:
    for number, data in enumerate([b"", b"\x02", b"\x78\x9cgarbage", b"\x01garbage", b"\x01"]):
        l1.mine(publish(split_into_frames(ChannelId(number.to_bytes(16, "big")), data, 1000)))
        assert await advance(stages) == []
    l1.mine(publish(make_channel([batch(3)], 2)))
    assert await advance(stages) == [3]


async def test_flush_drops_the_rest_of_the_channel(l1: FakeL1, stages: Stages) -> None:
    l1.mine(publish(make_channel([batch(1), batch(2)], 1)), publish(make_channel([batch(3)], 2)))
    await drain(stages)
    await stages.traversal.advance()
    first = await stages.reader.next_batch()
    assert first == batch(1)
    stages.reader.flush()
    assert await drain(stages) == [3]


async def test_reset(l1: FakeL1, stages: Stages) -> None:
    l1.mine(publish(make_channel([batch(1), batch(2)], 1)))
    await drain(stages)
    await stages.traversal.advance()
    assert await stages.reader.next_batch() == batch(1)
    stages.reader.reset(stages.start)
    assert stages.reader.current_l1 == l1.genesis
    assert await drain(stages) == []
    assert await advance(stages) == [1, 2]
