from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from consensus.consolidation import difference
from node.clock import VirtualClock
from node.types.block import Withdrawal
from node.types.payload import PayloadAttributes
from node.types.primitives import ZERO_ADDRESS, Hash32, keccak256
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.l1_source import FakeL1


@pytest.fixture
def node() -> Iterator[RollupNode]:
    l1 = FakeL1()
    config, genesis = make_genesis(l1)
    node = RollupNode(l1, config, genesis, VirtualClock(l1.genesis.timestamp))
    yield node
    node.close()


async def _built(node: RollupNode) -> tuple[Any, Hash32, PayloadAttributes]:
    node.send(0)
    block = await node.build()
    header = block.header
    attributes = PayloadAttributes(
        timestamp=header.timestamp,
        prev_randao=header.prev_randao,
        fee_recipient=header.coinbase,
        parent_beacon_block_root=header.parent_beacon_block_root,
        gas_limit=header.gas_limit,
        extra_data=header.extra_data,
        transactions=block.transactions,
    )
    return block, header.parent_hash, attributes


async def test_a_block_is_what_its_own_attributes_ask_for(node: RollupNode) -> None:
    block, parent, attributes = await _built(node)
    assert difference(block, parent, attributes) is None
    rebuilt = node.engine.build(node.reader.header_by_hash(parent), attributes)  # type: ignore[arg-type]
    assert rebuilt.block.hash == block.hash


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("timestamp", 1, "timestamp"),
        ("prev_randao", keccak256(b"other"), "mixHash"),
        ("fee_recipient", ZERO_ADDRESS, "miner"),
        ("parent_beacon_block_root", keccak256(b"other"), "parentBeaconBlockRoot"),
        ("gas_limit", 1, "gasLimit"),
        ("extra_data", b"", "extraData"),
        ("transactions", (), "transactions"),
        ("withdrawals", (Withdrawal(0, 0, ZERO_ADDRESS, 1),), "withdrawals"),
    ],
)
async def test_each_difference_is_named(
    node: RollupNode, field: str, value: object, name: str
) -> None:
    block, parent, attributes = await _built(node)
    changed: Any = {field: value}
    assert difference(block, parent, replace(attributes, **changed)) == name


async def test_another_parent_is_a_difference(node: RollupNode) -> None:
    block, _, attributes = await _built(node)
    assert difference(block, keccak256(b"other"), attributes) == "parentHash"
