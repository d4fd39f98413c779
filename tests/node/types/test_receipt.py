"""Against py-evm's receipts and eth-bloom."""

import contextlib
from dataclasses import replace

import pytest
import rlp
from eth.rlp.logs import Log as ReferenceLog
from eth.rlp.receipts import Receipt as ReferenceReceipt
from eth_bloom import BloomFilter
from hypothesis import given
from hypothesis import strategies as st

from node.errors import DecodingError
from node.types.primitives import EMPTY_BLOOM, Address, Hash32
from node.types.receipt import Log, Receipt, bloom_bits, decode_receipt, logs_bloom
from node.types.rlp_codec import RlpItem
from node.types.transaction import DEPOSIT, LEGACY

LOGS = st.lists(
    st.builds(
        Log,
        st.binary(min_size=20, max_size=20).map(Address),
        st.lists(st.binary(min_size=32, max_size=32).map(Hash32), max_size=4).map(tuple),
        st.binary(max_size=100),
    ),
    max_size=4,
).map(tuple)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    kind = draw(st.sampled_from([0, 1, 2, 3, 4, DEPOSIT]))
    logs = draw(LOGS)
    cumulative = draw(st.integers(0, 2**64 - 1))
    return Receipt(
        type=kind,
        status=draw(st.integers(0, 1)),
        cumulative_gas_used=cumulative,
        gas_used=draw(st.integers(0, cumulative)),
        logs=logs,
        bloom=logs_bloom(logs),
        deposit_nonce=draw(st.integers(0, 2**64 - 1)) if kind == DEPOSIT else None,
    )


def test_a_changed_copy_has_its_own_encoding() -> None:
    receipt = Receipt(2, 1, 21_000, 21_000, (), EMPTY_BLOOM)
    assert receipt.encode() == receipt.encode()
    failed = replace(receipt, status=0)
    assert decode_receipt(failed.encode(), 0) == failed != receipt


@given(receipts())
def test_round_trip(receipt: Receipt) -> None:
    before = receipt.cumulative_gas_used - receipt.gas_used
    assert decode_receipt(receipt.encode(), before) == receipt


@given(receipts().filter(lambda receipt: receipt.type != DEPOSIT))
def test_encoding_is_the_references(receipt: Receipt) -> None:
    reference = ReferenceReceipt(
        state_root=b"\x01" if receipt.status else b"",
        gas_used=receipt.cumulative_gas_used,
        logs=[
            ReferenceLog(log.address, [int.from_bytes(topic, "big") for topic in log.topics],
                         log.data)
            for log in receipt.logs
        ],
    )  # fmt: skip
    assert receipt.bloom == reference.bloom.to_bytes(256, "big")
    fields = [
        reference.state_root,
        reference.gas_used,
        receipt.bloom,
        # py-evm writes topics as 32-bit numbers: only its other fields can be compared as they are.
        [[log.address, list(log.topics), log.data] for log in receipt.logs],
    ]
    prefix = b"" if receipt.type == LEGACY else bytes([receipt.type])
    assert receipt.encode() == prefix + rlp.encode(fields)


def test_a_deposits_receipt_carries_its_nonce() -> None:
    receipt = Receipt(DEPOSIT, 1, 46_827, 46_827, (), EMPTY_BLOOM, deposit_nonce=26_207_959)
    fields = [b"\x01", 46_827, EMPTY_BLOOM, [], 26_207_959, 1]
    assert receipt.encode() == b"\x7e" + rlp.encode(fields)


@given(LOGS)
def test_blooms(logs: tuple[Log, ...]) -> None:
    entries = [entry for log in logs for entry in (log.address, *log.topics)]
    bloom = BloomFilter.from_iterable(entries)
    assert logs_bloom(logs) == int(bloom).to_bytes(256, "big")
    assert all(bloom_bits(entry) & int(bloom) == bloom_bits(entry) for entry in entries)


ENTRY: list[RlpItem] = [bytes(20), [bytes(32)], b"data"]


def changed(place: int, value: RlpItem, kind: int = 2) -> bytes:
    fields: list[RlpItem] = [b"\x01", b"\x52\x08", EMPTY_BLOOM, [ENTRY]]
    if kind == DEPOSIT:
        fields += [b"\x05", b"\x01"]
    fields[place] = value
    return bytes([kind]) + bytes(rlp.encode(fields))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "receipt: expected an envelope, got no bytes"),
        (b"\x00\xc0", "receipt type not supported: 0x00"),
        (b"\x05\xc0", "receipt type not supported: 0x05"),
        (b"\x7f\xc0", "receipt type not supported: 0x7f"),
        (b"\xb8\xc0", "receipt type not supported: 0xb8"),
        (b"\xc0", "receipt: expected 4 items, got 0"),
        (b"\x7e\xc4\x80\x80\x80\x80", "receipt: expected 6 items, got 4"),
        (changed(0, b"\x00"), "status: expected empty or 0x01, got 0x00"),
        (changed(0, b"\x02"), "status: expected empty or 0x01, got 0x02"),
        (changed(0, bytes(32)), "status: expected empty or 0x01, got 0x" + "00" * 32),
        (changed(1, b"\x01" * 9), "cumulativeGasUsed: expected at most 64 bits, got 9 bytes"),
        (changed(1, b"\x52\x07"), "cumulativeGasUsed: expected at least 21000, got 20999"),
        (changed(2, bytes(255)), "logsBloom: expected 256 bytes, got 255"),
        (changed(3, b""), "logs: expected a list, got bytes"),
        (changed(3, [b""]), "log: expected a list, got bytes"),
        (changed(3, [[bytes(20), []]]), "log: expected 3 items, got 2"),
        (changed(3, [[bytes(21), [], b""]]), "log address: expected 20 bytes, got 21"),
        (changed(3, [[bytes(20), b"", b""]]), "topics: expected a list, got bytes"),
        (changed(3, [[bytes(20), [b""], b""]]), "topic: expected 32 bytes, got 0"),
        (changed(3, [[bytes(20), [], []]]), "log data: expected bytes, got a list"),
        (changed(4, b"\x00", DEPOSIT), "depositNonce: an integer has leading zeros"),
        (changed(5, b"", DEPOSIT), "depositReceiptVersion: expected 1, got 0"),
        (changed(5, [], DEPOSIT), "depositReceiptVersion: expected bytes, got a list"),
    ],
)
def test_what_is_wrong_is_named(raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError) as caught:
        decode_receipt(raw, 21_000)
    assert str(caught.value) == message


@given(receipts(), st.data())
def test_damaged_receipts(receipt: Receipt, data: st.DataObject) -> None:
    raw = bytearray(receipt.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodingError):
        assert decode_receipt(bytes(raw), 0).encode() == raw


@given(st.binary(max_size=600))
def test_any_bytes(raw: bytes) -> None:
    with contextlib.suppress(DecodingError):
        decode_receipt(raw, 0)
