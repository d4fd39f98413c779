"""Span batches as we read them, beside the second reading."""

import gzip
import zlib
from pathlib import Path

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.codec.batch import SingularBatch
from consensus.codec.span_batch import RawSpanBatch, decode_span_batch, span_of
from consensus.config import RollupConfig
from node.types.primitives import keccak256
from tests.consensus.codec.reference_span import read_span
from tests.consensus.codec.test_span_batch import CONFIG, epoch, op_mainnet
from tests.consensus.codec.test_span_transactions import FIELDS, KINDS, signed

REAL_CHANNEL = Path(__file__).parents[3] / "../shared/vectors/channels/op-mainnet-channel.hex.gz"


def assert_same(raw: RawSpanBatch, data: bytes, config: RollupConfig) -> None:
    ours = raw.derive(config)
    theirs = read_span(data, config.genesis.l2_time, config.block_time, config.l2_chain_id)
    blocks = list(ours.blocks(0))
    assert ours.parent_check == theirs.parent_check
    assert ours.l1_origin_check == theirs.l1_origin_check
    assert [block.timestamp for block in blocks] == theirs.timestamps
    assert [block.epoch_number for block in blocks] == theirs.epochs
    assert [list(block.transactions) for block in blocks] == theirs.transactions


def test_a_span_of_a_live_network() -> None:
    if not REAL_CHANNEL.exists():
        pytest.skip("the vectors of the OP Stack's networks are not at hand")
    channel = bytes.fromhex(
        gzip.decompress(REAL_CHANNEL.read_bytes()).decode().strip().removeprefix("0x")
    )
    data = rlp.decode(zlib.decompress(channel))
    assert_same(decode_span_batch(data), data, op_mainnet())


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.lists(st.builds(signed, st.sampled_from(KINDS), FIELDS), max_size=3),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_spans_of_all_kinds(blocks: list[tuple[int, list[bytes]]]) -> None:
    batches, number = [], 1000
    for index, (step, transactions) in enumerate(blocks):
        number += step
        timestamp = CONFIG.genesis.l2_time + CONFIG.block_time * index
        parent = keccak256(b"parent %d" % index)
        batches.append(SingularBatch(parent, epoch(number), timestamp, tuple(transactions)))
    raw = span_of(batches, CONFIG, first_opens_epoch=bool(blocks[0][0]))
    assert_same(raw, raw.encode(), CONFIG)
