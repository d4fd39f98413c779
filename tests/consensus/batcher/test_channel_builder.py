from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.batcher.channel_builder import (
    BatchType,
    ChannelBuilder,
    ChannelLimits,
    batch_of,
)
from consensus.codec.channel import read_batches
from consensus.codec.frame import ChannelId, decode_batcher_data
from consensus.codec.span_batch import span_of
from consensus.l1_info import L1Info, L1InfoLayout, l1_info_deposit
from node.errors import DecodingError, InvalidInput
from node.types.block import Block, BlockRef, Header
from node.types.deposit import make_deposit
from node.types.primitives import (
    EMPTY_BLOOM,
    EMPTY_TRIE_ROOT,
    ZERO_ADDRESS,
    ZERO_HASH,
    Address,
    BlockNumber,
    Hash32,
    keccak256,
)
from node.types.transaction import decode_transaction
from tests.consensus.rollup import rollup_config
from tests.consensus.rollup_node import user_transfer
from tests.fakes.l1_source import FakeL1

CHANNEL = ChannelId(b"channel id of 16")
CONFIG = rollup_config(FakeL1(timestamp=1000))


def _block(
    number: int, parent: Hash32, *, payload: bytes = b"", epoch: int = 50, place: int = 1
) -> Block:
    info = L1Info(
        l1_block=BlockRef(keccak256(b"l1"), BlockNumber(epoch)),
        timestamp=1000,
        base_fee=1,
        blob_base_fee=1,
        sequence_number=place,
        batcher=ZERO_ADDRESS,
        base_fee_scalar=0,
        blob_base_fee_scalar=0,
    )
    deposit = make_deposit(
        source_hash=keccak256(number.to_bytes(8, "big")),
        sender=Address(b"\x01" * 20),
        to=None,
        mint=1,
        value=0,
        gas=21_000,
        data=b"",
    )
    transactions = (
        l1_info_deposit(info, L1InfoLayout.ISTHMUS),
        deposit,
        decode_transaction(user_transfer(number, data=payload)),
    )
    header = Header(
        parent_hash=parent,
        coinbase=ZERO_ADDRESS,
        state_root=EMPTY_TRIE_ROOT,
        transactions_root=keccak256(b"".join(tx.raw for tx in transactions)),
        receipts_root=EMPTY_TRIE_ROOT,
        bloom=EMPTY_BLOOM,
        number=BlockNumber(number),
        gas_limit=30_000_000,
        gas_used=0,
        timestamp=1000 + 2 * number,
        extra_data=b"",
        prev_randao=ZERO_HASH,
        base_fee=1,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=None,
    )
    return Block(header, transactions)


def _blocks(payloads: list[bytes], *, first_place: int = 1) -> list[Block]:
    blocks: list[Block] = []
    parent = ZERO_HASH
    for index, payload in enumerate(payloads):
        place = first_place + index
        blocks.append(_block(index + 1, parent, payload=payload, place=place))
        parent = blocks[-1].hash
    return blocks


def _builder(
    limits: ChannelLimits | None = None,
    batch_type: BatchType = BatchType.SINGULAR,
    *,
    opened_at_l1: int = 60,
    window: int = 3600,
) -> ChannelBuilder:
    return ChannelBuilder(
        CHANNEL,
        replace(CONFIG, seq_window_size=window),
        limits or ChannelLimits(),
        batch_type,
        opened_at_l1=opened_at_l1,
        now=0.0,
    )


def _noise(size: int, seed: int) -> bytes:
    out = b""
    while len(out) < size:
        seed += 1
        out += keccak256(seed.to_bytes(8, "big"))
    return out[:size]


def test_a_batch_leaves_deposits_out() -> None:
    block = _block(1, ZERO_HASH)
    batch = batch_of(block)
    assert batch.transactions == (block.transactions[2].raw,)
    assert (batch.parent_hash, batch.timestamp) == (ZERO_HASH, 1002)
    assert batch.epoch == BlockRef(keccak256(b"l1"), BlockNumber(50))


def test_a_block_without_l1_attributes_is_refused() -> None:
    block = _block(1, ZERO_HASH)
    with pytest.raises(DecodingError, match="L1-attributes"):
        batch_of(Block(block.header, block.transactions[1:]))


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=12), st.integers(60, 3000))
def test_the_transactions_carry_the_blocks(payloads: list[bytes], size: int) -> None:
    blocks = _blocks(payloads)
    builder = _builder(ChannelLimits(max_frame_bytes=size))
    assert all(builder.add(block, 0.0) for block in blocks)
    channel = builder.close()
    assert (channel.first, channel.last) == (blocks[0].header.ref, blocks[-1].header.ref)
    assert all(len(data) <= size for data in channel.pieces)
    frames = [frame for data in channel.pieces for frame in decode_batcher_data(data)]
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert {frame.channel_id for frame in frames} == {CHANNEL}
    batches = list(read_batches(b"".join(frame.data for frame in frames)))
    assert batches == [batch_of(block) for block in blocks]


