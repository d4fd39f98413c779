"""What a transaction can see of the block that it runs in."""

from collections.abc import Callable
from dataclasses import dataclass

from node.types.primitives import Address, BlockNumber, Hash32

BlockHashes = Callable[[BlockNumber], Hash32]
"""Returns the hash of an ancestor of the block that is being executed."""


Interrupt = Callable[[], None]
"""Called now and then while code runs; what it raises ends the run and passes through to the top.

Only whoever may give up asks for one: a block builder, a simulation. Consensus never does.
"""


def no_interrupt() -> None:
    """Let code run to its end."""


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
    interrupt: Interrupt = no_interrupt
