"""What a new block is built from: the engine API's payload attributes, for both rule sets."""

from dataclasses import dataclass

from node.types.block import AnyTransaction, Block, Withdrawal
from node.types.primitives import Address, Hash32


@dataclass(frozen=True, slots=True)
class PayloadAttributes:
    """Build instructions for the child of a known block.

    `transactions` come first and in this order, whatever the mempool holds; with `no_tx_pool`
    nothing follows them. `extra_data` is the header's (on a rollup: the encoded EIP-1559
    parameters of the block, never zero; see `node.execution.fees`). `timestamp` is in seconds.
    """

    timestamp: int
    prev_randao: Hash32
    fee_recipient: Address
    parent_beacon_block_root: Hash32
    gas_limit: int
    extra_data: bytes
    transactions: tuple[AnyTransaction, ...] = ()
    no_tx_pool: bool = True
    withdrawals: tuple[Withdrawal, ...] = ()


def attributes_of(block: Block) -> PayloadAttributes:
    """Return the instructions that give this very block again."""
    header = block.header
    return PayloadAttributes(
        timestamp=header.timestamp,
        prev_randao=header.prev_randao,
        fee_recipient=header.coinbase,
        parent_beacon_block_root=header.parent_beacon_block_root,
        gas_limit=header.gas_limit,
        extra_data=header.extra_data,
        transactions=block.transactions,
        withdrawals=block.withdrawals,
    )
