"""Second stage: takes the batcher's data out of L1 blocks."""

import logging
from collections import deque
from typing import Final

from consensus.block_refs import L1BlockRef
from consensus.codec.blob import decode_blob
from consensus.config import RollupConfig
from consensus.derivation.l1_traversal import L1Traversal, PipelineStart
from consensus.derivation.outcomes import Drained
from consensus.l1.source import BlobSource, L1NotFound, L1Source
from node.errors import DecodingError, InvalidTransaction, ResetError, TemporaryError
from node.types.block import AnyTransaction, Block
from node.types.primitives import Address, Hash32
from node.types.transaction import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, Transaction

_DATA_TYPES: Final = (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB)

_log = logging.getLogger(__name__)


class L1Retrieval:
    """Yields the data of each transaction that the current batcher sent to the inbox: its calldata,
    or for a blob transaction what its blobs hold, one after the other.

    Whether the transaction succeeded on L1 is irrelevant: its data was published either way.
    """

    def __init__(
        self, config: RollupConfig, l1: L1Source, blobs: BlobSource, previous: L1Traversal
    ) -> None:
        self._config = config
        self._l1 = l1
        self._blobs = blobs
        self._previous = previous
        self._opening: L1BlockRef | None = None
        self._data: deque[bytes] = deque()

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_data(self) -> bytes | Drained:
        """Return the next piece of data, in L1 order."""
        while not self._data:
            if self._opening is None:
                block = await self._previous.next_l1_block()
                if isinstance(block, Drained):
                    return block
                self._opening = block
            # Kept until it is read: a temporary failure must not lose the block.
            self._data.extend(await self._data_of(self._opening))
            self._opening = None
        return self._data.popleft()

    def reset(self, start: PipelineStart) -> None:
        """Forget all data."""
        self._opening = None
        self._data.clear()
        self._previous.reset(start)

    async def _data_of(self, ref: L1BlockRef) -> list[bytes]:
        block = await self._l1.block(ref.hash)
        batcher = self._previous.system_config.batcher
        transactions = batcher_transactions(block, self._config.batch_inbox, batcher)
        names = [name for tx in transactions for name in tx.blob_versioned_hashes]
        blobs = iter(await self._read_blobs(ref, names) if names else ())
        data = []
        for tx in transactions:
            if tx.type != BLOB:
                data.append(tx.data)
                continue
            for name in tx.blob_versioned_hashes:
                try:
                    data.append(decode_blob(next(blobs)))
                except DecodingError as error:
                    _log.warning("blob 0x%s ignored: %s", name.hex(), error)
        return data

    async def _read_blobs(self, ref: L1BlockRef, names: list[Hash32]) -> tuple[bytes, ...]:
        """Return the blobs; ResetError if they do not come because L1 has replaced their block.

        A block can be read by its hash long after that, its blobs cannot.
        """
        try:
            return await self._blobs.blobs(ref, names)
        except TemporaryError as error:
            try:
                found = await self._l1.block_ref_by_number(ref.number)
            except L1NotFound:
                found = None
            if found is None or found.hash != ref.hash:
                raise ResetError(
                    f"L1 block {ref.number}: 0x{ref.hash.hex()}, whose blobs are needed, is not "
                    "canonical any more"
                ) from error
            raise


def batcher_transactions(block: Block, inbox: Address, batcher: Address) -> list[Transaction]:
    """Return the transactions that carry the batcher's data, in block order."""
    found = []
    for tx in block.transactions:
        if tx.to != inbox or not _is_from(tx, batcher):
            continue
        if isinstance(tx, Transaction) and tx.type in _DATA_TYPES:
            found.append(tx)
        else:
            _log.warning("batcher transaction of type %d ignored: 0x%s", tx.type, tx.hash.hex())
    return found


def _is_from(tx: AnyTransaction, batcher: Address) -> bool:
    if not isinstance(tx, Transaction):
        return False
    try:
        return tx.sender == batcher
    except InvalidTransaction:
        return False
