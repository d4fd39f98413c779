import hashlib

import pytest
import rlp
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from node.types.primitives import (
    EMPTY_CODE_HASH,
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    Address,
    checksum_address,
    create_address,
    hex_address,
    hex_hash,
    keccak256,
)


@given(st.binary(max_size=300))
def test_keccak_is_the_one_of_ethereum(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


def test_constants() -> None:
    assert EMPTY_CODE_HASH.hex().startswith("c5d2460186f7233c927e7db2dcc703c0")
    assert keccak(rlp.encode(b"")) == EMPTY_TRIE_ROOT
    assert keccak(rlp.encode([])) == EMPTY_OMMERS_HASH
    assert hashlib.sha256().digest() == EMPTY_REQUESTS_HASH


@given(st.binary(min_size=20, max_size=20))
def test_checksums(address: bytes) -> None:
    assert checksum_address(address) == to_checksum_address(address)
    assert hex_address(checksum_address(address)) == address


@given(st.binary(min_size=32, max_size=32))
def test_hexadecimal_with_and_without_prefix(value: bytes) -> None:
    assert hex_hash(value.hex()) == hex_hash("0x" + value.hex().upper()) == value


@pytest.mark.parametrize(
    "text",
    ["", "0x", "0x" + "11" * 19, "11" * 21, "0x" + "1" * 39, "0x" + "zz" * 20, "0X" + "11" * 20],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        hex_address(text)


def test_white_space_is_no_digit() -> None:
    spaced = "11" * 18 + " 11 "
    assert len(spaced) == 40
    for text in (spaced, "11 " * 20, "0x " + "11" * 20):
        with pytest.raises(ValueError, match="hexadecimal"):
            hex_address(text)


@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**64 - 1))
def test_addresses_of_contracts(sender: bytes, nonce: int) -> None:
    expected = keccak(rlp.encode([sender, rlp.sedes.big_endian_int.serialize(nonce)]))[12:]
    assert create_address(Address(sender), nonce) == expected


def test_a_known_contract() -> None:
    # The first contract of the first development account, as every dev chain shows it.
    sender = hex_address("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
    assert create_address(sender, 0) == hex_address("5FbDB2315678afecb367f032d93F642f64180aa3")
