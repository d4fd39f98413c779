"""The debug namespace: blocks, receipts and transactions as they are encoded."""

from node.errors import CorruptStore
from node.mempool import Mempool
from node.reader import Reader
from node.types.primitives import Hash32
from rpc.block_id import BlockId, block_id, find_block, find_header
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, data
from rpc.errors import not_found
from rpc.params import hash32, required
from rpc.slow_reads import SlowReads

_NOTHING = "0x"


class DebugMethods:
    """Raw reads, as geth serves them: no bytes where there is no block of that number or no such
    transaction, an error for a block hash that nobody knows.
    """

    def __init__(self, reader: Reader, mempool: Mempool, slow_reads: SlowReads) -> None:
        self._reader = reader
        self._mempool = mempool
        self._slow_reads = slow_reads

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        of_block = (required(block_id),)
        return (
            Method("debug_getRawHeader", self._header, of_block),
            Method("debug_getRawBlock", self._block, of_block),
            Method("debug_getRawReceipts", self._receipts, of_block),
            Method("debug_getRawTransaction", self._transaction, (required(hash32),)),
        )

    async def _header(self, block_id: BlockId) -> Json:
        header = find_header(self._reader, block_id)
        return _no_block(block_id, "header", _NOTHING) if header is None else data(header.encode())

    async def _block(self, block_id: BlockId) -> Json:
        return await self._slow_reads.run(self._read_block, block_id)

    def _read_block(self, block_id: BlockId) -> Json:
        block = find_block(self._reader, block_id)
        return _no_block(block_id, "block", _NOTHING) if block is None else data(block.encode())

    async def _receipts(self, block_id: BlockId) -> Json:
        return await self._slow_reads.run(self._read_receipts, block_id)

    def _read_receipts(self, block_id: BlockId) -> Json:
        header = find_header(self._reader, block_id)
        if header is None:
            return _no_block(block_id, "block", None)
        receipts = self._reader.receipts(header.hash)
        if receipts is None:
            raise CorruptStore(f"receipts of block 0x{header.hash.hex()}: they are missing")
        return [data(receipt.encode()) for receipt in receipts]

    async def _transaction(self, tx_hash: Hash32) -> Json:
        # First the pool: a transaction leaves it only after its block was stored.
        pending = self._mempool.get(tx_hash)
        location = self._reader.transaction(tx_hash)
        if location is not None:
            return data(location.block.transactions[location.index].raw)
        return _NOTHING if pending is None else data(pending.raw)


def _no_block(block_id: BlockId, what: str, nothing: Json) -> Json:
    if isinstance(block_id.at, bytes):
        raise not_found(f"{what} {data(block_id.at)} not found")
    return nothing
