"""L1 over JSON-RPC: what derivation reads, and what a sender needs."""

import asyncio
from dataclasses import dataclass

from consensus.block_refs import L1BlockRef, l1_block_ref
from consensus.l1.answers import Answers, CheckedAnswers
from consensus.l1.json_objects import (
    JsonObject,
    MalformedL1Data,
    as_data,
    as_hash,
    as_object,
    as_objects,
    as_quantity,
    header_from_json,
)
from consensus.l1.json_rpc import Json, JsonRpc, RpcFault
from consensus.l1.source import L1BlockGone, L1NotFound, Label
from node.lru_cache import LruCache
from node.types.block import Block, BlockRef, Header
from node.types.primitives import Address, BlockNumber, Hash32
from node.types.receipt import Receipt

_INVALID_PARAMS = -32602
_UNKNOWN_BLOCK = -39001
_NO_SUCH_BLOCK = frozenset({_INVALID_PARAMS, _UNKNOWN_BLOCK})
_HEADERS_KEPT = 4096
_BODIES_KEPT = 64


@dataclass(frozen=True, slots=True)
class TransactionInclusion:
    """Where a transaction of ours ended up; `status` is 1 for success.

    `contract` is the address that it created, if it did.
    """

    hash: Hash32
    block: BlockRef
    status: int
    gas_used: int
    contract: Address | None = None


