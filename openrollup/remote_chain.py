"""The chain of a running node, read over its JSON-RPC. Each answer is checked against its hashes.

Any node's eth methods will do. Where there are debug_getRawBlock and eth_getBlockReceipts, they
are used, because they are faster.
"""

from dataclasses import dataclass

from consensus.l1.json_objects import (
    JsonObject,
    MalformedL1Data,
    UnsupportedL1,
    as_data,
    as_hash,
    as_object,
    as_objects,
    as_quantity,
)
from consensus.l1.json_rpc import Json, JsonRpc, RpcFault
from node.difference import Differs
from node.errors import ConfigError, DecodingError, InvalidBlock, NodeError, ResetError
from node.execution.header import check_same
from node.genesis import Genesis, parse_genesis
from node.replayed_chain import check_transactions
from node.types.block import Block, BlockRef, Header, decode_block
from node.types.primitives import BlockNumber, Hash32
from openrollup.json_block import block_from_json, header_from_json, transaction_hashes


class BlockGone(ResetError):
    """A block that the node has just named is not there any more: its chain was reorganised."""


@dataclass(frozen=True, slots=True)
class RemoteBlock:
    """A block, and the receipts that the node shows for it (None if they were not asked for)."""

    block: Block
    receipts: list[JsonObject] | None


class RemoteChain:
    """Reads one node. TemporaryError if it does not answer, Differs if it contradicts itself."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self._has_raw_blocks = True
        self._has_block_receipts = True

    async def chain_id(self) -> int:
        """Return the chain id."""
        return as_quantity(await self._rpc.call("eth_chainId"), "eth_chainId")

    async def newest(self) -> BlockNumber:
        """Return the number of the newest block."""
        answer = await self._rpc.call("eth_blockNumber")
        return BlockNumber(as_quantity(answer, "eth_blockNumber"))

    async def genesis(self) -> Genesis | None:
        """Return what the chain begins with, None if the node does not tell."""
        try:
            answer = await self._rpc.call("openrollup_genesis")
        except RpcFault as fault:
            if fault.is_method_missing:
                return None
            raise
        try:
            return parse_genesis(answer)
        except ConfigError as error:
            raise NodeError(f"openrollup_genesis of {self._rpc.url}: {error}") from error

    async def ref(self, number: int) -> BlockRef | None:
        """Return the block that is canonical now at a height, None above the newest one."""
        answer = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
        if answer is None:
            return None
        block_hash = as_hash(as_object(answer, "block").get("hash"), "hash")
        return BlockRef(block_hash, BlockNumber(number))

    async def block(self, number: int, *, with_receipts: bool) -> RemoteBlock | None:
        """Return the canonical block at a height, None above the newest one.

        BlockGone if it was replaced while it was being read.
        """
        try:
            answer = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
            if answer is None:
                return None
            summary = as_object(answer, "block")
            header = header_from_json(summary)
            if header.number != number:
                raise Differs("number", number, header.number)
            block = await self._whole_block(summary, header)
            receipts = await self._receipts(block) if with_receipts else None
        except (MalformedL1Data, UnsupportedL1) as error:
            raise Differs("block", "a block of Cancun or later as JSON", error) from error
        return RemoteBlock(block, receipts)

    async def _whole_block(self, summary: JsonObject, header: Header) -> Block:
        block = await self._raw_block(header.hash) if self._has_raw_blocks else None
        if block is None:
            answer = await self._rpc.call("eth_getBlockByHash", _hex(header.hash), True)
            if answer is None:
                raise BlockGone(f"block {_hex(header.hash)} is gone")
            block = block_from_json(as_object(answer, "block"))
        try:
            check_same(header, block.header)
        except InvalidBlock as error:
            raise Differs(error.field, error.expected, error.actual) from error
        check_transactions(block)
        _check_hashes(block, transaction_hashes(summary))
        return block

    async def _raw_block(self, block_hash: Hash32) -> Block | None:
        """Return a block from its encoding, None if the node does not give it."""
        try:
            answer = await self._rpc.call("debug_getRawBlock", _hex(block_hash))
        except RpcFault as fault:
            # Providers refuse the debug namespace in many words: the eth methods must do then.
            self._has_raw_blocks = not fault.is_method_missing
            return None
        try:
            return decode_block(as_data(answer, "debug_getRawBlock"))
        except DecodingError as error:
            raise Differs("debug_getRawBlock", "an encoded block", error) from error

    async def _receipts(self, block: Block) -> list[JsonObject]:
        if self._has_block_receipts:
            try:
                answer = await self._rpc.call("eth_getBlockReceipts", _hex(block.hash))
            except RpcFault as fault:
                if not fault.is_method_missing:
                    raise
                self._has_block_receipts = False
            else:
                return _as_receipts(block, answer)
        hashes: list[list[Json]] = [[_hex(tx.hash)] for tx in block.transactions]
        answers = await self._rpc.batch("eth_getTransactionReceipt", hashes)
        return _as_receipts(block, None if None in answers else answers)


def _as_receipts(block: Block, answer: Json) -> list[JsonObject]:
    if answer is None:
        raise BlockGone(f"the receipts of block {_hex(block.hash)} are gone")
    receipts = as_objects(answer, "receipts")
    if len(receipts) != len(block.transactions):
        raise Differs("receipts", len(block.transactions), len(receipts))
    return receipts


def _check_hashes(block: Block, claimed: list[Hash32]) -> None:
    if len(claimed) != len(block.transactions):
        raise Differs("transactions", len(block.transactions), len(claimed))
    for index, (tx, tx_hash) in enumerate(zip(block.transactions, claimed, strict=True)):
        if tx.hash != tx_hash:
            raise Differs("hash", tx.hash, tx_hash, index)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
