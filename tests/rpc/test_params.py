from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import DecodingError
from node.types.primitives import UINT256_MAX
from rpc.block_id import BlockId, block_id, block_number
from rpc.encoding.hexadecimal import data, parse_data, parse_quantity, quantity
from rpc.log_query import log_query
from rpc.params import (
    Decoder,
    address,
    block_count,
    hash32,
    percentile,
    storage_key,
    storage_slot,
    uint64,
)

HASH = "0x" + "ab" * 32
ADDRESS = "0x" + "Cd" * 20


@given(st.integers(0, UINT256_MAX))
def test_quantities_round_trip(number: int) -> None:
    assert parse_quantity(quantity(number)) == number


@given(st.binary())
def test_data_round_trips(raw: bytes) -> None:
    assert parse_data(data(raw)) == raw
    assert parse_data("0X" + raw.hex().upper()) == raw


@given(st.text(alphabet="0123456789abcdefABCDEFxX_+- \t\n\u0661", max_size=12).map("0x".__add__))
def test_nothing_but_digits_is_a_number(text: str) -> None:
    digits = set("0123456789abcdefABCDEF")
    try:
        number = parse_quantity(text)
    except DecodingError:
        return
    assert set(text[2:]) <= digits
    assert quantity(number) == text.lower()


@pytest.mark.parametrize(
    ("decode", "value", "message"),
    [
        (parse_quantity, "", "empty hex string"),
        (parse_quantity, "10", "hex string without 0x prefix"),
        (parse_quantity, "0x", 'hex string "0x"'),
        (parse_quantity, "0x00", "hex number with leading zero digits"),
        (parse_quantity, "0xg", "invalid hex string"),
        (parse_quantity, "0x1_0", "invalid hex string"),
        (parse_quantity, "0x+1", "invalid hex string"),
        (parse_quantity, "0x\u0661", "invalid hex string"),
        (parse_quantity, hex(2**256), "hex number > 256 bits"),
        (parse_quantity, 16, "expected a hex string, got a number"),
        (parse_quantity, True, "expected a hex string, got a boolean"),
        (parse_quantity, None, "expected a hex string, got null"),
        (parse_quantity, [], "expected a hex string, got an array"),
        (parse_quantity, {}, "expected a hex string, got an object"),
        (uint64, hex(2**64), "hex number > 64 bits"),
        (parse_data, "0x123", "hex string of odd length"),
        (parse_data, "0x 12 ", "invalid hex string"),
        (parse_data, "0x12 3", "invalid hex string"),
        (parse_data, "0x12 34 ", "invalid hex string"),
        (address, "0x1234", "hex string has length 4, want 40"),
        (hash32, ADDRESS, "hex string has length 40, want 64"),
        (storage_slot, "0x" + "0" * 65, "unable to decode storage key: hex string too long"),
        (storage_slot, "0xzz", "unable to decode storage key: invalid hex string"),
        (storage_slot, 5, "unable to decode storage key: expected hex, got a number"),
        (block_count, -1, "expected a hex string, got a number"),
        (block_count, "many", "hex string without 0x prefix"),
        (percentile, "5", "expected a number, got a string"),
        (block_number, "newest", "hex string without 0x prefix"),
        (block_number, hex(2**63), "block number larger than int64"),
        (block_number, HASH, "hex number > 64 bits"),
        (block_id, 5, "expected a block number, tag or hash, got a number"),
        (block_id, {}, "expected an object with blockNumber or blockHash"),
        (block_id, {"blockHash": HASH, "blockNumber": "0x1"}, "cannot specify both"),
        (block_id, {"blockHash": HASH, "requireCanonical": 1}, "expected true or false"),
        (log_query, [], "expected a filter object, got an array"),
        (log_query, {"blockHash": HASH, "fromBlock": "0x1"}, "cannot specify both"),
        (log_query, {"address": 5}, "expected an array, got a number"),
        (log_query, {"topics": "0x"}, "expected an array, got a string"),
        (log_query, {"topics": [None] * 5}, "expected at most 4 items, got 5"),
        (log_query, {"topics": [ADDRESS]}, "hex string has length 40, want 64"),
        (log_query, {"address": [ADDRESS] * 1001}, "expected at most 1000 items, got 1001"),
    ],
)
def test_refusals_say_why(decode: Decoder, value: Any, message: str) -> None:
    with pytest.raises(DecodingError) as refusal:
        decode(value)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0x5", BlockId(5)),  # type: ignore[arg-type]
        ("latest", BlockId("latest")),
        ("pending", BlockId("pending")),
        ("earliest", BlockId("earliest")),
        (HASH, BlockId(bytes.fromhex(HASH[2:]))),  # type: ignore[arg-type]
        ({"blockNumber": "0x5"}, BlockId(5)),  # type: ignore[arg-type]
        ({"blockNumber": "safe"}, BlockId("safe")),
        ({"blockHash": HASH}, BlockId(bytes.fromhex(HASH[2:]))),  # type: ignore[arg-type]
        (
            {"blockHash": HASH, "requireCanonical": True},
            BlockId(bytes.fromhex(HASH[2:]), True),  # type: ignore[arg-type]
        ),
    ],
)
def test_block_ids(value: Any, expected: BlockId) -> None:
    assert block_id(value) == expected


@pytest.mark.parametrize("value", ["0x1", "1", "0x01", "0x" + "0" * 63 + "1", "01"])
def test_storage_slots_are_read_leniently(value: str) -> None:
    assert storage_slot(value) == 1


def test_storage_keys_keep_their_length() -> None:
    assert storage_key("0x1") == b"\x01"
    assert storage_key("0x" + "00" * 32) == bytes(32)


@pytest.mark.parametrize("value", ["0xa", "10", 10])
def test_block_counts_come_in_three_spellings(value: Any) -> None:
    assert block_count(value) == 10


def test_log_queries() -> None:
    topic = bytes.fromhex(HASH[2:])
    query = log_query({"address": ADDRESS, "topics": [HASH, None, [HASH, HASH], [None, HASH]]})
    assert query.addresses == (bytes.fromhex(ADDRESS[2:]),)
    assert query.topics == ((topic,), None, (topic, topic), None)
    assert query.from_block == query.to_block == BlockId("latest")
    assert log_query({}).addresses == ()
    assert log_query({"address": [], "topics": None}).topics == ()