class L1Client:
    """An L1Source over HTTP. Errors are temporary, except UnsupportedL1 (critical).

    `answers` says how far L1 is believed: not at all unless told otherwise.
    """

    def __init__(self, rpc: JsonRpc, answers: Answers | None = None) -> None:
        self._rpc = rpc
        self._answers = answers or CheckedAnswers()
        self._headers: LruCache[Hash32, Header] = LruCache(_HEADERS_KEPT)
        self._blocks: LruCache[Hash32, Block] = LruCache(_BODIES_KEPT)
        self._receipts: LruCache[Hash32, tuple[Receipt, ...]] = LruCache(_BODIES_KEPT)
        self._has_block_receipts = True

    @property
    def url(self) -> str:
        """Where this L1 is."""
        return self._rpc.url

    async def chain_id(self) -> int:
        """Return L1's chain id."""
        return as_quantity(await self._rpc.call("eth_chainId"), "eth_chainId")

    async def genesis_hash(self) -> Hash32:
        """Return the hash of L1's first block, whose header may be older than all we can read."""
        answer = await self._rpc.call("eth_getBlockByNumber", "0x0", False)
        return as_hash(as_object(answer, "block 0").get("hash"), "hash")

    async def block_ref_by_number(self, number: int) -> L1BlockRef:
        """Return the canonical block at `number`; L1NotFound if L1 is not there yet."""
        header = await self._header_at(hex(number))
        if header.number != number:
            raise MalformedL1Data(f"L1: expected block {number}, got {header.number}")
        return l1_block_ref(header)

    async def block_ref_by_label(self, label: Label) -> L1BlockRef:
        """Return the latest, safe or finalized block; L1NotFound if there is none yet."""
        return l1_block_ref(await self._header_at(label))

    async def header(self, block_hash: Hash32) -> Header:
        """Return a header by hash; L1BlockGone if L1 does not know it (any more)."""
        if (known := self._headers.get(block_hash)) is not None:
            return known
        return (await self._fetch_by_hash(block_hash, with_transactions=False))[1]

    async def block(self, block_hash: Hash32) -> Block:
        """Return header and transactions by hash, against the header's transactions root."""
        if (known := self._blocks.get(block_hash)) is not None:
            return known
        answer, header = await self._fetch_by_hash(block_hash, with_transactions=True)
        entries = as_objects(answer.get("transactions"), "transactions")
        block = await asyncio.to_thread(self._answers.block, header, entries)
        self._blocks.put(block_hash, block)
        return block

    async def receipts(self, block_hash: Hash32) -> tuple[Receipt, ...]:
        """Return a block's receipts, checked against the header's receipts root."""
        if (known := self._receipts.get(block_hash)) is not None:
            return known
        header = await self.header(block_hash)
        entries = await self._fetch_receipts(block_hash)
        receipts = await asyncio.to_thread(self._answers.receipts, header, entries)
        self._receipts.put(block_hash, receipts)
        return receipts

    async def nonce(self, address: Address) -> int:
        """Return how many transactions `address` has had included."""
        return await self._quantity("eth_getTransactionCount", "0x" + address.hex(), "latest")

    async def pending_nonce(self, address: Address) -> int:
        """Return the nonce after all that `address` has had included or has waiting in the pool."""
        return await self._quantity("eth_getTransactionCount", "0x" + address.hex(), "pending")

    async def balance(self, address: Address) -> int:
        """Return the balance of `address` in wei of L1."""
        return await self._quantity("eth_getBalance", "0x" + address.hex(), "latest")

    async def base_fee(self) -> int:
        """Return the base fee of the latest block, in wei per gas unit."""
        return (await self._header_at("latest")).base_fee

    async def priority_fee(self) -> int | None:
        """Return the tip that L1 suggests, in wei per gas unit; None if it suggests none."""
        try:
            return await self._quantity("eth_maxPriorityFeePerGas")
        except RpcFault as fault:
            if fault.is_method_missing:
                return None
            raise

    async def blob_base_fee(self) -> int:
        """Return what a unit of blob gas costs in the next block, in wei."""
        return await self._quantity("eth_blobBaseFee")

    async def estimate_gas(
        self, sender: Address, to: Address | None, data: bytes, value: int = 0
    ) -> int:
        """Return the gas that a transaction will need; RpcFault says why it would revert."""
        call: dict[str, Json] = {"from": "0x" + sender.hex(), "data": "0x" + data.hex()}
        if value:
            call["value"] = hex(value)
        if to is not None:
            call["to"] = "0x" + to.hex()
        return await self._quantity("eth_estimateGas", call)

    async def send_raw_transaction(self, raw: bytes) -> Hash32:
        """Hand a signed transaction to L1; RpcFault carries the reason of a refusal."""
        answer = await self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        return as_hash(answer, "eth_sendRawTransaction")

    async def transaction_inclusion(self, transaction: Hash32) -> TransactionInclusion | None:
        """Return the block that holds a transaction, None while none does."""
        answer = await self._rpc.call("eth_getTransactionReceipt", "0x" + transaction.hex())
        if answer is None:
            return None
        receipt = as_object(answer, "receipt")
        number = as_quantity(receipt.get("blockNumber"), "blockNumber")
        created = receipt.get("contractAddress")
        return TransactionInclusion(
            hash=as_hash(receipt.get("transactionHash"), "transactionHash"),
            block=BlockRef(as_hash(receipt.get("blockHash"), "blockHash"), BlockNumber(number)),
            status=as_quantity(receipt.get("status"), "status"),
            gas_used=as_quantity(receipt.get("gasUsed"), "gasUsed"),
            contract=None if created is None else Address(as_data(created, "contractAddress", 20)),
        )

    async def call(self, to: Address, data: bytes) -> bytes:
        """Return the output of a read-only call at the latest block."""
        request: dict[str, Json] = {"to": "0x" + to.hex(), "data": "0x" + data.hex()}
        return as_data(await self._rpc.call("eth_call", request, "latest"), "eth_call")

    async def code(self, address: Address) -> bytes:
        """Return the code of an account at the latest block."""
        answer = await self._rpc.call("eth_getCode", "0x" + address.hex(), "latest")
        return as_data(answer, "eth_getCode")

    async def close(self) -> None:
        """Close the connections."""
        await self._rpc.close()

    async def _quantity(self, method: str, *params: Json) -> int:
        return as_quantity(await self._rpc.call(method, *params), method)

    async def _header_at(self, tag: str) -> Header:
        try:
            answer = await self._rpc.call("eth_getBlockByNumber", tag, False)
        except RpcFault as fault:
            # geth answers with an error, not null, while no block is safe or finalized yet;
            # chains without finality do not know the labels at all.
            if "not found" in fault.message or fault.code in _NO_SUCH_BLOCK:
                raise L1NotFound(f"L1 has no block {tag}: {fault.message}") from fault
            raise
        if answer is None:
            raise L1NotFound(f"L1 has no block {tag}")
        header = header_from_json(as_object(answer, "block"))
        self._headers.put(header.hash, header)
        return header

    async def _fetch_by_hash(
        self, block_hash: Hash32, *, with_transactions: bool
    ) -> tuple[JsonObject, Header]:
        name = "0x" + block_hash.hex()
        answer = await self._rpc.call("eth_getBlockByHash", name, with_transactions)
        if answer is None:
            raise L1BlockGone(f"L1 does not know block {name}")
        block = as_object(answer, "block")
        header = header_from_json(block)
        if header.hash != block_hash:
            raise MalformedL1Data(f"L1: expected block {name}, got 0x{header.hash.hex()}")
        self._headers.put(block_hash, header)
        return block, header

    async def _fetch_receipts(self, block_hash: Hash32) -> list[JsonObject]:
        name = "0x" + block_hash.hex()
        if self._has_block_receipts:
            try:
                answer = await self._rpc.call("eth_getBlockReceipts", name)
            except RpcFault as fault:
                if not fault.is_method_missing:
                    raise
                self._has_block_receipts = False
            else:
                if answer is None:
                    raise L1BlockGone(f"L1 does not know the receipts of block {name}")
                return as_objects(answer, "receipts")
        block = await self.block(block_hash)
        hashes = [["0x" + tx.hash.hex()] for tx in block.transactions]
        return as_objects(await self._rpc.batch("eth_getTransactionReceipt", hashes), "receipts")
