"""Against eth-account, which signs and recovers independently of us."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from node.errors import DecodingError, InvalidTransaction
from node.types.block import decode_block
from node.types.deposit import DepositTransaction, make_deposit
from node.types.fastlz import fastlz_length
from node.types.primitives import Address, Hash32, checksum_address, keccak256
from node.types.rlp_codec import RlpItem, decode, decode_prefix, encode
from node.types.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SECP256K1_HALF_N,
    SECP256K1_N,
    SET_CODE,
    Authorization,
    Transaction,
    address_of_key,
    decode_signed_transaction,
    decode_transaction,
    recover_address,
    sign_dynamic_fee,
)
from tests.node.execution.signing import KEY, RECIPIENT, SENDER, authorize, sign
from tests.node.execution.vectors import vector

ADDRESSES = st.binary(min_size=20, max_size=20).map(Address)
WORDS = st.binary(min_size=32, max_size=32).map(Hash32)
UINT64 = st.integers(0, 2**64 - 1)
# eth-account takes values and prices up to 256 bits; chain ids only as far as chains go.
UINT256 = st.one_of(st.integers(0, 300), st.integers(0, 2**256 - 1))
CHAIN_IDS = st.integers(1, 2**52)
TYPES = (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE)


@st.composite
def unsigned(draw: st.DrawFn, kind: int) -> dict[str, Any]:
    """Draw the fields of a transaction in eth-account's spelling."""
    fields: dict[str, Any] = {
        "nonce": draw(UINT64),
        "gas": draw(UINT64),
        "value": draw(UINT256),
        "data": draw(st.binary(max_size=100)),
    }
    to = draw(ADDRESSES if kind in (BLOB, SET_CODE) else st.one_of(st.none(), ADDRESSES))
    fields["to"] = "" if to is None else checksum_address(to)
    if kind != LEGACY or draw(st.booleans()):
        fields["chainId"] = draw(CHAIN_IDS)
    if kind in (LEGACY, ACCESS_LIST):
        fields["gasPrice"] = draw(UINT256)
    else:
        fields["maxFeePerGas"], fields["maxPriorityFeePerGas"] = draw(UINT256), draw(UINT256)
    if kind == LEGACY:
        return fields
    access_list = draw(st.lists(st.tuples(ADDRESSES, st.lists(WORDS, max_size=3)), max_size=3))
    fields["accessList"] = [
        {"address": checksum_address(address), "storageKeys": ["0x" + key.hex() for key in keys]}
        for address, keys in access_list
    ]
    if kind == BLOB:
        hashes = draw(st.lists(st.binary(min_size=31, max_size=31), min_size=1, max_size=3))
        fields["maxFeePerBlobGas"] = draw(UINT256)
        fields["blobVersionedHashes"] = [b"\x01" + rest for rest in hashes]
    if kind == SET_CODE:
        fields["authorizationList"] = [
            Account.sign_authorization(
                {
                    "chainId": draw(CHAIN_IDS),
                    "address": checksum_address(draw(ADDRESSES)),
                    "nonce": draw(UINT64),
                },
                KEY,
            )
            for _ in range(draw(st.integers(1, 2)))
        ]
    return {**fields, "type": kind}


def check_fields(tx: Transaction, fields: dict[str, Any]) -> None:
    assert tx.chain_id == fields.get("chainId")
    assert (tx.nonce, tx.gas, tx.value) == (fields["nonce"], fields["gas"], fields["value"])
    assert tx.data == fields["data"]
    assert (checksum_address(tx.to) if tx.to else "") == fields["to"]
    cap = fields.get("maxFeePerGas", fields.get("gasPrice"))
    tip = fields.get("maxPriorityFeePerGas", cap)
    assert (tx.max_fee_per_gas, tx.max_priority_fee_per_gas, tx.gas_price) == (cap, tip, cap)
    assert [
        {"address": checksum_address(address), "storageKeys": ["0x" + key.hex() for key in keys]}
        for address, keys in tx.access_list
    ] == fields.get("accessList", [])
    assert tx.max_fee_per_blob_gas == fields.get("maxFeePerBlobGas", 0)
    assert list(tx.blob_versioned_hashes) == fields.get("blobVersionedHashes", [])
    assert [
        (item.chain_id, checksum_address(item.address), item.nonce, item.y_parity, item.r, item.s)
        for item in tx.authorization_list
    ] == [
        (a.chain_id, checksum_address(a.address), a.nonce, a.y_parity, a.r, a.s)
        for a in fields.get("authorizationList", [])
    ]
    assert all(item.authority() == SENDER for item in tx.authorization_list)


