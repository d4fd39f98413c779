"""The attribution lane in block building: what its calldata counts towards, and when it begins."""

import pytest

from node.builder import FillLimits
from node.config import AttributionConfig
from node.errors import IntrinsicGasTooLow
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import keccak256
from tests.node.execution.signing import GWEI
from tests.node.pooled_chain import GENESIS_TIME, open_pool, rollup_genesis
from tests.node.test_builder import add_all, pooled, signed


def test_lane_calldata_counts_towards_the_data_of_a_block() -> None:
    lane = AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=2**20)
    with open_pool(rollup_genesis(lane=lane)) as chain:
        fields = {"to": ATTRIBUTION_ADDRESS, "value": 0, "gas": 1_000_000}
        first = chain.transfer(0, data=bytes(700), tip=3 * GWEI, **fields)
        second = chain.transfer(1, data=bytes(700), tip=2 * GWEI, **fields)
        add_all(chain, first, second)
        limits = FillLimits(lambda: False, max_da_bytes=len(first.raw) + len(second.raw) - 1)
        assert signed(chain.mine(limits=limits)) == [first]
        assert signed(chain.mine(limits=limits)) == [second]
        larger = chain.transfer(2, data=bytes(1_700), **fields)
        add_all(chain, larger)
        assert signed(chain.mine(limits=limits)) == []
        assert pooled(chain) == set()


def test_lane_calldata_counts_towards_the_da_footprint() -> None:
    lane = AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=2**20)
    with open_pool(rollup_genesis(lane=lane, min_base_fee=0)) as chain:
        chain.l1_fees = {"da_footprint_gas_scalar": 60_000}
        fields = {"to": ATTRIBUTION_ADDRESS, "value": 0, "gas": 1_000_000}
        # Hashes do not compress: some 300 bytes each, at 60,000 gas; one fits into 30,000,000.
        data = [b"".join(keccak256(b"%d %d" % (n, at)) for at in range(10)) for n in range(2)]
        first = chain.transfer(0, data=data[0], tip=2 * GWEI, **fields)
        second = chain.transfer(1, data=data[1], tip=GWEI, **fields)
        add_all(chain, first, second)
        executed = chain.mine()
        assert signed(executed) == [first]
        assert executed.block.header.blob_gas_used > 15_000_000
        assert signed(chain.mine()) == [second]


def test_building_crosses_the_activation_of_the_lane() -> None:
    lane = AttributionConfig(time=GENESIS_TIME + 2, calldata_gas=4, block_calldata_limit=2**20)
    with open_pool(rollup_genesis(lane=lane)) as chain:
        data = bytes(50) + b"\xff" * 500
        fields = {"to": ATTRIBUTION_ADDRESS, "value": 0}
        cheap = chain.transfer(0, data=data, gas=30_000, **fields)
        with pytest.raises(IntrinsicGasTooLow):
            chain.mempool.add(cheap.raw)
        assert signed(chain.mine()) == []
        assert signed(chain.mine()) == []  # the pool judges by the rules of the newest block
        chain.mempool.add(cheap.raw)
        assert signed(chain.mine()) == [cheap]
