"""L1-attributes deposits: the three layouts, both directions."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.l1_info import (
    DEPOSITOR_ADDRESS,
    L1_BLOCK_ADDRESS,
    L1Info,
    L1InfoLayout,
    decode_l1_info,
    l1_info_deposit,
)
from node.errors import DecodingError
from node.types.block import BlockRef
from node.types.deposit import decode_deposit
from node.types.primitives import Address, BlockNumber, Hash32

VECTORS = Path(__file__).parents[2] / "../shared/vectors/op-blocks"

UINT16, UINT32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
UINT64, UINT256 = st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1)
INFOS = st.builds(
    L1Info,
    l1_block=st.builds(
        BlockRef, st.binary(min_size=32, max_size=32).map(Hash32), UINT64.map(BlockNumber)
    ),
    timestamp=UINT64,
    base_fee=UINT256,
    blob_base_fee=UINT256,
    sequence_number=UINT64,
    batcher=st.binary(min_size=20, max_size=20).map(Address),
    base_fee_scalar=UINT32,
    blob_base_fee_scalar=UINT32,
    operator_fee_scalar=UINT32,
    operator_fee_constant=UINT64,
    da_footprint_gas_scalar=UINT16,
)
SIZES = {L1InfoLayout.ECOTONE: 164, L1InfoLayout.ISTHMUS: 176, L1InfoLayout.JOVIAN: 178}


@given(INFOS, st.sampled_from(L1InfoLayout))
def test_round_trip(info: L1Info, layout: L1InfoLayout) -> None:
    data = info.encode(layout)
    assert len(data) == SIZES[layout]
    carried = info
    if layout is not L1InfoLayout.JOVIAN:
        carried = replace(carried, da_footprint_gas_scalar=0)
    if layout is L1InfoLayout.ECOTONE:
        carried = replace(carried, operator_fee_scalar=0, operator_fee_constant=0)
    assert decode_l1_info(data) == carried
    assert decode_l1_info(data).encode(layout) == data


@given(INFOS, st.sampled_from(L1InfoLayout), st.data())
def test_other_sizes_are_refused(info: L1Info, layout: L1InfoLayout, data: st.DataObject) -> None:
    raw = info.encode(layout) + bytes(10)
    size = data.draw(st.integers(0, len(raw)).filter(lambda n: n != SIZES[layout]))
    with pytest.raises(DecodingError, match="expected"):
        decode_l1_info(raw[:size])


def test_unknown_selector() -> None:
    with pytest.raises(DecodingError, match="got 0x015d8eb9"):
        decode_l1_info(bytes.fromhex("015d8eb9") + bytes(256))


def test_batcher_hash_must_be_an_address() -> None:
    with pytest.raises(DecodingError, match="batcherHash"):
        decode_l1_info(L1InfoLayout.ECOTONE.value + b"\xff" * 160)


def test_real_blocks() -> None:
    if not VECTORS.exists():
        pytest.skip("the vectors of the OP Stack's networks are not at hand")
    for path in VECTORS.glob("*.json.gz"):
        vector = json.loads(gzip.decompress(path.read_bytes()))
        raw = bytes.fromhex(vector["payload_attributes"]["transactions"][0][2:])
        deposit = decode_deposit(raw)
        info = decode_l1_info(deposit.data)
        layout = L1InfoLayout(deposit.data[:4])
        assert l1_info_deposit(info, layout) == deposit
        assert (deposit.sender, deposit.to) == (DEPOSITOR_ADDRESS, L1_BLOCK_ADDRESS)
