"""Transactions and receipts."""

from collections.abc import Sequence

from node.config import ChainConfig
from node.errors import CorruptStore
from node.execution.fees import blob_base_fee
from node.mempool import Mempool
from node.reader import Reader
from node.types.block import Block
from node.types.primitives import Hash32
from node.types.receipt import Receipt
from node.types.transaction import DEPOSIT
from rpc.block_id import BlockId, block_hash, block_id, block_number, find_block
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, data
from rpc.encoding.receipt import block_receipts, transaction_receipt
from rpc.encoding.rollup_fees import rollup_fees
from rpc.encoding.transaction import mined_transaction, pending_transaction
from rpc.params import byte_string, hash32, required, uint64
from rpc.ports import TransactionSink
from rpc.slow_reads import SlowReads


class TransactionMethods:
    """Reads of transactions and receipts, and the way in for new ones."""

    def __init__(
        self,
        reader: Reader,
        mempool: Mempool,
        config: ChainConfig,
        sink: TransactionSink,
        slow_reads: SlowReads,
    ) -> None:
        self._reader = reader
        self._mempool = mempool
        self._config = config
        self._sink = sink
        self._slow_reads = slow_reads

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        of_hash = (required(hash32),)
        in_number = (required(block_number), required(uint64))
        in_hash = (required(block_hash), required(uint64))
        return (
            Method("eth_sendRawTransaction", self._send, (required(byte_string),)),
            Method("eth_getTransactionByHash", self._by_hash, of_hash),
            Method("eth_getTransactionByBlockNumberAndIndex", self._by_index, in_number),
            Method("eth_getTransactionByBlockHashAndIndex", self._by_index, in_hash),
            Method("eth_getRawTransactionByHash", self._raw, of_hash),
            Method("eth_getTransactionReceipt", self._receipt, of_hash),
            Method("eth_getBlockReceipts", self._block_receipts, (required(block_id),)),
        )

    async def _send(self, raw: bytes) -> Json:
        return data(await self._sink.send(raw))

    async def _by_hash(self, tx_hash: Hash32) -> Json:
        # First the pool: a transaction leaves it only after its block was stored.
        pending = self._mempool.get(tx_hash)
        location = self._reader.transaction(tx_hash)
        if location is not None:
            return self._show(location.block, location.index)
        return None if pending is None else pending_transaction(pending)

    async def _raw(self, tx_hash: Hash32) -> Json:
        pending = self._mempool.get(tx_hash)
        location = self._reader.transaction(tx_hash)
        if location is not None:
            return data(location.block.transactions[location.index].raw)
        return None if pending is None else data(pending.raw)

    async def _by_index(self, block_id: BlockId, index: int) -> Json:
        block = find_block(self._reader, block_id)
        if block is None or index >= len(block.transactions):
            return None
        return self._show(block, index)

    async def _receipt(self, tx_hash: Hash32) -> Json:
        location = self._reader.transaction(tx_hash)
        if location is None:
            return None
        block, index = location.block, location.index
        receipts = self._receipts_of(block)
        return transaction_receipt(
            block,
            receipts,
            index,
            rollup_fees(self._config, block, (block.transactions[index],))[0],
            blob_base_fee(self._config, block.header),
        )

    async def _block_receipts(self, block_id: BlockId) -> Json:
        return await self._slow_reads.run(self._read_block_receipts, block_id)

    def _read_block_receipts(self, block_id: BlockId) -> Json:
        block = find_block(self._reader, block_id)
        if block is None:
            return None
        return block_receipts(
            block,
            self._receipts_of(block),
            rollup_fees(self._config, block, block.transactions),
            blob_base_fee(self._config, block.header),
        )

    def _show(self, block: Block, index: int) -> Json:
        tx = block.transactions[index]
        nonce = self._receipts_of(block)[index].deposit_nonce if tx.type == DEPOSIT else None
        return mined_transaction(tx, block.header, index, nonce)

    def _receipts_of(self, block: Block) -> Sequence[Receipt]:
        receipts = self._reader.receipts(block.hash)
        if receipts is None:
            raise CorruptStore(f"receipts of block 0x{block.hash.hex()}: they are missing")
        return receipts
