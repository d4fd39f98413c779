"""References of blocks."""

from dataclasses import replace

import pytest

from consensus.block_refs import l2_block_ref
from node.errors import CriticalError, DecodingError
from node.types.block import Block
from node.types.primitives import BlockNumber
from tests.consensus.actors import Sequencer
from tests.consensus.rollup import rollup_config
from tests.fakes.l1_source import FakeL1


async def test_place_in_the_epoch() -> None:
    l1 = FakeL1()
    config = rollup_config(l1)
    sequencer = Sequencer(config, l1)
    l1.mine()
    refs = []
    for _ in range(7):
        await sequencer.build()
        refs.append(l2_block_ref(sequencer.l2.block(sequencer.head), config))
    assert [ref.sequence_number for ref in refs] == [1, 2, 3, 4, 5, 0, 1]
    assert {ref.l1_origin for ref in refs[:5]} == {l1.genesis.ref}
    assert refs[5].l1_origin == l1.head.ref
    assert refs[1].parent_hash == refs[0].hash
    assert refs[1].ref.number == 2


async def test_genesis_comes_from_the_config() -> None:
    l1 = FakeL1()
    config = rollup_config(l1)
    sequencer = Sequencer(config, l1)
    await sequencer.build()
    block = sequencer.l2.block(sequencer.head)
    header = replace(block.header, number=BlockNumber(0))
    genesis = Block(header, ())
    with pytest.raises(CriticalError, match="L2 genesis block: expected"):
        l2_block_ref(genesis, config)
    l2 = replace(config.genesis.l2, hash=header.hash)
    config = replace(config, genesis=replace(config.genesis, l2=l2))
    ref = l2_block_ref(genesis, config)
    assert (ref.l1_origin, ref.sequence_number) == (l1.genesis.ref, 0)
    with pytest.raises(DecodingError, match="expected an L1-attributes deposit"):
        l2_block_ref(Block(block.header, ()), config)
