"""Headers against py-evm's, whole blocks against a chain that geth wrote."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
import rlp
from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.shanghai.blocks import Withdrawal as ReferenceWithdrawal
from hypothesis import given
from hypothesis import strategies as st

from node.errors import DecodingError
from node.types.block import (
    Block,
    BlockRef,
    Header,
    Withdrawal,
    decode_block,
    decode_body,
    decode_header,
)
from node.types.primitives import Address, BlockNumber, Hash32, hex_hash
from node.types.rlp_codec import RlpItem, decode, decode_prefix, encode
from node.types.transaction import BLOB, LEGACY, SET_CODE
from tests.node.execution.memory_chain import l1_attributes
from tests.node.execution.signing import KEY, RECIPIENT, authorize, sign
from tests.node.execution.vectors import vector

HASHES = st.binary(min_size=32, max_size=32).map(Hash32)
ADDRESSES = st.binary(min_size=20, max_size=20).map(Address)
UINT64 = st.integers(0, 2**64 - 1)
HEADERS = st.builds(
    Header,
    parent_hash=HASHES,
    coinbase=ADDRESSES,
    state_root=HASHES,
    transactions_root=HASHES,
    receipts_root=HASHES,
    bloom=st.binary(min_size=256, max_size=256),
    number=UINT64.map(BlockNumber),
    gas_limit=UINT64,
    gas_used=UINT64,
    timestamp=UINT64,
    extra_data=st.binary(max_size=32),
    prev_randao=HASHES,
    base_fee=st.integers(0, 2**256 - 1),
    withdrawals_root=HASHES,
    blob_gas_used=UINT64,
    excess_blob_gas=UINT64,
    parent_beacon_block_root=HASHES,
    requests_hash=st.one_of(st.none(), HASHES),
    difficulty=st.integers(0, 2**256 - 1),
    nonce=st.binary(min_size=8, max_size=8),
    ommers_hash=HASHES,
)
WITHDRAWALS = st.builds(Withdrawal, UINT64, UINT64, ADDRESSES, UINT64)
TRANSACTIONS = (
    l1_attributes(),
    *(sign(kind=kind) for kind in range(BLOB + 1)),
    sign(kind=LEGACY, chain_id=None),
    sign(kind=SET_CODE, authorizations=(authorize(KEY, RECIPIENT),)),
)
BLOCKS = st.builds(
    Block,
    HEADERS,
    st.lists(st.sampled_from(TRANSACTIONS), max_size=8).map(tuple),
    st.lists(WITHDRAWALS, max_size=3).map(tuple),
)


def reference_header(header: Header) -> Any:
    fields: dict[str, Any] = {
        "parent_hash": header.parent_hash,
        "uncles_hash": header.ommers_hash,
        "coinbase": header.coinbase,
        "state_root": header.state_root,
        "transaction_root": header.transactions_root,
        "receipt_root": header.receipts_root,
        "bloom": int.from_bytes(header.bloom, "big"),
        "difficulty": header.difficulty,
        "block_number": header.number,
        "gas_limit": header.gas_limit,
        "gas_used": header.gas_used,
        "timestamp": header.timestamp,
        "extra_data": header.extra_data,
        "mix_hash": header.prev_randao,
        "nonce": header.nonce,
        "base_fee_per_gas": header.base_fee,
        "withdrawals_root": header.withdrawals_root,
        "blob_gas_used": header.blob_gas_used,
        "excess_blob_gas": header.excess_blob_gas,
        "parent_beacon_block_root": header.parent_beacon_block_root,
    }
    if header.requests_hash is None:
        return CancunBlockHeader(**fields)
    return PragueBlockHeader(**fields, requests_hash=header.requests_hash)


@given(HEADERS)
def test_headers_are_py_evms(header: Header) -> None:
    reference = reference_header(header)
    assert header.encode() == rlp.encode(reference)
    assert header.hash == reference.hash
    assert header.ref == BlockRef(reference.hash, header.number)
    assert decode_header(header.encode()) == header


@given(HEADERS)
def test_a_changed_copy_has_its_own_hash(header: Header) -> None:
    before = header.hash
    other = replace(header, extra_data=header.extra_data + b"x")
    assert other.hash != before == header.hash
    assert other.hash == decode_header(other.encode()).hash


@given(WITHDRAWALS)
def test_withdrawals_are_py_evms(withdrawal: Withdrawal) -> None:
    reference = ReferenceWithdrawal(
        withdrawal.index, withdrawal.validator_index, withdrawal.address, withdrawal.amount
    )
    assert withdrawal.encode() == rlp.encode(reference)


@given(BLOCKS)
def test_blocks_round_trip(block: Block) -> None:
    decoded = decode_block(block.encode())
    assert decoded == block
    assert decode_body(block.header, block.encode_body()) == block
    assert (block.hash, block.number) == (decoded.hash, block.header.number)
    assert [tx.raw for tx in decoded.transactions] == [tx.raw for tx in block.transactions]


def test_geths_chain_round_trips() -> None:
    raw = (vector("l1-prague") / "chain.rlp").read_bytes()
    position, parent = 0, None
    while position < len(raw):
        _, end = decode_prefix(raw, position)
        block = decode_block(raw[position:end])
        assert block.encode() == raw[position:end]
        assert block.header.requests_hash is not None
        assert parent is None or block.header.parent_hash == parent
        parent, position = block.hash, end
    assert parent == hex_hash("514c48e760c62a38f91e011149b1b4a619bb3a7f750ec4430061bf19c3336635")


def sample() -> Block:
    header = decode_header(
        rlp.encode(
            PragueBlockHeader(
                difficulty=0, block_number=1, gas_limit=5, timestamp=1, base_fee_per_gas=1,
                coinbase=bytes(20), withdrawals_root=bytes(32), parent_beacon_block_root=bytes(32),
                requests_hash=bytes(32), blob_gas_used=0, excess_blob_gas=0,
            )
        )
    )  # fmt: skip
    withdrawal = Withdrawal(1, 2, Address(bytes(20)), 3)
    return Block(header, (sign(kind=LEGACY), sign()), (withdrawal,))


def header_with(place: int, value: RlpItem) -> bytes:
    fields = decode(sample().header.encode())
    assert isinstance(fields, list)
    return encode([*fields[:place], value, *fields[place + 1 :]])


FIXED = {
    0: ("parentHash", 32), 1: ("sha3Uncles", 32), 2: ("miner", 20), 3: ("stateRoot", 32),
    4: ("transactionsRoot", 32), 5: ("receiptsRoot", 32), 6: ("logsBloom", 256),
    13: ("mixHash", 32), 14: ("nonce", 8), 16: ("withdrawalsRoot", 32),
    19: ("parentBeaconBlockRoot", 32), 20: ("requestsHash", 32),
}  # fmt: skip
NUMBERS = {
    7: ("difficulty", 256), 8: ("number", 64), 9: ("gasLimit", 64), 10: ("gasUsed", 64),
    11: ("timestamp", 64), 15: ("baseFeePerGas", 256), 17: ("blobGasUsed", 64),
    18: ("excessBlobGas", 64),
}  # fmt: skip


@pytest.mark.parametrize("place", range(21))
def test_header_fields_that_are_wrong_are_named(place: int) -> None:
    wrong: list[tuple[RlpItem, str]]
    if place in FIXED:
        name, size = FIXED[place]
        wrong = [(bytes(size + 1), f"expected {size} bytes"), (b"", f"expected {size} bytes")]
    elif place in NUMBERS:
        name, bits = NUMBERS[place]
        too_long = b"\x01" * (bits // 8 + 1)
        wrong = [(b"\x00", "leading zeros"), (too_long, f"expected at most {bits} bits")]
    else:
        name, wrong = "extraData", []
    for value, reason in [*wrong, ([], "expected bytes, got a list")]:
        with pytest.raises(DecodingError, match=f"^{name}: .*{reason}"):
            decode_header(header_with(place, value))


def test_headers_of_other_forks_are_refused() -> None:
    fields = decode(sample().header.encode())
    assert isinstance(fields, list)
    assert decode_header(rlp.encode(fields[:20])).requests_hash is None
    for wrong in (fields[:17], [*fields, bytes(32)]):
        with pytest.raises(DecodingError, match=r"20 fields \(Cancun\) or 21 \(Prague\), got"):
            decode_header(rlp.encode(wrong))
    with pytest.raises(DecodingError, match="header: expected a list, got bytes"):
        decode_header(b"\x80")
    with pytest.raises(DecodingError, match="nested too deeply"):
        decode_header(header_with(0, [[[]]]))


LEGACY_ITEM, TYPED_ITEM = decode(sign(kind=LEGACY).raw), sign().raw


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([[], []], "block: expected 4 items, got 3"),
        ([b"", [], []], "transactions: expected a list, got bytes"),
        ([[], b"", []], "ommers: expected a list, got bytes"),
        ([[], [b""], []], "ommers: expected none"),
        ([[], [], b""], "withdrawals: expected a list, got bytes"),
        ([[], [], [b""]], "withdrawal: expected a list, got bytes"),
        ([[], [], [[b""]]], "withdrawal: expected 4 items, got 1"),
        ([[], [], [[b"", b"", bytes(19), b""]]], "withdrawal address: expected 20 bytes, got 19"),
        ([[], [], [[b"\x00", b"", bytes(20), b""]]], "withdrawal index: .* leading zeros"),
        ([[], [], [[b"", b"\x00", bytes(20), b""]]], "withdrawal validatorIndex: .* leading"),
        ([[], [], [[b"", b"", bytes(20), b"\x01" * 9]]], "withdrawal amount: .* 64 bits"),
        ([[b""], [], []], "transaction: expected an envelope, got no bytes"),
        ([[b"\x05"], [], []], "transaction type not supported: 0x05"),
        ([[[]], [], []], "legacy transaction: expected 9 items, got 0"),
        ([[[TYPED_ITEM]], [], []], "legacy transaction: expected 9 items, got 1"),
        # The same transaction in a second form would give the same block another encoding.
        ([[encode(LEGACY_ITEM)], [], []], "a legacy transaction as a list, got bytes"),
        ([[b"\xc0"], [], []], "a legacy transaction as a list, got bytes"),
    ],
)
def test_bodies_that_are_wrong(body: list[RlpItem], message: str) -> None:
    header = decode(sample().header.encode())
    assert decode_block(rlp.encode([header, [LEGACY_ITEM, TYPED_ITEM], [], []]))
    with pytest.raises(DecodingError, match=message):
        decode_block(rlp.encode([header, *body]))


@given(st.data())
def test_damaged_blocks(data: st.DataObject) -> None:
    raw = bytearray(sample().encode())
    for _ in range(data.draw(st.integers(1, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodingError):
        assert decode_block(bytes(raw)).encode() == raw


@given(st.binary(max_size=600))
def test_any_bytes(raw: bytes) -> None:
    for decoder in (decode_block, decode_header, lambda raw: decode_body(sample().header, raw)):
        with contextlib.suppress(DecodingError):
            decoder(raw)
