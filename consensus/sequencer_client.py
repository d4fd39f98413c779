"""The unsafe blocks of a sequencer, read over its JSON-RPC."""

from consensus.l1.json_objects import as_data, as_hash, as_object, as_quantity
from consensus.l1.json_rpc import JsonRpc
from node.errors import DecodingError, TemporaryError
from node.types.block import Block, BlockRef, decode_block
from node.types.primitives import BlockNumber


class SequencerClient:
    """One sequencer. What it says is only decoded here; failures to answer are TemporaryError."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    @property
    def url(self) -> str:
        """Where the sequencer is."""
        return self._rpc.url

    async def head(self) -> BlockRef:
        """Return its newest block."""
        answer = as_object(await self._rpc.call("eth_getBlockByNumber", "latest", False), "block")
        number = as_quantity(answer.get("number"), "number")
        return BlockRef(as_hash(answer.get("hash"), "hash"), BlockNumber(number))

    async def block(self, number: int) -> Block:
        """Return its block at a height; TemporaryError if it has none (any more)."""
        answer = await self._rpc.call("debug_getRawBlock", hex(number))
        raw = as_data(answer, "debug_getRawBlock")
        if not raw:
            raise TemporaryError(f"{self.url}: expected block {number}, there is none")
        try:
            block = decode_block(raw)
        except DecodingError as error:
            raise TemporaryError(f"{self.url}: block {number}: {error}") from error
        if block.number != number:
            raise TemporaryError(f"{self.url}: expected block {number}, got block {block.number}")
        return block

    async def close(self) -> None:
        """Close the connections."""
        await self._rpc.close()
