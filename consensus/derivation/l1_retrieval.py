"""Second stage: takes the batcher's data out of L1 blocks."""

import logging
from collections import deque
from typing import Final

from consensus.block_refs import L1BlockRef
from consensus.config import RollupConfig
from consensus.derivation.l1_traversal import L1Traversal, PipelineStart
from consensus.derivation.outcomes import Drained
from consensus.l1.source import L1Source
from node.errors import CriticalError, InvalidTransaction
from node.types.block import AnyTransaction, Block
from node.types.primitives import Address
from node.types.transaction import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, Transaction

_CALLDATA_TYPES: Final = (LEGACY, ACCESS_LIST, DYNAMIC_FEE)

_log = logging.getLogger(__name__)


class L1Retrieval:
    """Yields the data of each transaction that the current batcher sent to the inbox.

    Whether the transaction succeeded on L1 is irrelevant: its data was published either way.
    """

    def __init__(self, config: RollupConfig, l1: L1Source, previous: L1Traversal) -> None:
        self._config = config
        self._l1 = l1
        self._previous = previous
        self._opening: L1BlockRef | None = None
        self._data: deque[bytes] = deque()

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_data(self) -> bytes | Drained:
        """Return the next transaction's data, in L1 order.

        CriticalError for a blob transaction of the batcher, whose data this node cannot read.
        """
        while not self._data:
            if self._opening is None:
                block = await self._previous.next_l1_block()
                if isinstance(block, Drained):
                    return block
                self._opening = block
            # Kept until it is read: a temporary failure must not lose the block.
            block = self._opening
            self._data.extend(
                batcher_data(
                    await self._l1.block(block.hash),
                    self._config.batch_inbox,
                    self._previous.system_config.batcher,
                )
            )
            self._opening = None
        return self._data.popleft()

    def reset(self, start: PipelineStart) -> None:
        """Forget all data."""
        self._opening = None
        self._data.clear()
        self._previous.reset(start)


def batcher_data(block: Block, inbox: Address, batcher: Address) -> list[bytes]:
    """Return the calldata of the batcher's transactions to the inbox, in block order."""
    data = []
    for tx in block.transactions:
        if tx.to != inbox or not _is_from(tx, batcher):
            continue
        if tx.type == BLOB:
            raise CriticalError(
                f"batcher transaction 0x{tx.hash.hex()} in L1 block {block.number}: expected "
                "calldata, got blobs, which this node does not read"
            )
        if tx.type not in _CALLDATA_TYPES:
            _log.warning("batcher transaction of type %d ignored: 0x%s", tx.type, tx.hash.hex())
            continue
        data.append(tx.data)
    return data


def _is_from(tx: AnyTransaction, batcher: Address) -> bool:
    if not isinstance(tx, Transaction):
        return False
    try:
        return tx.sender == batcher
    except InvalidTransaction:
        return False
