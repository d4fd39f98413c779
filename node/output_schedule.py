"""Which blocks of a rollup have outputs on L1: known once the terms of its oracle are."""

from dataclasses import dataclass

from node.types.primitives import BlockNumber


@dataclass(frozen=True, slots=True)
class OutputSchedule:
    """Output number i is of block `start` + (i + 1) x `interval`, whoever proposes it, and when."""

    start: BlockNumber
    interval: int

    def index_for(self, block: BlockNumber) -> int:
        """Return the number of the first output at or after a block."""
        return max(0, -(-(block - self.start) // self.interval) - 1)

    def block_of(self, index: int) -> BlockNumber:
        """Return the block of an output."""
        return BlockNumber(self.start + (index + 1) * self.interval)

    def block_for(self, block: BlockNumber) -> BlockNumber:
        """Return the first block at or after this one that has an output."""
        return self.block_of(self.index_for(block))
