"""Which pending transactions have to wait behind others, because code took too long lately.

What is cut short at the end of a block's time pays nothing. If its tip still let it go first in
every block, somebody could keep all others out for nothing.
"""

from node.types.primitives import Address
from node.types.transaction import Transaction

LIGHT_GAS = 1_000_000
"""What runs within a small part of any block's time."""
WARY_BLOCKS = 60
MAX_WARY_BLOCKS = 2**6 * WARY_BLOCKS


class Wariness:
    """Forgets with the blocks that pass. Each relapse is remembered for twice as long.

    While it lasts, everything with much gas comes behind the rest, and what a sender of something
    slow has comes last: it may still run, when nobody else wants the time.
    """

    def __init__(self) -> None:
        self._blocks = 0
        self._quiet_blocks = 0
        self._period = WARY_BLOCKS
        self._slow_senders: dict[Address, int] = {}

    def report(self, tx: Transaction) -> None:
        """Take note that a block's time ran out while a transaction ran."""
        if tx.gas <= LIGHT_GAS:
            return
        if self._blocks == 0 and self._quiet_blocks:
            self._period = min(2 * self._period, MAX_WARY_BLOCKS)
        self._blocks = self._quiet_blocks = self._period
        self._slow_senders[tx.sender] = self._period

    def pass_blocks(self, count: int) -> None:
        """Take note of new blocks. After a period of wariness the same time has to be quiet."""
        quiet = max(count - self._blocks, 0)
        self._blocks = max(self._blocks - count, 0)
        self._quiet_blocks = max(self._quiet_blocks - quiet, 0)
        if self._quiet_blocks == 0:
            self._period = WARY_BLOCKS
        self._slow_senders = {
            sender: blocks - count
            for sender, blocks in self._slow_senders.items()
            if blocks > count
        }

    def rank(self, tx: Transaction) -> int:
        """Return how far behind a transaction comes: those with 0 go first."""
        if tx.sender in self._slow_senders:
            return 2
        return 1 if self._blocks and tx.gas > LIGHT_GAS else 0
