"""A channel of one span batch in the making."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.batcher.span_writer import SpanWriter
from consensus.codec.batch import SingularBatch
from consensus.codec.channel import ChannelFull, ChannelWriter, read_batches
from consensus.codec.frame import ChannelId, Frame
from consensus.codec.span_batch import span_of
from consensus.config import MAX_RLP_BYTES
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, keccak256
from tests.consensus.rollup import rollup_config, user_transaction
from tests.consensus.rollup_node import user_transfer
from tests.fakes.l1_source import FakeL1

CONFIG = rollup_config(FakeL1())


def batch(index: int, *transactions: bytes) -> SingularBatch:
    timestamp = CONFIG.genesis.l2_time + CONFIG.block_time * (index + 1)
    epoch = BlockRef(keccak256(b"epoch"), BlockNumber(100))
    return SingularBatch(keccak256(b"parent %d" % index), epoch, timestamp, transactions)


def writer(max_bytes: int = 10**6) -> SpanWriter:
    return SpanWriter(ChannelId(bytes(16)), CONFIG, max_bytes, first_opens_epoch=True)


def written(batches: list[SingularBatch]) -> int:
    """Return the bytes of a channel of these blocks."""
    made = writer()
    for item in batches:
        made.add(item)
    return sum(len(frame.data) for frame in made.frames(500))


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 1500)), min_size=1, max_size=60),
    st.integers(100, 20_000),
    st.randoms(),
)
def test_it_takes_what_fits_and_leaves_no_trace_of_the_rest(
    kinds: list[tuple[bool, int]], max_bytes: int, chance: random.Random
) -> None:
    """Of data that compresses well, not at all, or now so and then so."""
    made, batches = writer(max_bytes), []
    for index, (is_noise, size) in enumerate(kinds):
        data = chance.randbytes(size) if is_noise else bytes(size)
        batches.append(batch(index, user_transfer(index, data=data)))
        made.add(batches[-1])
        if made.fill():
            break
    else:
        return
    kept = made.block_count
    size = written(batches[:kept])
    assert made.frames(500) == _frames(batches[:kept])
    assert size < max_bytes or kept == 1
    is_filled = size >= max_bytes - max_bytes // 256
    assert is_filled or written(batches[: kept + 1]) >= max_bytes


def _frames(batches: list[SingularBatch]) -> tuple[Frame, ...]:
    made = writer()
    for item in batches:
        made.add(item)
    return made.frames(500)


@pytest.mark.parametrize("size", [0, 300, 3000])
def test_it_is_compressed_a_few_times_only(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However well the data compresses, and however small the blocks are."""
    made, close = writer(6_000), ChannelWriter.close
    closed: list[ChannelWriter] = []

    def counted(self: ChannelWriter) -> bytes:
        closed.append(self)
        return close(self)

    monkeypatch.setattr(ChannelWriter, "close", counted)
    index = 0
    while not made.fill():
        made.add(batch(index, user_transfer(index, data=bytes(size))))
        index += 1
    made.frames(1000)
    assert made.rlp_bytes > 6_000
    assert len(closed) <= 12
    assert sum(writer.rlp_bytes for writer in closed) <= 6 * made.rlp_bytes


def test_its_size_is_hardly_underestimated() -> None:
    made = writer()
    batches = [batch(i, *(user_transaction(3 * i + k) for k in range(3))) for i in range(50)]
    for item in batches:
        made.add(item)
    span = span_of(batches, CONFIG, first_opens_epoch=True)
    assert len(span.encode()) <= made.rlp_bytes <= 1.2 * len(span.encode())
    (read,) = read_batches(b"".join(frame.data for frame in made.frames(500)))
    assert read == span


def test_full_where_readers_stop() -> None:
    made = writer()
    made.add(batch(0))
    with pytest.raises(ChannelFull, match=f"at most {MAX_RLP_BYTES} bytes"):
        made.add(batch(1, bytes(MAX_RLP_BYTES)))
    made.add(batch(1, user_transaction(0)))
