"""The system config as L2 blocks carry it."""

from dataclasses import replace

import pytest

from consensus.system_config import SystemConfig, decode_scalar, encode_scalar, system_config_after
from node.errors import DecodingError
from node.types.block import Block
from node.types.primitives import Hash32
from tests.consensus.actors import Sequencer
from tests.consensus.rollup import rollup_config
from tests.fakes.l1_source import FakeL1

FULL = SystemConfig(
    batcher=rollup_config(FakeL1()).genesis.system_config.batcher,
    base_fee_scalar=1,
    blob_base_fee_scalar=2,
    gas_limit=3_000_000,
    eip1559_denominator=100,
    eip1559_elasticity=5,
    operator_fee_scalar=6,
    operator_fee_constant=7,
    min_base_fee=8,
    da_footprint_gas_scalar=9,
)


async def _config_after_one_block(system: SystemConfig, *, jovian: bool) -> SystemConfig:
    l1 = FakeL1()
    config = rollup_config(l1, jovian=jovian)
    config = replace(config, genesis=replace(config.genesis, system_config=system))
    sequencer = Sequencer(config, l1)
    await sequencer.build()
    return system_config_after(sequencer.l2.block(sequencer.head))


async def test_a_jovian_block_carries_all_of_it() -> None:
    assert await _config_after_one_block(FULL, jovian=True) == FULL


async def test_an_isthmus_block_lacks_what_jovian_brought() -> None:
    expected = replace(FULL, min_base_fee=0, da_footprint_gas_scalar=0)
    assert await _config_after_one_block(FULL, jovian=False) == expected


async def test_defaults_become_explicit_after_the_first_block() -> None:
    defaults = replace(FULL, eip1559_denominator=0, eip1559_elasticity=0, da_footprint_gas_scalar=0)
    after = await _config_after_one_block(defaults, jovian=True)
    assert (after.eip1559_denominator, after.eip1559_elasticity) == (250, 6)
    assert after.da_footprint_gas_scalar == 400


async def test_blocks_that_do_not_open_with_l1_info() -> None:
    l1 = FakeL1()
    sequencer = Sequencer(rollup_config(l1), l1)
    await sequencer.build()
    block = sequencer.l2.block(sequencer.head)
    for transactions in ((), block.transactions[1:]):
        with pytest.raises(DecodingError, match="expected an L1-attributes deposit first"):
            system_config_after(Block(block.header, transactions))


@pytest.mark.parametrize("extra", [b"", bytes(9)[:8], b"\x01" + bytes(8), b"\x02" + bytes(16)])
async def test_blocks_with_other_extra_data(extra: bytes) -> None:
    l1 = FakeL1()
    sequencer = Sequencer(rollup_config(l1), l1)
    await sequencer.build()
    block = sequencer.l2.block(sequencer.head)
    with pytest.raises(DecodingError, match="extraData: expected 9 bytes"):
        system_config_after(Block(replace(block.header, extra_data=extra), block.transactions))


def test_scalars() -> None:
    assert decode_scalar(encode_scalar(5, 2**32 - 1)) == (5, 2**32 - 1)
    assert decode_scalar(Hash32(bytes(31) + b"\x09")) == (9, 0)
    assert decode_scalar(Hash32(bytes(27) + b"\x01" + bytes(4))) is None
    assert decode_scalar(Hash32(b"\x01\x01" + bytes(30))) is None
    assert decode_scalar(Hash32(b"\x02" + bytes(31))) is None
