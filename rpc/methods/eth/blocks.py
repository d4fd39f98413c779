"""Blocks, and facts about the chain."""

from node.config import ChainConfig
from node.reader import Reader
from rpc.block_id import BlockId, block_hash, block_number, find_block, find_header
from rpc.dispatcher import Method
from rpc.encoding.block import block_with_hashes, block_with_transactions
from rpc.encoding.hexadecimal import Json, quantity
from rpc.params import boolean, optional, required, uint64
from rpc.slow_reads import SlowReads

_NUMBER = required(block_number)
_HASH = required(block_hash)


class BlockMethods:
    """Reads of blocks. A block that is not there is null, not an error."""

    def __init__(self, reader: Reader, config: ChainConfig, slow_reads: SlowReads) -> None:
        self._reader = reader
        self._config = config
        self._slow_reads = slow_reads

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        full = optional(boolean, False)
        index = required(uint64)
        count, uncles = self._transaction_count, self._uncle_count
        return (
            Method("eth_chainId", self._chain_id),
            Method("eth_blockNumber", self._block_number),
            Method("eth_syncing", self._syncing),
            Method("eth_getBlockByNumber", self._block, (_NUMBER, full)),
            Method("eth_getBlockByHash", self._block, (_HASH, full)),
            Method("eth_getBlockTransactionCountByNumber", count, (_NUMBER,)),
            Method("eth_getBlockTransactionCountByHash", count, (_HASH,)),
            Method("eth_getUncleCountByBlockNumber", uncles, (_NUMBER,)),
            Method("eth_getUncleCountByBlockHash", uncles, (_HASH,)),
            Method("eth_getUncleByBlockNumberAndIndex", self._uncle, (_NUMBER, index)),
            Method("eth_getUncleByBlockHashAndIndex", self._uncle, (_HASH, index)),
        )

    async def _chain_id(self) -> Json:
        return quantity(self._config.chain_id)

    async def _block_number(self) -> Json:
        return quantity(self._reader.heads().unsafe.number)

    async def _syncing(self) -> Json:
        # What is stored has been executed: there is no phase in which answers are partial.
        return False

    async def _block(self, block: BlockId, full: bool) -> Json:
        return await self._slow_reads.run(self._read_block, block, full)

    def _read_block(self, block_id: BlockId, full: bool) -> Json:
        block = find_block(self._reader, block_id)
        if block is None:
            return None
        if not full:
            return block_with_hashes(block)
        return block_with_transactions(block, self._reader.receipts(block.hash) or ())

    async def _transaction_count(self, block_id: BlockId) -> Json:
        block = find_block(self._reader, block_id)
        return None if block is None else quantity(len(block.transactions))

    async def _uncle_count(self, block_id: BlockId) -> Json:
        return None if find_header(self._reader, block_id) is None else "0x0"

    async def _uncle(self, block_id: BlockId, index: int) -> Json:
        # Proof of stake has no uncles.
        return None