@pytest.mark.parametrize("kind", TYPES)
@given(data=st.data())
def test_what_eth_account_signs(kind: int, data: st.DataObject) -> None:
    fields = data.draw(unsigned(kind))
    signed = Account.sign_transaction(fields, KEY)
    raw = bytes(signed.raw_transaction)
    tx = decode_signed_transaction(raw)
    assert decode_transaction(raw) == tx
    assert (tx.type, tx.raw, tx.hash) == (kind, raw, bytes(signed.hash))
    assert (tx.r, tx.s) == (signed.r, signed.s)
    assert tx.sender == SENDER
    check_fields(tx, fields)


@pytest.mark.parametrize("kind", TYPES)
def test_the_tests_own_signer_agrees_with_eth_account(kind: int) -> None:
    authorizations = (authorize(KEY, RECIPIENT),) if kind == SET_CODE else ()
    tx = sign(kind=kind, access_list=((RECIPIENT, (Hash32(b"\x07" * 32),)),),
              authorizations=authorizations)  # fmt: skip
    assert (
        Account.recover_transaction(tx.raw)
        == checksum_address(SENDER)
        == checksum_address(tx.sender)
    )


def test_our_signer() -> None:
    tx = sign_dynamic_fee(
        KEY,
        chain_id=901,
        nonce=3,
        max_priority_fee_per_gas=1,
        max_fee_per_gas=2,
        gas=21_000,
        to=None,
        value=5,
        data=b"\x60\x00",
    )
    assert Account.recover_transaction(tx.raw) == checksum_address(address_of_key(KEY))
    assert (tx.type, tx.nonce, tx.to, tx.data, tx.sender) == (2, 3, None, b"\x60\x00", SENDER)


@given(st.integers(0, 2**70), st.integers(0, 2**70), st.integers(0, 2**70))
def test_effective_price(tip: int, cap: int, base_fee: int) -> None:
    tx = sign(tip=tip, cap=cap)
    if cap >= base_fee:
        assert tx.effective_gas_price(base_fee) - base_fee == min(tip, cap - base_fee)
    legacy = sign(kind=LEGACY, cap=cap)
    assert legacy.effective_gas_price(base_fee) == cap


NUMBERS = {
    LEGACY: {"nonce": 0, "gasPrice": 1, "gas": 2, "value": 4, "v": 6, "r": 7, "s": 8},
    ACCESS_LIST: {
        "chainId": 0, "nonce": 1, "gasPrice": 2, "gas": 3, "value": 5, "yParity": 8, "r": 9,
        "s": 10,
    },
    DYNAMIC_FEE: {
        "chainId": 0, "nonce": 1, "maxPriorityFeePerGas": 2, "maxFeePerGas": 3, "gas": 4,
        "value": 6, "yParity": 9, "r": 10, "s": 11,
    },
    BLOB: {
        "chainId": 0, "nonce": 1, "maxPriorityFeePerGas": 2, "maxFeePerGas": 3, "gas": 4,
        "value": 6, "maxFeePerBlobGas": 9, "yParity": 11, "r": 12, "s": 13,
    },
    SET_CODE: {
        "chainId": 0, "nonce": 1, "maxPriorityFeePerGas": 2, "maxFeePerGas": 3, "gas": 4,
        "value": 6, "yParity": 10, "r": 11, "s": 12,
    },
}  # fmt: skip
DATA_PLACE = {LEGACY: 5, ACCESS_LIST: 6, DYNAMIC_FEE: 7, BLOB: 7, SET_CODE: 7}
BITS = {"nonce": 64, "gas": 64, "yParity": 8}


def fields_of(kind: int) -> list[Any]:
    authorizations = (authorize(KEY, RECIPIENT),) if kind == SET_CODE else ()
    raw = sign(kind=kind, authorizations=authorizations).raw
    decoded = decode(raw if kind == LEGACY else raw[1:])
    assert isinstance(decoded, list)
    return list(decoded)


def envelope(kind: int, fields: RlpItem) -> bytes:
    return encode(fields) if kind == LEGACY else bytes([kind]) + encode(fields)


