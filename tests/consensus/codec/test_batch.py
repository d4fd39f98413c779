"""Singular batches: both directions, and hostile bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.batch import SingularBatch
from consensus.codec.channel import UnsupportedBatch, decode_batch
from node.errors import DecodingError
from node.types.block import BlockRef
from node.types.primitives import BlockNumber, Hash32
from node.types.rlp_codec import RlpItem, encode, encode_uint

HASHES = st.binary(min_size=32, max_size=32).map(Hash32)
UINT64 = st.integers(0, 2**64 - 1)
BATCHES = st.builds(
    SingularBatch,
    HASHES,
    st.builds(BlockRef, HASHES, UINT64.map(BlockNumber)),
    UINT64,
    st.lists(st.binary(max_size=80), max_size=4).map(tuple),
)


@given(BATCHES)
def test_round_trip(batch: SingularBatch) -> None:
    raw = batch.encode()
    assert decode_batch(raw) == batch
    assert decode_batch(raw).encode() == raw


@given(BATCHES, st.binary(min_size=1, max_size=9))
def test_bytes_behind_the_list_are_ignored(batch: SingularBatch, rest: bytes) -> None:
    assert decode_batch(batch.encode() + rest) == batch


@given(st.binary(max_size=300))
def test_hostile_bytes(data: bytes) -> None:
    for candidate in (data, b"\x00" + data):
        try:
            decode_batch(candidate)
        except DecodingError:
            continue


@given(BATCHES, st.data())
def test_damaged_batches(batch: SingularBatch, data: st.DataObject) -> None:
    raw = bytearray(batch.encode())
    raw[data.draw(st.integers(1, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decode_batch(bytes(raw))
    except DecodingError as error:
        assert "expected" in str(error) or "RLP" in str(error) or "leading" in str(error)


@pytest.mark.parametrize("kind", [2, 0x7F, 0xFF])
def test_other_types_are_named(kind: int) -> None:
    with pytest.raises(UnsupportedBatch, match=f"expected 0 or 1, got {kind}"):
        decode_batch(bytes([kind]) + b"whatever")


def _encoded(**changes: RlpItem) -> bytes:
    fields: dict[str, RlpItem] = {
        "parent": bytes(32),
        "epoch_number": encode_uint(7),
        "epoch_hash": bytes(32),
        "timestamp": encode_uint(9),
        "transactions": [b"\x02"],
    }
    fields.update(changes)
    return b"\x00" + encode(list(fields.values()))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "expected a type byte"),
        (b"\x00", "input ends"),
        (b"\x00" + encode(b"no list"), "expected a list"),
        (b"\x00" + encode([bytes(32), b"", bytes(32), b""]), "expected 5 items, got 4"),
        (b"\x00" + encode([bytes(32), b"", bytes(32), b"", [], b""]), "expected 5 items, got more"),
        (_encoded(parent=bytes(31)), "parent_hash: expected 32 bytes, got 31"),
        (_encoded(epoch_number=b"\x00\x01"), "leading zeros"),
        (_encoded(epoch_hash=bytes(33)), "epoch_hash: expected 32 bytes, got 33"),
        (_encoded(timestamp=bytes([1] * 9)), "timestamp: expected at most 64 bits"),
        (_encoded(transactions=b""), "expected a list"),
        (_encoded(transactions=[[b"\x02"]]), "transaction: expected bytes, got a list"),
        (_encoded(parent=[b"\x02"]), "parent_hash: expected bytes, got a list"),
    ],
)
def test_refusals(raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        decode_batch(raw)
