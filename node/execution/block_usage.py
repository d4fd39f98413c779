"""What signed transactions take of a block besides gas, and how much of it a block has."""

from dataclasses import dataclass
from typing import NamedTuple

from node.config import ChainConfig
from node.errors import BlockGasLimitReached, LaneLimitReached
from node.evm.rules import Rules
from node.execution.fees import GAS_PER_BLOB
from node.execution.intrinsic import is_in_lane
from node.execution.l1_fees import da_size
from node.types.payload import PayloadAttributes
from node.types.transaction import Transaction


class BlockUsage(NamedTuple):
    """Blob gas, bytes of attribution calldata, bytes to publish, and the Jovian DA footprint."""

    blob_gas: int = 0
    lane_bytes: int = 0
    da_bytes: int = 0
    da_footprint: int = 0

    def plus(self, other: "BlockUsage") -> "BlockUsage":
        """Return the sum."""
        return BlockUsage(
            self.blob_gas + other.blob_gas,
            self.lane_bytes + other.lane_bytes,
            self.da_bytes + other.da_bytes,
            self.da_footprint + other.da_footprint,
        )


NOTHING = BlockUsage()
"""What a deposit takes."""


def usage_of(tx: Transaction, rules: Rules, da_footprint_gas_scalar: int) -> BlockUsage:
    """Return what a transaction takes; the scalar is 0 where there is no DA footprint."""
    scalar = da_footprint_gas_scalar
    return BlockUsage(
        blob_gas=GAS_PER_BLOB * len(tx.blob_versioned_hashes),
        lane_bytes=len(tx.data) if is_in_lane(tx, rules) else 0,
        da_bytes=len(tx.raw),
        da_footprint=da_size(tx) * scalar if scalar else 0,
    )


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """How much a block may hold. What it has to publish is bounded by its builder alone."""

    blob_gas: int
    lane_bytes: int
    da_footprint: int

    def check(self, used: BlockUsage, share: BlockUsage) -> None:
        """Check that `share` fits beside `used`; the errors say what does not."""
        if used.blob_gas + share.blob_gas > self.blob_gas:
            raise BlockGasLimitReached(
                f"gas limit reached: blob gas {used.blob_gas} + {share.blob_gas}, "
                f"limit {self.blob_gas}"
            )
        if used.da_footprint + share.da_footprint > self.da_footprint:
            raise BlockGasLimitReached(
                f"gas limit reached: DA footprint {used.da_footprint} + {share.da_footprint}, "
                f"limit {self.da_footprint}"
            )
        if used.lane_bytes + share.lane_bytes > self.lane_bytes:
            raise LaneLimitReached(
                f"lane limit reached: attribution calldata {used.lane_bytes} + "
                f"{share.lane_bytes} bytes, limit {self.lane_bytes}"
            )


def limits_of(config: ChainConfig, rules: Rules, attributes: PayloadAttributes) -> BlockLimits:
    """Return the limits of the block that is built from `attributes`."""
    return BlockLimits(
        blob_gas=GAS_PER_BLOB * config.blobs_at(attributes.timestamp).maximum,
        lane_bytes=0 if rules.lane is None else rules.lane.block_calldata_limit,
        da_footprint=attributes.gas_limit,
    )
