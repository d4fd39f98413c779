"""Records, vouchers and preimages as JSON: there and back, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from attribution.preimages import (
    Preimage,
    parse_preimage,
    preimage_to_json,
    read_preimages,
    write_preimages,
)
from attribution.receipts import receipt
from attribution.record_json import parse_records, record_to_json
from attribution.records import Method, Record, encode_records
from attribution.refusals import BadRecord
from attribution.voucher_json import parse_voucher, voucher_to_json
from attribution.vouchers import Voucher, sign_voucher
from node.errors import ConfigError, InvalidInput
from node.types.primitives import Address, Hash32
from node.types.transaction import address_of_key

KEY = b"\x07" * 32
digests = st.binary(min_size=32, max_size=32).map(Hash32)
uint64 = st.integers(0, 2**64 - 1)
records = st.builds(
    receipt,
    uint64,
    st.dictionaries(st.integers(0, 2**32 - 1), st.integers(1, 625), max_size=16),
    digests,
)
preimages = st.builds(
    Preimage, digests, digests, digests, digests, uint64, uint64, st.sampled_from(Method), digests
)
vouchers = st.builds(
    Voucher, st.binary(min_size=20, max_size=20).map(Address), digests, uint64, uint64
)


def through_json(content: object) -> Any:
    return json.loads(json.dumps(content))


@given(st.lists(records, min_size=1, max_size=5))
def test_records(some: list[Record]) -> None:
    assert list(parse_records(through_json([record_to_json(one) for one in some]))) == some
    assert list(parse_records("0x" + encode_records(some).hex())) == some


@given(preimages)
def test_preimages(one: Preimage) -> None:
    assert parse_preimage(through_json(preimage_to_json(one))) == one
    entry = {"amountGwei": 5, "preimage": preimage_to_json(one)}
    assert parse_records([entry])[0].commitment == one.commitment


@given(vouchers)
def test_vouchers(voucher: Voucher) -> None:
    signed = sign_voucher(KEY, voucher, 901)
    content = through_json(voucher_to_json(signed, 901))
    assert parse_voucher(content, 901) == signed
    wallet = Account.sign_message(encode_typed_data(full_message=voucher.typed_data(901)), KEY)
    content["signature"] = "0x" + bytes(wallet.signature).hex()
    assert parse_voucher(content, 901).signer(901) == address_of_key(KEY)


def test_a_file_of_preimages(tmp_path: Path) -> None:
    some = [Preimage.of(bytes(32), "question", f"answer {number}") for number in range(3)]
    assert len({one.commitment for one in some}) == len({one.salt for one in some}) == 3
    write_preimages(tmp_path / "kept.json", some)
    assert list(read_preimages(tmp_path / "kept.json")) == some
    (tmp_path / "one.json").write_text(json.dumps(preimage_to_json(some[0])))
    assert read_preimages(tmp_path / "one.json") == (some[0],)
    (tmp_path / "none.json").write_text("[{}]")
    with pytest.raises(ConfigError, match=r"none\.json: preimage: salt is missing"):
        read_preimages(tmp_path / "none.json")


GOOD_PREIMAGE = preimage_to_json(Preimage.of(bytes(32), "a", "b"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "'extra' is no field"),
        ({"method": "guess"}, "expected static, span, influence, retrieval, got 'guess'"),
        ({"promptTokens": "3"}, "promptTokens: expected a whole number"),
        ({"promptTokens": True}, "promptTokens: expected a whole number"),
        ({"promptTokens": 2**64}, "prompt_tokens: expected 0 to"),
        ({"salt": "0x12"}, "salt: expected 32 bytes"),
        ({"salt": "0x" + "zz" * 32}, "salt: expected 32 bytes"),
        ({"salt": None}, "salt is missing"),
    ],
)
def test_what_is_no_preimage(change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_preimage(GOOD_PREIMAGE | change)


GOOD_RECORD = {
    "amountGwei": 1,
    "influences": [{"dataset": 3, "weight": 1}],
    "commitment": "0x" + "11" * 32,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amountGwei": -1}, "amount: expected 0"),
        ({"amountGwei": 2**64}, "amount: expected 0"),
        ({"amountGwei": 1.5}, "amountGwei: expected a whole number"),
        ({"influences": {}}, "influences: expected a list"),
        ({"influences": [1]}, "expected an object"),
        ({"influences": [{"dataset": 1}]}, "weight is missing"),
        ({"influences": [{"dataset": 1, "weight": 0}]}, "weight: expected 1 to 10000"),
        ({"influences": [{"dataset": 1, "weight": 1}] * 2}, "must ascend"),
        ({"commitment": "0x11"}, "commitment: expected 32 bytes, got 1"),
        ({"commitment": "11" * 32}, "commitment: expected hexadecimal with 0x"),
        ({"preimage": GOOD_PREIMAGE}, "either commitment or preimage"),
        ({"salt": 1}, "'salt' is no field"),
    ],
)
def test_what_is_no_record(change: dict[str, object], message: str) -> None:
    with pytest.raises(BadRecord, match=f"record 1 of the batch is none: .*{message}") as raised:
        parse_records([GOOD_RECORD, GOOD_RECORD | change])
    assert raised.value.index == 1


@pytest.mark.parametrize("content", [None, [], {}, 3, "11", "0xzz"])
def test_what_are_no_records(content: object) -> None:
    with pytest.raises(InvalidInput, match="records"):
        parse_records(content)


def test_influences_may_come_in_any_order() -> None:
    shuffled = [{"dataset": 9, "weight": 1}, {"dataset": 3, "weight": 2}]
    (record,) = parse_records([GOOD_RECORD | {"influences": shuffled}])
    assert [influence.dataset for influence in record.influences] == [3, 9]


GOOD_VOUCHER = voucher_to_json(
    sign_voucher(KEY, Voucher(address_of_key(KEY), Hash32(bytes(32)), 1, 2), 901), 901
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chainId": 902}, "chainId: expected 901, got 902"),
        ({"payer": "0x12"}, "payer: expected 20 bytes"),
        ({"cumulativeGwei": -1}, "cumulativeGwei: expected a whole number"),
        ({"cumulativeGwei": 2**64}, "cumulative_gwei: expected 0 to"),
        ({"expiry": "1"}, "expiry: expected a whole number"),
        ({"signature": "0x" + "00" * 63}, "signature: expected 64 or 65 bytes"),
        ({"signature": "0x" + "00" * 64 + "05"}, "signature: expected 65 bytes, the last one"),
        ({"more": 1}, "expected an object with"),
    ],
)
def test_what_is_no_voucher(change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_voucher(GOOD_VOUCHER | change, 901)