@given(
    st.lists(st.binary(max_size=2000), min_size=1, max_size=12),
    st.integers(60, 3000),
    st.booleans(),
)
def test_a_span_carries_the_blocks(payloads: list[bytes], size: int, opens: bool) -> None:
    blocks = _blocks(payloads, first_place=0 if opens else 1)
    builder = _builder(ChannelLimits(max_frame_bytes=size), BatchType.SPAN)
    assert all(builder.add(block, 0.0) for block in blocks)
    channel = builder.close()
    assert (channel.first, channel.last) == (blocks[0].header.ref, blocks[-1].header.ref)
    assert all(len(data) <= size for data in channel.pieces)
    frames = [frame for data in channel.pieces for frame in decode_batcher_data(data)]
    (span,) = read_batches(b"".join(frame.data for frame in frames))
    expected = span_of([batch_of(block) for block in blocks], CONFIG, first_opens_epoch=opens)
    assert span == expected


def test_a_span_leaves_the_block_that_would_overfill_it_to_the_next() -> None:
    builder = _builder(ChannelLimits(max_bytes=10_000), BatchType.SPAN)
    blocks = _blocks([_noise(1000, 1000 * i) for i in range(40)])
    taken = 0
    while builder.add(blocks[taken], 0.0):
        taken += 1
    assert builder.is_full
    assert builder.is_due(60, 0.0)
    assert 8 <= taken <= 10
    channel = builder.close()
    assert channel.last == blocks[taken - 1].header.ref
    assert 8_500 <= sum(map(len, channel.pieces)) <= 10_000


def test_a_full_span_gives_back_all_that_is_too_much() -> None:
    """What compresses well is measured seldom; then there comes what does not."""
    payloads = [bytes(1000)] * 60 + [_noise(1000, 1000 * i) for i in range(60)]
    blocks, builder = _blocks(payloads), _builder(ChannelLimits(max_bytes=10_000), BatchType.SPAN)
    taken = 0
    while builder.add(blocks[taken], 0.0):
        taken += 1
    assert builder.last is not None
    assert 60 < builder.last.number < taken
    channel = builder.close()
    assert channel.last == builder.last
    assert 8_500 <= sum(map(len, channel.pieces)) <= 10_000


def test_a_span_of_one_block_that_is_too_large() -> None:
    builder = _builder(ChannelLimits(max_bytes=500), BatchType.SPAN)
    (block,) = _blocks([_noise(1000, 1)])
    assert builder.add(block, 0.0)
    assert builder.is_full
    assert builder.close().last == block.header.ref


def test_full_by_size() -> None:
    builder = _builder(ChannelLimits(max_bytes=10_000))
    blocks = _blocks([_noise(1000, 1000 * i) for i in range(40)])
    taken = 0
    while not builder.is_full:
        assert builder.add(blocks[taken], 0.0)
        taken += 1
    assert 8 <= taken <= 11
    assert builder.is_due(60, 0.0)
    assert 10_000 <= sum(map(len, builder.close().pieces)) < 12_500


def test_data_that_compresses_well_fills_more_blocks() -> None:
    builder = _builder(ChannelLimits(max_bytes=10_000))
    for block in _blocks([bytes(1000)] * 40):
        assert builder.add(block, 0.0)
    assert not builder.is_full


def test_due_by_age_idleness_and_window() -> None:
    limits = ChannelLimits(max_age_l1_blocks=5, idle_s=4.0, window_margin=10)
    builder = _builder(limits)
    assert not builder.is_due(1000, 1000.0)
    builder.add(_blocks([b""])[0], 7.0)
    assert not builder.is_due(64, 10.9)
    assert builder.is_due(65, 7.0)
    assert builder.is_due(60, 11.0)
    # Epoch 50 with a window of 24: batches count up to L1 block 74.
    near = _builder(limits, opened_at_l1=61, window=24)
    near.add(_blocks([b""])[0], 7.0)
    assert not near.is_due(63, 7.0)
    assert near.is_due(64, 7.0)


def test_a_backlog_beyond_its_window_still_makes_channels_of_some_size() -> None:
    builder = _builder(opened_at_l1=5000, window=100)
    builder.add(_blocks([b""])[0], 0.0)
    assert not builder.is_due(5000, 0.0)
    assert builder.is_due(5001, 0.0)


def test_blocks_must_follow_each_other() -> None:
    builder = _builder()
    first, _, third = _blocks([b""] * 3)
    builder.add(first, 0.0)
    with pytest.raises(InvalidInput, match="expected the child of block 1"):
        builder.add(third, 0.0)


def test_an_empty_channel_cannot_be_closed() -> None:
    with pytest.raises(InvalidInput, match="at least one block"):
        _builder().close()
