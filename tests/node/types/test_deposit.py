import contextlib
import gzip
import json

import pytest
import rlp
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from node.errors import DecodingError
from node.types.deposit import (
    DepositTransaction,
    decode_deposit,
    l1_attributes_source_hash,
    make_deposit,
    user_source_hash,
)
from node.types.primitives import Address, Hash32, hex_address, hex_hash
from node.types.rlp_codec import RlpItem
from node.types.transaction import decode_transaction
from tests.node.execution.vectors import vector

ADDRESSES = st.binary(min_size=20, max_size=20).map(Address)
DEPOSITS = st.builds(
    make_deposit,
    source_hash=st.binary(min_size=32, max_size=32).map(Hash32),
    sender=ADDRESSES,
    to=st.one_of(st.none(), ADDRESSES),
    mint=st.integers(0, 2**256 - 1),
    value=st.integers(0, 2**256 - 1),
    gas=st.integers(0, 2**64 - 1),
    data=st.binary(max_size=300),
    is_system_transaction=st.booleans(),
)
L1_HASH = Hash32(bytes(range(32)))


def fields_of(deposit: DepositTransaction) -> list[RlpItem]:
    number = rlp.sedes.big_endian_int.serialize
    return [
        deposit.source_hash,
        deposit.sender,
        deposit.to or b"",
        number(deposit.mint),
        number(deposit.value),
        number(deposit.gas),
        b"\x01" if deposit.is_system_transaction else b"",
        deposit.data,
    ]


@given(DEPOSITS)
def test_round_trip(deposit: DepositTransaction) -> None:
    assert deposit.raw == b"\x7e" + rlp.encode(fields_of(deposit))
    assert deposit.hash == keccak(deposit.raw)
    assert deposit.type == 0x7E
    assert decode_deposit(deposit.raw) == decode_transaction(deposit.raw) == deposit


def test_source_hashes() -> None:
    assert user_source_hash(L1_HASH, 7) == hex_hash(
        "4e75c1958a5bde3aaf6106853159df607b505d61eaaa117eba0f988d1db6dc7b"
    )
    assert l1_attributes_source_hash(L1_HASH, 3) == hex_hash(
        "25cb7da2107a5689c80aca5e2184488cf5343b8fa9382449cf2d16fec47ecc15"
    )


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_source_hashes_of_different_deposits_differ(one: int, other: int) -> None:
    assert (user_source_hash(L1_HASH, one) == user_source_hash(L1_HASH, other)) == (one == other)
    assert user_source_hash(L1_HASH, one) != l1_attributes_source_hash(L1_HASH, other)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, bytes(31), "sourceHash: expected 32 bytes, got 31"),
        (0, [], "sourceHash: expected bytes, got a list"),
        (1, b"", "from: expected 20 bytes, got 0"),
        (2, bytes(19), "to: expected 20 bytes, got 19"),
        (2, [], "to: expected bytes, got a list"),
        (3, b"\x00", "mint: an integer has leading zeros"),
        (3, b"\x01" * 33, "mint: expected at most 256 bits, got 33 bytes"),
        (4, b"\x00\x01", "value: an integer has leading zeros"),
        (5, b"\x01" * 9, "gas: expected at most 64 bits, got 9 bytes"),
        (6, b"\x00", "isSystemTx: expected empty or 0x01, got 0x00"),
        (6, b"\x02", "isSystemTx: expected empty or 0x01, got 0x02"),
        (6, [], "isSystemTx: expected bytes, got a list"),
        (7, [], "data: expected bytes, got a list"),
    ],
)
def test_fields_that_are_wrong_are_named(place: int, value: RlpItem, message: str) -> None:
    deposit = make_deposit(
        source_hash=L1_HASH, sender=Address(bytes(20)), to=None, mint=1, value=2, gas=3, data=b"4"
    )
    fields = fields_of(deposit)
    fields[place] = value
    with pytest.raises(DecodingError) as caught:
        decode_transaction(b"\x7e" + rlp.encode(fields))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "deposit: expected type 0x7e, got 0x$"),
        (b"\x02\xc0", "deposit: expected type 0x7e, got 0x02"),
        (b"\x7e", "input ends where an item should start"),
        (b"\x7e\x80", "deposit: expected a list, got bytes"),
        (b"\x7e\xc0", "deposit: expected 8 items, got 0"),
        (b"\x7e\xc0\x00", "1 bytes after the item"),
    ],
)
def test_what_is_no_deposit(raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        decode_deposit(raw)


@given(DEPOSITS, st.data())
def test_damaged_deposits(deposit: DepositTransaction, data: st.DataObject) -> None:
    raw = bytearray(deposit.raw)
    raw[data.draw(st.integers(1, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodingError):
        decoded = decode_deposit(bytes(raw))
        assert decoded.raw == b"\x7e" + rlp.encode(fields_of(decoded)) == raw


def test_the_l1_attributes_of_a_real_block() -> None:
    path = vector("op-blocks/op-sepolia-26207960.json.gz")
    block = json.loads(gzip.decompress(path.read_bytes()))
    deposit = decode_transaction(
        bytes.fromhex(block["payload_attributes"]["transactions"][0].removeprefix("0x"))
    )
    assert isinstance(deposit, DepositTransaction)
    assert deposit.sender == hex_address("deaddeaddeaddeaddeaddeaddeaddeaddead0001")
    assert deposit.to == hex_address("4200000000000000000000000000000000000015")
    assert (deposit.mint, deposit.value, deposit.gas) == (0, 0, 1_000_000)
    # The calldata names the L1 block and the place in its epoch that the source hash commits to.
    sequence_number = int.from_bytes(deposit.data[12:20], "big")
    l1_hash = Hash32(deposit.data[100:132])
    assert deposit.source_hash == l1_attributes_source_hash(l1_hash, sequence_number)
