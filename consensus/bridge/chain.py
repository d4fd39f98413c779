"""One of the bridge's two chains, over JSON-RPC: what the steps of a transfer ask of it."""

from dataclasses import dataclass
from typing import Any, Self

from consensus.l1.client import L1Client
from consensus.l1.contract_call import decode_output, encode_call
from consensus.l1.json_objects import (
    JsonObject,
    as_data,
    as_hash,
    as_object,
    as_objects,
    as_quantity,
    header_from_json,
    log_from_json,
)
from consensus.l1.json_rpc import Json, JsonRpc, RpcFault
from consensus.l1.source import L1NotFound
from node.types.block import BlockRef, Header
from node.types.primitives import Address, BlockNumber, Hash32
from node.types.receipt import Log


@dataclass(frozen=True, slots=True)
class PlacedLog:
    """A log, and its index in its block."""

    index: int
    log: Log


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The block that holds a transaction, whether it succeeded there, and its logs."""

    block: BlockRef
    is_success: bool
    gas_used: int
    logs: tuple[PlacedLog, ...]


class Chain:
    """A chain of either layer. Every failure is a TemporaryError; `close` it in the end."""

    def __init__(self, rpc: JsonRpc, chain_id: int) -> None:
        self.chain_id = chain_id
        self.client = L1Client(rpc)
        self._rpc = rpc

    @classmethod
    async def open(cls, rpc: JsonRpc) -> Self:
        """Ask a server which chain it has."""
        return cls(rpc, as_quantity(await rpc.call("eth_chainId"), "eth_chainId"))

    @property
    def url(self) -> str:
        """Where it is."""
        return self._rpc.url

    async def has_code(self, address: Address) -> bool:
        """Return whether there is a contract at an address."""
        answer = await self._rpc.call("eth_getCode", _hex(address), "latest")
        return as_data(answer, "eth_getCode") != b""

    async def read(
        self, to: Address, signature: str, types: str, *arguments: Any, at: int | None = None
    ) -> Any:
        """Return what a view function answers, of the types given: one value, or a tuple of them.

        `at` is the block's number (the newest by default). RpcFault if it reverts, MalformedL1Data
        if it answers something else.
        """
        request: Json = {"to": _hex(to), "data": _hex(encode_call(signature, *arguments))}
        answer = await self._rpc.call("eth_call", request, "latest" if at is None else hex(at))
        values = decode_output(types, as_data(answer, signature), signature)
        return values[0] if len(values) == 1 else values

    async def inclusion(self, transaction: Hash32) -> Inclusion | None:
        """Return where a transaction is, None while it is in no block."""
        answer = await self._rpc.call("eth_getTransactionReceipt", _hex(transaction))
        if answer is None:
            return None
        receipt = as_object(answer, "receipt")
        number = as_quantity(receipt.get("blockNumber"), "blockNumber")
        return Inclusion(
            block=BlockRef(as_hash(receipt.get("blockHash"), "blockHash"), BlockNumber(number)),
            is_success=as_quantity(receipt.get("status"), "status") == 1,
            gas_used=as_quantity(receipt.get("gasUsed"), "gasUsed"),
            logs=tuple(_placed(log) for log in as_objects(receipt.get("logs"), "logs")),
        )

    async def knows(self, transaction: Hash32) -> bool:
        """Return whether the node has the transaction, in a block or pending."""
        return await self._rpc.call("eth_getTransactionByHash", _hex(transaction)) is not None

    async def head(self) -> Header:
        """Return the newest block's header."""
        return await self._header("latest")

    async def header(self, number: int) -> Header:
        """Return the header at a height, checked against its hash."""
        return await self._header(hex(number))

    async def storage_proof(self, address: Address, slot: int, number: int) -> JsonObject:
        """Return what eth_getProof answers for one slot at a block; RpcFault if it is pruned."""
        key = _hex(slot.to_bytes(32, "big"))
        answer = await self._rpc.call("eth_getProof", _hex(address), [key], hex(number))
        return as_object(answer, "eth_getProof")

    async def rollup_config(self) -> JsonObject | None:
        """Return the rollup's configuration as a rollup node shows it; None if it is none."""
        try:
            answer = await self._rpc.call("optimism_rollupConfig")
        except RpcFault as fault:
            if fault.is_method_missing:
                return None
            raise
        return as_object(answer, "optimism_rollupConfig")

    async def close(self) -> None:
        """Close the connections."""
        await self._rpc.close()

    async def _header(self, tag: str) -> Header:
        answer = await self._rpc.call("eth_getBlockByNumber", tag, False)
        if answer is None:
            raise L1NotFound(f"{self.url} has no block {tag}: it may still be syncing")
        return header_from_json(as_object(answer, f"block {tag}"))


def _placed(log: JsonObject) -> PlacedLog:
    return PlacedLog(as_quantity(log.get("logIndex"), "logIndex"), log_from_json(log))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
