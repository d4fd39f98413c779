"""The columns of a span's transactions: every type comes back as it was signed."""

from dataclasses import replace
from functools import cache

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from consensus.codec.byte_reader import ByteReader
from consensus.codec.span_transactions import (
    SpanTransactions,
    read_span_transactions,
    split_transactions,
)
from node.errors import DecodingError, InvalidInput
from node.types.rlp_codec import RlpItem, encode
from tests.consensus.rollup import USER_KEY

CHAIN_ID = 901
TO = "0x" + "11" * 20
FIELDS = st.fixed_dictionaries(
    {
        "nonce": st.integers(0, 2**64 - 2),
        "gas": st.integers(0, 2**63),
        "value": st.integers(0, 2**256 - 1),
        "data": st.binary(max_size=90),
        "price": st.integers(0, 2**128),
        "is_creation": st.booleans(),
        "slots": st.lists(st.binary(min_size=32, max_size=32).map(lambda b: "0x" + b.hex())),
    }
)
KINDS = ("legacy", "unprotected", "access list", "dynamic fee", "set code")


def signed(kind: str, fields: dict[str, object]) -> bytes:
    """Sign a transaction of any type with an independent wallet."""
    tx = {key: fields[key] for key in ("nonce", "gas", "value", "data")}
    if not fields["is_creation"] or kind == "set code":
        tx["to"] = TO
    price = fields["price"]
    if kind in ("legacy", "unprotected", "access list"):
        tx["gasPrice"] = price
    else:
        tx |= {"maxFeePerGas": price, "maxPriorityFeePerGas": 1, "type": 2}
    if kind != "unprotected":
        tx["chainId"] = CHAIN_ID
    if kind in ("access list", "dynamic fee", "set code"):
        tx["accessList"] = [{"address": TO, "storageKeys": fields["slots"]}]
        tx["type"] = {"access list": 1, "dynamic fee": 2, "set code": 4}[kind]
    if kind == "set code":
        tx["authorizationList"] = [authorization()]
    return bytes(Account.sign_transaction(tx, USER_KEY).raw_transaction)


@cache
def authorization() -> object:
    fields = {"chainId": CHAIN_ID, "address": TO, "nonce": 7}
    return Account.sign_authorization(fields, USER_KEY)


TRANSACTIONS = st.lists(st.builds(signed, st.sampled_from(KINDS), FIELDS), max_size=12)


@given(TRANSACTIONS)
def test_round_trip(transactions: list[bytes]) -> None:
    columns = split_transactions(transactions, CHAIN_ID)
    raw = columns.encode()
    reader = ByteReader(raw)
    assert read_span_transactions(reader, len(transactions)) == columns
    assert reader.left == 0
    assert list(columns.restore(CHAIN_ID)) == transactions


@given(TRANSACTIONS, st.data())
def test_damage(transactions: list[bytes], data: st.DataObject) -> None:
    raw = bytearray(split_transactions(transactions, CHAIN_ID).encode())
    if raw:
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    del raw[data.draw(st.integers(0, len(raw))) :]
    try:
        columns = read_span_transactions(ByteReader(bytes(raw)), len(transactions))
        restored = columns.restore(CHAIN_ID)
    except DecodingError:
        return
    assert len(restored) == len(transactions)


SAMPLE = {
    "nonce": 1,
    "gas": 21_000,
    "value": 5,
    "data": b"",
    "price": 9,
    "is_creation": False,
    "slots": [],
}


def columns_of(kind: str) -> SpanTransactions:
    return split_transactions([signed(kind, SAMPLE)], CHAIN_ID)


@pytest.mark.parametrize(
    ("kind", "head", "fields", "message"),
    [
        ("legacy", b"\x05", [b"", b"", b""], "expected transactions of types 0, 1, 2, 4, got 5"),
        ("legacy", b"\x03", [b"", b"", b""], "got 3"),
        ("legacy", b"", [b"", b""], "expected 3 items, got 2"),
        ("legacy", b"", [b"\x00", b"", b""], "leading zeros"),
        ("legacy", b"", [[], b"", b""], "expected bytes"),
        ("legacy", b"\x01", [b"", b"", b"", b""], "accessList: expected a list"),
        ("legacy", b"\x01", [b"", b"", b"", [[b"", []]]], "expected 20 bytes, got 0"),
        ("legacy", b"\x01", [b"", b"", b"", [[bytes(20), [b""]]]], "expected 32 bytes, got 0"),
        ("legacy", b"\x02", [b"", b"", b"", b""], "expected 5 items, got 4"),
        ("legacy", b"\x04", [b"", b"", b"", b"", [], [[b""]]], "expected 6 items, got 1"),
        ("legacy", b"\x04", [b"\x01" * 33, b"", b"", b"", [], []], "at most 256 bits"),
    ],
)
def test_data_that_is_no_transaction(
    kind: str, head: bytes, fields: list[RlpItem], message: str
) -> None:
    columns = replace(columns_of(kind), datas=(head + encode(fields),))
    with pytest.raises(DecodingError, match=message):
        columns.restore(CHAIN_ID)


def test_amounts_of_any_size_are_left_to_execution() -> None:
    columns = replace(columns_of("legacy"), datas=(encode([b"\x01" * 40, b"", b""]),))
    (raw,) = columns.restore(CHAIN_ID)
    assert b"\x01" * 40 in raw


def test_set_code_cannot_create() -> None:
    columns = replace(columns_of("set code"), creation_bits=1, recipients=())
    with pytest.raises(DecodingError, match="type 4 transaction cannot create"):
        columns.restore(CHAIN_ID)


def test_what_a_span_cannot_hold() -> None:
    raw = signed("dynamic fee", SAMPLE)
    with pytest.raises(InvalidInput, match="expected chain id 10, got 901"):
        split_transactions([raw], 10)
    with pytest.raises(InvalidInput, match="types 0, 1, 2, 4, got 3"):
        split_transactions([b"\x03" + raw[1:]], CHAIN_ID)
    with pytest.raises(InvalidInput, match="expected chain id 10, got 901"):
        split_transactions([signed("legacy", SAMPLE)], 10)
    assert split_transactions([signed("unprotected", SAMPLE)], 10).protected_bits == 0


def test_a_type_byte_of_zero_counts_as_legacy_and_is_none() -> None:
    raw = split_transactions([signed("legacy", SAMPLE)], CHAIN_ID)
    zero = replace(raw, datas=(b"\0" + raw.datas[0],))
    encoded = zero.encode()
    assert read_span_transactions(ByteReader(encoded), 1) == zero
    with pytest.raises(DecodingError, match="protected bits: expected 1 bytes, 0 are left"):
        read_span_transactions(ByteReader(encoded[:-1]), 1)
    with pytest.raises(DecodingError, match="expected transactions of types 0, 1, 2, 4, got 0"):
        zero.restore(CHAIN_ID)


def test_type_byte_is_followed_by_a_list() -> None:
    reader = ByteReader(b"\x00\x00" + bytes(64) + bytes(20) + b"\x02\x80")
    with pytest.raises(DecodingError, match="expected an RLP list, got a string"):
        read_span_transactions(reader, 1)
