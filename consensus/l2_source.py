"""What derivation reads back from the L2 chain that it builds."""

from typing import Protocol

from consensus.block_refs import L2BlockRef
from consensus.system_config import SystemConfig
from node.types.primitives import BlockNumber, Hash32


class L2Source(Protocol):
    """Read access to our own L2 blocks; a block that is not stored is a CriticalError."""

    async def ref_by_hash(self, block_hash: Hash32) -> L2BlockRef:
        """Return a stored block's reference."""
        ...

    async def ref_by_number(self, number: BlockNumber) -> L2BlockRef:
        """Return the canonical block at a height that is not above the unsafe head."""
        ...

    async def system_config(self, block_hash: Hash32) -> SystemConfig:
        """Return the system config in force after a stored block."""
        ...
