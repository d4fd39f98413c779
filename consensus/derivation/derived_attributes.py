"""What the pipeline yields: the instructions for one L2 block, and where they come from."""

from dataclasses import dataclass, replace

from consensus.block_refs import L1BlockRef, L2BlockRef
from node.types.block import BlockRef
from node.types.deposit import DepositTransaction
from node.types.payload import PayloadAttributes


@dataclass(frozen=True, slots=True)
class DerivedAttributes:
    """Attributes for the child of `parent`, in epoch `epoch`.

    `derived_from` is the L1 block that completed them: the child is as safe as that block is.
    """

    attributes: PayloadAttributes
    parent: L2BlockRef
    epoch: BlockRef
    derived_from: L1BlockRef

    @property
    def is_deposits_only(self) -> bool:
        """Whether all transactions come from L1, so that no batch can be at fault."""
        return all(isinstance(tx, DepositTransaction) for tx in self.attributes.transactions)

    def deposits_only(self) -> "DerivedAttributes":
        """Return the same block without what a batch put into it."""
        deposits = tuple(
            tx for tx in self.attributes.transactions if isinstance(tx, DepositTransaction)
        )
        return replace(self, attributes=replace(self.attributes, transactions=deposits))
