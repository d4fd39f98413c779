"""Span batches: both directions, hostile counts, and one from a live network."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.batch import SingularBatch
from consensus.codec.byte_reader import encode_uvarint
from consensus.codec.channel import read_batches
from consensus.codec.span_batch import RawSpanBatch, SpanBlock, decode_span_batch, span_of
from consensus.config import RollupConfig
from node.errors import DecodingError, InvalidInput
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, keccak256
from node.types.transaction import decode_signed_transaction
from tests.consensus.rollup import rollup_config, user_transaction
from tests.fakes.l1_source import FakeL1

VECTORS = Path(__file__).parents[3] / "../shared/vectors/channels"
CONFIG = rollup_config(FakeL1())
POOL = [user_transaction(nonce) for nonce in range(6)]


def epoch(number: int) -> BlockRef:
    return BlockRef(keccak256(b"epoch %d" % number), BlockNumber(number))


@st.composite
def chains(draw: st.DrawFn) -> list[SingularBatch]:
    """Return the batches of consecutive blocks."""
    start, number = draw(st.integers(0, 2**40)), draw(st.integers(1, 2**40))
    batches = []
    for index in range(draw(st.integers(1, 20))):
        number += draw(st.integers(0, 1)) if index else 0
        transactions = tuple(draw(st.lists(st.sampled_from(POOL), max_size=3)))
        timestamp = CONFIG.genesis.l2_time + start + CONFIG.block_time * index
        parent = keccak256(b"parent %d" % index)
        batches.append(SingularBatch(parent, epoch(number), timestamp, transactions))
    return batches


@given(chains(), st.booleans(), st.binary(max_size=3))
def test_round_trip(batches: list[SingularBatch], opens: bool, rest: bytes) -> None:
    raw = span_of(batches, CONFIG, first_opens_epoch=opens)
    assert decode_span_batch(raw.encode() + rest) == raw
    span = raw.derive(CONFIG)
    assert raw.origin_bits & 1 == opens
    assert span.parent_check == batches[0].parent_hash[:20]
    assert span.l1_origin_check == batches[-1].epoch.hash[:20]
    assert (span.first_epoch, span.last_epoch) == (
        batches[0].epoch.number,
        batches[-1].epoch.number,
    )
    assert span.last_timestamp == batches[-1].timestamp
    expected = [SpanBlock(b.epoch.number, b.timestamp, b.transactions) for b in batches]
    for first in range(len(batches)):
        assert list(span.blocks(first)) == expected[first:]
        assert span.epoch_at(first) == batches[first].epoch.number


@given(chains(), st.data())
def test_damage(batches: list[SingularBatch], data: st.DataObject) -> None:
    raw = bytearray(span_of(batches, CONFIG, first_opens_epoch=False).encode())
    raw[data.draw(st.integers(1, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    del raw[data.draw(st.integers(1, len(raw))) :]
    try:
        span = decode_span_batch(bytes(raw)).derive(CONFIG)
    except DecodingError:
        return
    assert len(list(span.blocks(0))) == span.block_count


@given(st.binary(max_size=200))
def test_hostile_bytes(data: bytes) -> None:
    try:
        decode_span_batch(b"\x01" + data).derive(CONFIG)
    except DecodingError:
        return


PREFIX = b"\x01\x00\x07" + bytes(40)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x01", "relative timestamp: the input ends"),
        (b"\x01\x00", "L1 origin number: the input ends"),
        (b"\x01\x00\x07" + bytes(19), "parent check: expected 20 bytes, 19 are left"),
        (b"\x01\x00\x07" + bytes(39), "L1 origin check: expected 20 bytes, 19 are left"),
        (PREFIX, "block count: the input ends"),
        (PREFIX + b"\x00", "block count: expected 1 to 10000000, got 0"),
        (PREFIX + encode_uvarint(10_000_001), "got 10000001"),
        (PREFIX + encode_uvarint(2**64 - 1), "got 18446744073709551615"),
        (PREFIX + b"\x01", "origin bits: expected 1 bytes, 0 are left"),
        (PREFIX + b"\x01\x02", "origin bits: expected 1 bits, got 2"),
        (PREFIX + b"\x01\x00", "transaction count: the input ends"),
        (PREFIX + b"\x01\x00" + encode_uvarint(10_000_001), "at most 10000000, got 10000001"),
        (PREFIX + b"\x02\x00" + encode_uvarint(2**63) * 2, "at most 10000000"),
        (PREFIX + b"\x01\x00" + encode_uvarint(10_000_000), "contract creation bits: expected"),
    ],
)
def test_refusals(raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        decode_span_batch(raw)


def one(number: int = 5, index: int = 0) -> SingularBatch:
    timestamp = CONFIG.genesis.l2_time + CONFIG.block_time * index
    return SingularBatch(keccak256(b"parent"), epoch(number), timestamp, ())


def test_what_is_no_span() -> None:
    with pytest.raises(InvalidInput, match="expected one block at least"):
        span_of([], CONFIG, first_opens_epoch=False)
    with pytest.raises(InvalidInput, match="expected a block at"):
        span_of([one(), one()], CONFIG, first_opens_epoch=False)
    with pytest.raises(InvalidInput, match="expected epoch 5 or the next, got 7"):
        span_of([one(), one(7, 1)], CONFIG, first_opens_epoch=False)


def test_numbers_wrap_at_64_bits() -> None:
    raw = span_of([one(), one(6, 1), one(7, 2)], CONFIG, first_opens_epoch=False)
    span = replace(raw, last_epoch=1, relative_timestamp=2**64 - 1).derive(CONFIG)
    assert span.first_epoch == 2**64 - 1
    assert span.first_timestamp == CONFIG.genesis.l2_time - 1


def test_many_blocks_are_made_one_by_one() -> None:
    count = 1_000_000
    bits = bytes((count + 7) // 8)
    raw = decode_span_batch(PREFIX + encode_uvarint(count) + bits + bytes(count))
    span = raw.derive(CONFIG)
    assert next(span.blocks(count - 1)).timestamp == span.last_timestamp


def test_real_span() -> None:
    path = VECTORS / "op-mainnet-channel.hex.gz"
    if not path.exists():
        pytest.skip("the vectors of the OP Stack's networks are not at hand")
    channel = bytes.fromhex(gzip.decompress(path.read_bytes()).decode().strip().removeprefix("0x"))
    (raw,) = read_batches(channel)
    assert isinstance(raw, RawSpanBatch)
    config = op_mainnet()
    span = raw.derive(config)
    assert (span.block_count, len(span.transactions)) == (143, 1766)
    kinds = {decode_signed_transaction(tx).type for tx in span.transactions}
    assert kinds == {0, 1, 2}
    blocks = list(span.blocks(0))
    assert span.first_epoch <= span.last_epoch
    singular = [
        SingularBatch(keccak256(b""), epoch(b.epoch_number), b.timestamp, b.transactions)
        for b in blocks
    ]
    again = span_of(singular, config, first_opens_epoch=bool(raw.origin_bits & 1))
    checks = {"parent_check": raw.parent_check, "l1_origin_check": raw.l1_origin_check}
    assert replace(again, **checks) == raw


def op_mainnet() -> RollupConfig:
    genesis = replace(CONFIG.genesis, l2_time=1686068903)
    return replace(CONFIG, genesis=genesis, block_time=2, l2_chain_id=10)