def refused(kind: int, place: int, value: RlpItem) -> str:
    fields = fields_of(kind)
    fields[place] = value
    with pytest.raises(DecodingError) as caught:
        decode_transaction(envelope(kind, fields))
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name", "place"),
    [(kind, name, place) for kind in TYPES for name, place in NUMBERS[kind].items()],
)
def test_numbers_that_are_wrong_are_named(kind: int, name: str, place: int) -> None:
    bits = BITS.get(name, 256)
    assert refused(kind, place, [b""]) == f"{name}: expected bytes, got a list"
    assert refused(kind, place, b"\x00\x01") == f"{name}: an integer has leading zeros"
    too_long = b"\x01" * (bits // 8 + 1)
    assert refused(kind, place, too_long).startswith(f"{name}: expected at most {bits} bits")


@pytest.mark.parametrize("kind", TYPES)
def test_recipients_and_data_that_are_wrong_are_named(kind: int) -> None:
    place = DATA_PLACE[kind]
    assert refused(kind, place, [b""]) == "data: expected bytes, got a list"
    assert refused(kind, place - 2, [b""]) == "to: expected bytes, got a list"
    for size in (1, 19, 21, 32):
        assert refused(kind, place - 2, bytes(size)) == f"to: expected 20 bytes, got {size}"


@pytest.mark.parametrize("kind", [BLOB, SET_CODE])
def test_some_types_cannot_create(kind: int) -> None:
    assert f"a type {kind} transaction cannot create a contract" in refused(kind, 5, b"")


@pytest.mark.parametrize("kind", [ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "accessList: expected a list, got bytes"),
        ([b""], "accessList entry: expected a list, got bytes"),
        ([[bytes(20)]], "accessList entry: expected 2 items, got 1"),
        ([[bytes(19), []]], "accessList address: expected 20 bytes, got 19"),
        ([[bytes(20), b""]], "storageKeys: expected a list, got bytes"),
        ([[bytes(20), [bytes(31)]]], "storage key: expected 32 bytes, got 31"),
        ([[bytes(20), [[]]]], "storage key: expected bytes, got a list"),
    ],
)
def test_access_lists_that_are_wrong_are_named(kind: int, value: RlpItem, message: str) -> None:
    assert refused(kind, DATA_PLACE[kind] + 1, value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "blobVersionedHashes: expected a list, got bytes"),
        ([b""], "blobVersionedHash: expected 32 bytes, got 0"),
        ([[]], "blobVersionedHash: expected bytes, got a list"),
    ],
)
def test_blob_hashes_that_are_wrong_are_named(value: RlpItem, message: str) -> None:
    assert refused(BLOB, 10, value) == message


AUTHORIZATION: list[RlpItem] = [b"", bytes(20), b"", b"", b"\x01", b"\x01"]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, b"\x00", "authorization chainId: an integer has leading zeros"),
        (1, bytes(21), "authorization address: expected 20 bytes, got 21"),
        (2, b"\x01" * 9, "authorization nonce: expected at most 64 bits, got 9 bytes"),
        (3, b"\x01\x00", "authorization yParity: expected at most 8 bits, got 2 bytes"),
        (4, b"\x01" * 33, "authorization r: expected at most 256 bits, got 33 bytes"),
        (5, [], "authorization s: expected bytes, got a list"),
    ],
)
def test_authorizations_that_are_wrong_are_named(place: int, value: RlpItem, message: str) -> None:
    assert refused(SET_CODE, 9, b"") == "authorizationList: expected a list, got bytes"
    assert refused(SET_CODE, 9, [[b""]]) == "authorization: expected 6 items, got 1"
    changed = [*AUTHORIZATION[:place], value, *AUTHORIZATION[place + 1 :]]
    assert refused(SET_CODE, 9, [changed]) == message


@pytest.mark.parametrize("kind", TYPES)
def test_the_number_of_fields(kind: int) -> None:
    fields = fields_of(kind)
    name = "legacy" if kind == LEGACY else f"type {kind}"
    for wrong in (fields[:-1], [*fields, b""]):
        with pytest.raises(
            DecodingError, match=f"{name} transaction: expected {len(fields)} items, got"
        ):
            decode_transaction(envelope(kind, wrong))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "transaction: expected an envelope, got no bytes"),
        (b"\x00\xc0", "transaction type not supported: 0x00"),
        (b"\x05\xc0", "transaction type not supported: 0x05"),
        (b"\x7f\xc0", "transaction type not supported: 0x7f"),
        (b"\x80", "transaction type not supported: 0x80"),
        (b"\xbf", "transaction type not supported: 0xbf"),
        (b"\x02", "input ends where an item should start"),
        (b"\x02\x80", "type 2 transaction: expected a list, got bytes"),
        (b"\xc0", "legacy transaction: expected 9 items, got 0"),
    ],
)
def test_what_is_no_transaction(raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        decode_transaction(raw)


def test_a_deposit_is_not_a_signed_transaction() -> None:
    deposit = make_deposit(
        source_hash=Hash32(bytes(32)), sender=SENDER, to=None, mint=0, value=0, gas=0, data=b""
    )
    assert isinstance(decode_transaction(deposit.raw), DepositTransaction)
    with pytest.raises(DecodingError, match="transaction type not supported: 0x7e"):
        decode_signed_transaction(deposit.raw)


@given(st.one_of(
    st.binary(max_size=200),
    st.builds(lambda kind, rest: bytes([kind]) + rest, st.integers(0, 0x7F), st.binary()),
    st.recursive(
        st.binary(max_size=33), lambda items: st.lists(items, max_size=14), max_leaves=40
    ).flatmap(lambda item: st.sampled_from([1, 2, 3, 4, 0x7E]).map(
        lambda kind: bytes([kind]) + encode(item))),
))  # fmt: skip
def test_any_bytes_give_a_transaction_or_a_decoding_error(raw: bytes) -> None:
    with contextlib.suppress(DecodingError):
        assert decode_transaction(raw).raw == raw


@given(st.sampled_from(TYPES), st.data())
def test_damaged_transactions(kind: int, data: st.DataObject) -> None:
    raw = bytearray(envelope(kind, fields_of(kind)))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodingError, InvalidTransaction):
        tx = decode_transaction(bytes(raw))
        assert tx.hash == keccak256(bytes(raw))
        assert len(tx.sender) == 20


