"""The network form of blob transactions, beside eth-account's and the rlp library's."""

import random

import pytest
import rlp
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import DecodingError
from node.types.blob_sidecar import BLOB_PROOFS, BLOB_SIZE, CELL_PROOFS, BlobSidecar
from node.types.blob_transaction import (
    decode_pooled_transaction,
    encode_pooled_transaction,
    sign_blob,
)
from node.types.primitives import checksum_address, keccak256
from node.types.transaction import BLOB, Transaction, decode_signed_transaction
from tests.node.blobs import sidecar
from tests.node.execution.signing import KEY, RECIPIENT, SENDER, sign


def any_sidecar(seed: int, version: int, blobs: int, commitments: int, proofs: int) -> BlobSidecar:
    rng = random.Random(seed)
    return BlobSidecar(
        version,
        tuple(rng.randbytes(BLOB_SIZE) for _ in range(blobs)),
        tuple(rng.randbytes(48) for _ in range(commitments)),
        tuple(rng.randbytes(48) for _ in range(proofs)),
    )


def signed(carried: BlobSidecar) -> Transaction:
    return sign_blob(
        KEY,
        carried,
        chain_id=900,
        nonce=3,
        max_priority_fee_per_gas=1,
        max_fee_per_gas=10**9,
        max_fee_per_blob_gas=7,
        gas=50_000,
        to=RECIPIENT,
        value=5,
        data=b"data",
    )


COUNTS = st.integers(0, 3)


@given(st.integers(0, 2**32), st.sampled_from([BLOB_PROOFS, CELL_PROOFS]), COUNTS, COUNTS, COUNTS)
@settings(max_examples=20, deadline=None)
def test_round_trip(seed: int, version: int, blobs: int, commitments: int, proofs: int) -> None:
    carried = any_sidecar(seed, version, blobs, commitments, proofs)
    tx = signed(carried)
    raw = encode_pooled_transaction(tx)
    again = decode_pooled_transaction(raw)
    assert (again, again.sidecar) == (tx, carried)
    assert encode_pooled_transaction(again) == raw
    assert raw == b"\3" + rlp.encode(
        [
            rlp.decode(tx.raw[1:]),
            *([b"\1"] if version == CELL_PROOFS else []),
            carried.blobs,
            carried.commitments,
            carried.proofs,
        ]
    )
    assert tx.size == len(tx.raw) + carried.size


@pytest.mark.parametrize("kind", range(5))
def test_without_blobs_the_encoding_is_the_block_s(kind: int) -> None:
    tx = sign(kind=kind)
    again = decode_pooled_transaction(tx.raw)
    assert (again, again.sidecar, again.size) == (tx, None, len(tx.raw))
    assert encode_pooled_transaction(tx) == tx.raw


def test_the_hash_is_of_the_transaction_alone() -> None:
    tx = signed(any_sidecar(1, BLOB_PROOFS, 1, 1, 1))
    again = decode_pooled_transaction(encode_pooled_transaction(tx))
    assert again.hash == tx.hash == keccak256(tx.raw)
    assert decode_signed_transaction(tx.raw) == tx
    assert again.sender == SENDER
    assert Account.recover_transaction(tx.raw) == checksum_address(SENDER)


def test_what_eth_account_signs_is_read_here() -> None:
    expected = sidecar(1, version=CELL_PROOFS)
    request = {
        "type": 3, "chainId": 900, "nonce": 0, "gas": 21_000, "to": checksum_address(RECIPIENT),
        "value": 1, "data": "0x", "maxFeePerGas": 10**9, "maxPriorityFeePerGas": 1,
        "maxFeePerBlobGas": 10,
    }  # fmt: skip
    made = Account.sign_transaction(request, KEY, blobs=list(expected.blobs))
    raw = bytes(made.raw_transaction)
    tx = decode_pooled_transaction(raw)
    assert (tx.type, tx.sender, tx.max_fee_per_blob_gas) == (BLOB, SENDER, 10)
    assert tx.sidecar == expected
    assert encode_pooled_transaction(tx) == raw
    assert tx.blob_versioned_hashes == expected.versioned_hashes()


CARRIED = any_sidecar(2, BLOB_PROOFS, 1, 1, 1)
TX = signed(CARRIED)
FIELDS = rlp.decode(TX.raw[1:])
LISTS = [list(CARRIED.blobs), list(CARRIED.commitments), list(CARRIED.proofs)]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([FIELDS], "blob sidecar: expected blobs, commitments and proofs, got 0 items"),
        ([FIELDS, *LISTS[:2]], "blob sidecar: expected blobs, commitments and proofs, got 2 items"),
        ([FIELDS, b"\1", *LISTS, []], "blob sidecar: expected 3 items, or a version and 3"),
        ([FIELDS, b"", *LISTS], "unsupported blob tx version 0: expected 1"),
        ([FIELDS, b"\2", *LISTS], "unsupported blob tx version 2: expected 1"),
        ([FIELDS, b"\0\1", *LISTS], "blob sidecar version: an integer has leading zeros"),
        ([FIELDS, [], *LISTS], "blob sidecar version: expected bytes, got a list"),
        ([FIELDS, b"", *LISTS[1:]], "blobs: expected a list, got bytes"),
        ([FIELDS, [b"\1" * (BLOB_SIZE - 1)], *LISTS[1:]], "blob 0: expected 131072 bytes"),
        ([FIELDS, [LISTS[0][0], b""], *LISTS[1:]], "blob 1: expected 131072 bytes, got 0"),
        ([FIELDS, [[]], *LISTS[1:]], "RLP: lists are nested too deeply"),
        ([FIELDS, LISTS[0], [bytes(47)], LISTS[2]], "commitment 0: expected 48 bytes, got 47"),
        ([FIELDS, LISTS[0], LISTS[1], [bytes(49)]], "proof 0: expected 48 bytes, got 49"),
        ([FIELDS[:-1], *LISTS], "type 3 transaction: expected 14 items, got 13"),
        ([[], *LISTS], "type 3 transaction: expected 14 items, got 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(items: list[object], message: str) -> None:
    with pytest.raises(DecodingError) as caught:
        decode_pooled_transaction(b"\3" + rlp.encode(items))
    assert str(caught.value).startswith(message)


def test_it_has_to_end_where_it_says() -> None:
    raw = encode_pooled_transaction(TX)
    with pytest.raises(DecodingError, match="RLP: 1 bytes after the item"):
        decode_pooled_transaction(raw + b"\0")
    for size in (*range(12), len(TX.raw), len(TX.raw) + 9, BLOB_SIZE, len(raw) - 49, len(raw) - 1):
        with pytest.raises(DecodingError):
            decode_pooled_transaction(raw[:size])


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_decoded_or_refused(tail: bytes) -> None:
    for raw in (b"\3" + tail, b"\3" + rlp.encode([FIELDS, tail]), b"\3\xf8\xff\xc0" + tail):
        with pytest.raises(DecodingError):
            decode_pooled_transaction(raw)
