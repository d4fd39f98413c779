"""A channel of one span batch in the making."""

import pytest

from consensus.batcher.span_writer import SpanWriter
from consensus.codec.batch import SingularBatch
from consensus.codec.channel import ChannelFull, read_batches
from consensus.codec.frame import ChannelId
from consensus.codec.span_batch import span_of
from consensus.config import MAX_RLP_BYTES
from node.errors import InvalidInput
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, keccak256
from tests.consensus.rollup import rollup_config, user_transaction
from tests.fakes.l1_source import FakeL1

CONFIG = rollup_config(FakeL1())


def batch(index: int, *transactions: bytes) -> SingularBatch:
    timestamp = CONFIG.genesis.l2_time + CONFIG.block_time * (index + 1)
    epoch = BlockRef(keccak256(b"epoch"), BlockNumber(100))
    return SingularBatch(keccak256(b"parent %d" % index), epoch, timestamp, transactions)


def writer() -> SpanWriter:
    return SpanWriter(ChannelId(bytes(16)), CONFIG, first_opens_epoch=True)


def test_what_is_taken_back_leaves_no_trace() -> None:
    one, two = writer(), writer()
    first, second = batch(0, user_transaction(0)), batch(1, user_transaction(1))
    one.add(first)
    two.add(first)
    two.add(second)
    assert two.rlp_bytes > one.rlp_bytes
    assert two.compressed_size() > one.compressed_size()
    two.take_back()
    assert two.rlp_bytes == one.rlp_bytes
    assert two.frames(1000) == one.frames(1000)
    with pytest.raises(InvalidInput, match="two blocks at least"):
        two.take_back()


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
