"""What a transaction can see of the block that it runs in."""

from collections.abc import Callable
from dataclasses import dataclass

from node.types.primitives import Address, BlockNumber, Hash32

BlockHashes = Callable[[BlockNumber], Hash32]
"""Returns the hash of an ancestor of the block that is being executed."""


@dataclass(frozen=True, slots=True)
class BlockEnvironment:
    """The block context of the EVM. Fees are in wei per unit of (blob) gas, time in seconds.

    `block_hash` is only asked for the 256 blocks before `number`.
    """

    chain_id: int
    coinbase: Address
    timestamp: int
    number: BlockNumber
    gas_limit: int
    base_fee: int
    prev_randao: Hash32
    blob_base_fee: int
    block_hash: BlockHashes