@pytest.mark.parametrize("v", [0, 1, 26, 29, 34])
def test_v_of_a_legacy_transaction(v: int) -> None:
    message = refused(LEGACY, 6, bytes([v]) if v else b"")
    assert message == f"v: expected 27, 28 or at least 35, got {v}"


@pytest.mark.parametrize("kind", TYPES)
def test_high_s_has_no_sender(kind: int) -> None:
    tx = sign(kind=kind, high_s=True)
    with pytest.raises(InvalidTransaction, match="invalid sender: signature s is in the upper"):
        _ = tx.sender


@pytest.mark.parametrize(
    ("place", "value"), [(-1, 0), (-1, SECP256K1_HALF_N + 1), (-2, 0), (-2, SECP256K1_N), (-3, 2)]
)
def test_impossible_signatures_have_no_sender(place: int, value: int) -> None:
    fields = fields_of(DYNAMIC_FEE)
    fields[place] = value.to_bytes(32, "big").lstrip(b"\x00")
    tx = decode_signed_transaction(envelope(DYNAMIC_FEE, fields))
    with pytest.raises(InvalidTransaction, match="invalid sender"):
        _ = tx.sender


def test_a_point_off_the_curve_has_no_address() -> None:
    # x = 5 is on no point of secp256k1: there is nothing to recover.
    assert recover_address(Hash32(b"\x01" * 32), 0, 5, 1) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda a: Authorization(a.chain_id, a.address, a.nonce, a.y_parity, a.r, SECP256K1_N - a.s),
        lambda a: Authorization(a.chain_id, a.address, a.nonce, 2, a.r, a.s),
        lambda a: Authorization(a.chain_id, a.address, a.nonce, a.y_parity, 0, a.s),
        lambda a: Authorization(a.chain_id, a.address, a.nonce, a.y_parity, a.r, 0),
        lambda a: Authorization(a.chain_id, a.address, a.nonce, a.y_parity, 2**256 - 1, a.s),
    ],
)
def test_authorizations_without_a_signer(
    change: Callable[[Authorization], Authorization],
) -> None:
    authorization = authorize(KEY, RECIPIENT, nonce=4)
    assert authorization.authority() == SENDER
    assert change(authorization).authority() is None


def test_a_real_batcher_transaction() -> None:
    raw = vector("channels/op-mainnet-batcher-tx.bin").read_bytes()
    tx = decode_signed_transaction(raw)
    assert (tx.type, tx.chain_id) == (DYNAMIC_FEE, 1)
    assert tx.sender == bytes.fromhex("6887246668a3b87f54deb3b94ba47a6f63f32985")
    assert tx.to == bytes.fromhex("ff00000000000000000000000000000000000010")
    assert checksum_address(tx.sender) == Account.recover_transaction(raw)


def test_the_transactions_of_a_real_chain() -> None:
    raw = (vector("l1-prague") / "chain.rlp").read_bytes()
    position = 0
    types: set[int] = set()
    while position < len(raw):
        _, end = decode_prefix(raw, position)
        for tx in decode_block(raw[position:end]).transactions:
            assert isinstance(tx, Transaction)
            types.add(tx.type)
            assert checksum_address(tx.sender) == Account.recover_transaction(tx.raw)
            assert keccak256(tx.raw) == tx.hash
            for authorization in tx.authorization_list:
                assert authorization.authority() is not None
        position = end
    assert types >= {LEGACY, DYNAMIC_FEE}


def test_what_is_remembered_belongs_to_the_very_transaction() -> None:
    tx = sign(value=1)
    assert tx.sender == SENDER
    assert tx.fastlz_length == tx.fastlz_length == fastlz_length(tx.raw)
    other = replace(tx, value=2, raw=bytes(100))
    assert other.sender != SENDER
    assert other.fastlz_length == fastlz_length(bytes(100))
