"""Base fees, blob fees, L1 fee and operator fee."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config import CANCUN_BLOBS, ChainConfig
from node.errors import InvalidBlock, InvalidInput
from node.evm.rules import rules_at
from node.execution.fees import (
    GAS_PER_BLOB,
    Eip1559Parameters,
    L1FeeParameters,
    blob_base_fee,
    blob_base_fee_at,
    da_size,
    decode_extra_data,
    encode_extra_data,
    fake_exponential,
    l1_fee,
    l1_gas_used,
    next_base_fee,
    next_excess_blob_gas,
    operator_fee,
    parse_l1_fee_parameters,
    read_l1_fee_parameters,
)
from node.genesis import genesis_block, l1_dev_genesis, l2_genesis
from node.types.block import Header
from node.types.fastlz import fastlz_length
from node.types.primitives import Address
from node.types.transaction import Transaction
from tests.node.execution.memory_chain import l1_attributes
from tests.node.execution.signing import sign
from tests.node.types.test_fastlz import CONTRACT_CALL

ETHEREUM = l1_dev_genesis(timestamp=1_700_000_000)
ISTHMUS = l2_genesis(chain_id=901, timestamp=1_700_000_000)
JOVIAN = l2_genesis(chain_id=901, timestamp=1_700_000_000, min_base_fee=1_000)
PARAMETERS = L1FeeParameters(
    l1_base_fee=10**9, l1_blob_base_fee=10**7, base_fee_scalar=2, blob_base_fee_scalar=3
)


def _parent(config: ChainConfig, **fields: object) -> Header:
    genesis = next(g for g in (ETHEREUM, ISTHMUS, JOVIAN) if g.config is config)
    header = replace(genesis_block(genesis).block.header, gas_limit=30_000_000, base_fee=10**9)
    return replace(header, **fields)


@pytest.mark.parametrize(
    ("gas_used", "expected"),
    [
        (15_000_000, 10**9),
        (30_000_000, 1_125_000_000),
        (0, 875_000_000),
        (15_000_001, 10**9 + 8),
    ],
)
def test_ethereum_base_fee_moves_by_an_eighth_at_most(gas_used: int, expected: int) -> None:
    assert next_base_fee(ETHEREUM.config, _parent(ETHEREUM.config, gas_used=gas_used)) == expected


def test_a_rising_base_fee_rises_by_one_wei_at_least() -> None:
    parent = _parent(ETHEREUM.config, gas_used=15_000_001, base_fee=7)
    assert next_base_fee(ETHEREUM.config, parent) == 8


def test_rollup_base_fee_follows_the_parameters_in_the_parents_extra_data() -> None:
    extra = encode_extra_data(ISTHMUS.config, 0, Eip1559Parameters(8, 2))
    parent = _parent(ISTHMUS.config, gas_used=30_000_000, extra_data=extra)
    assert next_base_fee(ISTHMUS.config, parent) == 1_125_000_000


def test_jovian_meters_the_larger_of_gas_and_da_footprint_and_has_a_floor() -> None:
    extra = encode_extra_data(JOVIAN.config, 0, Eip1559Parameters(8, 2, 10**9))
    full = _parent(JOVIAN.config, gas_used=1, blob_gas_used=30_000_000, extra_data=extra)
    assert next_base_fee(JOVIAN.config, full) == 1_125_000_000
    empty = _parent(JOVIAN.config, gas_used=0, blob_gas_used=0, extra_data=extra)
    assert next_base_fee(JOVIAN.config, empty) == 10**9


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_extra_data_round_trips(denominator: int, elasticity: int, floor: int) -> None:
    jovian = Eip1559Parameters(denominator, elasticity, floor)
    raw = encode_extra_data(JOVIAN.config, 0, jovian)
    assert (len(raw), raw[0]) == (17, 1)
    assert decode_extra_data(JOVIAN.config, 0, raw) == jovian
    holocene = Eip1559Parameters(denominator, elasticity)
    raw = encode_extra_data(ISTHMUS.config, 0, holocene)
    assert (len(raw), raw[0]) == (9, 0)
    assert decode_extra_data(ISTHMUS.config, 0, raw) == holocene


def test_zero_parameters_stand_for_the_chains_own() -> None:
    raw = encode_extra_data(ISTHMUS.config, 0, Eip1559Parameters(0, 0))
    rollup = ISTHMUS.config.rollup
    assert rollup is not None
    own = Eip1559Parameters(rollup.eip1559_denominator, rollup.eip1559_elasticity)
    assert decode_extra_data(ISTHMUS.config, 0, raw) == own


@pytest.mark.parametrize(
    "raw",
    ["", "00000000fa000000", "01000000fa00000006", "00000000fa00000000", "000000000000000006"],
)
def test_malformed_extra_data_is_refused(raw: str) -> None:
    with pytest.raises(InvalidBlock, match=r"^extraData: expected"):
        decode_extra_data(ISTHMUS.config, 0, bytes.fromhex(raw))


def test_blob_fees_follow_eip_4844() -> None:
    config = replace(ETHEREUM.config, prague_time=None)
    assert fake_exponential(1, 5, 2) == 11
    assert blob_base_fee_at(config, 0, 0) == 1
    assert blob_base_fee_at(config, 0, 10 * CANCUN_BLOBS.base_fee_update_fraction) == 22_026
    parent = _parent(ETHEREUM.config, excess_blob_gas=GAS_PER_BLOB, blob_gas_used=9 * GAS_PER_BLOB)
    assert next_excess_blob_gas(ETHEREUM.config, parent, 0) == 4 * GAS_PER_BLOB
    assert next_excess_blob_gas(config, parent, 0) == 7 * GAS_PER_BLOB
    parent = _parent(ETHEREUM.config, excess_blob_gas=0, blob_gas_used=GAS_PER_BLOB)
    assert next_excess_blob_gas(ETHEREUM.config, parent, 0) == 0


def test_a_rollup_has_no_blobs() -> None:
    parent = _parent(JOVIAN.config, blob_gas_used=30_000_000, excess_blob_gas=0)
    assert next_excess_blob_gas(JOVIAN.config, parent, 0) == 0
    assert blob_base_fee(JOVIAN.config, parent) == 1


def _encoded_as(raw: bytes) -> Transaction:
    return replace(sign(), raw=raw)


def test_a_small_transaction_pays_for_a_hundred_bytes() -> None:
    price = 16 * 2 * 10**9 + 3 * 10**7
    tx = _encoded_as(b"\x02" * 50)
    assert l1_fee(tx, PARAMETERS) == 100_000_000 * price // 10**12
    assert l1_gas_used(tx) == 1_600
    assert da_size(tx) == 100


def test_a_large_transaction_pays_by_its_compressed_size() -> None:
    raw = bytes(range(256)) * 3 + bytes(range(0, 256, 3)) * 4
    tx = _encoded_as(raw)
    scaled = 836_500 * fastlz_length(raw) - 42_585_600
    assert scaled > 100_000_000
    assert l1_fee(tx, PARAMETERS) == scaled * (16 * 2 * 10**9 + 3 * 10**7) // 10**12
    assert da_size(tx) == scaled // 10**6
    assert l1_gas_used(tx) == scaled * 16 // 10**6


@pytest.mark.parametrize(("raw", "fee"), [(bytes.fromhex("facade"), 1_700), (CONTRACT_CALL, 2_148)])
def test_l1_fees_that_other_implementations_give(raw: bytes, fee: int) -> None:
    assert l1_fee(_encoded_as(raw), L1FeeParameters(1_000, 1_000, 1_000, 1_000)) == fee


def test_unset_scalars_bring_back_the_oldest_formula() -> None:
    old = L1FeeParameters(10**9, 0, 0, 0, overhead=188, scalar=684_000)
    tx = _encoded_as(b"\x00\x01")
    assert l1_fee(tx, old) == (4 + 16 + 188) * 10**9 * 684_000 // 10**6
    assert l1_fee(tx, replace(old, overhead=0, scalar=0)) == 0


def test_the_operator_fee_of_both_forks() -> None:
    parameters = replace(PARAMETERS, operator_fee_scalar=7, operator_fee_constant=11)
    assert operator_fee(2_000_000, parameters, is_jovian=False) == 14 + 11
    assert operator_fee(2_000_000, parameters, is_jovian=True) == 1_400_000_000 + 11
    assert operator_fee(2_000_000, PARAMETERS, is_jovian=True) == 0


def test_storage_and_calldata_give_the_same_parameters() -> None:
    deposit = l1_attributes(
        base_fee_scalar=1,
        blob_base_fee_scalar=2,
        l1_base_fee=3,
        l1_blob_base_fee=4,
        operator_fee_scalar=5,
        operator_fee_constant=6,
        da_footprint_gas_scalar=7,
    )
    parsed = parse_l1_fee_parameters(deposit.data)
    assert parsed == L1FeeParameters(3, 4, 1, 2, 5, 6, 7)
    slots = {1: 3, 3: 1 << 96 | 2 << 64 | 99, 7: 4, 8: 7 << 96 | 5 << 64 | 6}

    def read(_: Address, slot: int) -> int:
        return slots[slot]

    assert read_l1_fee_parameters(read, rules_at(JOVIAN.config, 0)) == parsed


@pytest.mark.parametrize("data", [b"", bytes(178), bytes.fromhex("3db6be2b") + bytes(173)])
def test_calldata_of_another_format_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="L1 attributes"):
        parse_l1_fee_parameters(data)
