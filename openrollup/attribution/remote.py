"""A node and, perhaps, a key: what carries out the operations of the commands."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from attribution.client.exchange import (
    AskBlock,
    AskCallData,
    AskLogs,
    BlockTime,
    FoundLog,
    Included,
    Operation,
    Party,
    Pause,
    Read,
    Request,
    Send,
    carry_out_async,
)
from attribution.refusals import NoAttribution, NotIncluded, NotSent, Refused, Reverted
from attribution.refusals import refusal_of as contract_refusal
from consensus.bridge.chain import Chain
from consensus.l1.contract_call import revert_data
from consensus.l1.json_objects import (
    JsonObject,
    as_data,
    as_hash,
    as_object,
    as_objects,
    as_quantity,
    log_from_json,
)
from consensus.l1.json_rpc import Json, JsonRpc, RpcFault, RpcSettings
from consensus.l1.refusals import Refusal, refusal_of
from consensus.l1.tx_sender import (
    InsufficientL1Funds,
    SenderSettings,
    TransactionRefused,
    TransactionRequest,
    TxSender,
)
from node.clock import Clock
from node.errors import TemporaryError
from node.types.primitives import checksum_address
from node.types.transaction import address_of_key

_log = logging.getLogger(__name__)
T = TypeVar("T")

# What a call needs may change between the estimate and the block, as when a slot is used first.
_GAS_MARGIN_PERCENT = 25
_PAUSE_S = 2.0
_SETTINGS = SenderSettings(resend_after_s=8.0, poll_interval_s=0.25, layer="L2", coin="OPEN")
# A person waits: a node that is not there is to be named within seconds.
_PATIENCE = RpcSettings(attempts=3)


class Remote:
    """One rollup node; with a key, one of its accounts. Contracts' refusals come as `Refused`."""

    def __init__(self, chain: Chain, rpc: JsonRpc, key: bytes | None, clock: Clock) -> None:
        self.party = Party(chain.chain_id, None if key is None else address_of_key(key))
        self._chain = chain
        self._rpc = rpc
        self._clock = clock
        self._sender: TxSender | None = None
        if key is not None:
            self._sender = TxSender(chain.client, key, chain.chain_id, clock, _SETTINGS)

    async def carry_out(self, operation: Operation[T]) -> T:
        """Do what an operation asks for, and return its result."""
        return await carry_out_async(operation, self._answer)

    async def _answer(self, request: Request) -> Any:
        match request:
            case Read():
                return await self._call(
                    {"to": _hex(request.to), "data": _hex(request.data)}, request.at
                )
            case Send():
                return await self._send(request)
            case AskBlock():
                return await self._block(request.label)
            case AskLogs():
                return await self._logs(request)
            case AskCallData():
                return await self._call_data(request)
            case Pause():
                await self._clock.sleep_until(self._clock.now() + _PAUSE_S)
        return None

    async def _call(self, call: Json, at: str) -> bytes:
        try:
            return as_data(await self._rpc.call("eth_call", call, at), "eth_call")
        except RpcFault as fault:
            known = contract_refusal(revert_data(fault.data) or b"")
            if known is None:
                raise
            raise known from fault

    async def _send(self, request: Send) -> Included:
        address, sender = self.party.address, self._sender
        assert sender is not None, "a party with an address has a key"
        order = await self._order(request)
        if not await sender.affordable(order):
            raise await self._poor(request)
        _log.info("%s, from %s", request.what, checksum_address(address))
        try:
            sent = await sender.send(order)
        except (InsufficientL1Funds, TransactionRefused) as error:
            raise NotSent(str(error)) from error
        inclusion = await self._chain.inclusion(sent.hash)
        if inclusion is None:
            raise NotIncluded("a reorg took it back", transaction=sent.hash)
        number = inclusion.block.number
        if not inclusion.is_success:
            await self._call(_call_of(request, self.party), hex(number))  # says why
            raise Reverted(transaction=sent.hash)
        logs = tuple(placed.log for placed in inclusion.logs)
        return Included(sent.hash, number, inclusion.gas_used, logs)

    async def _order(self, request: Send) -> TransactionRequest:
        """Return the transaction with its gas limit, if it would not be refused."""
        if not await self._chain.client.code(request.to):
            raise NoAttribution(address=checksum_address(request.to))
        try:
            needed = await self._chain.client.estimate_gas(
                self.party.address, request.to, request.data, request.value
            )
        except RpcFault as fault:
            raise await self._refusal(request, fault) from fault
        gas = needed + needed * _GAS_MARGIN_PERCENT // 100
        return TransactionRequest(request.to, request.data, gas, request.value)

    async def _refusal(self, request: Send, fault: RpcFault) -> Refused:
        if refusal_of(fault) is Refusal.NO_FUNDS:
            return await self._poor(request)
        known = contract_refusal(revert_data(fault.data) or b"")
        return known or NotSent(f"{request.what} would fail: {fault.message}")

    async def _poor(self, request: Send) -> NotSent:
        balance = await self._chain.client.balance(self.party.address)
        return NotSent(
            f"{request.what}: {checksum_address(self.party.address)} has {balance / 10**18:.6f} "
            "OPEN, too little: send it some"
        )

    async def _block(self, label: str) -> BlockTime:
        block = as_object(await self._rpc.call("eth_getBlockByNumber", label, False), label)
        return BlockTime(
            as_quantity(block.get("number"), "number"),
            as_quantity(block.get("timestamp"), "timestamp"),
        )

    async def _logs(self, request: AskLogs) -> tuple[FoundLog, ...]:
        topics: list[Json] = [None if topic is None else _hex(topic) for topic in request.topics]
        answer = await self._rpc.call(
            "eth_getLogs",
            {
                "address": _hex(request.address),
                "topics": topics,
                "fromBlock": hex(request.first),
                "toBlock": hex(request.last),
            },
        )
        return tuple(map(_found, as_objects(answer, "eth_getLogs")))

    async def _call_data(self, request: AskCallData) -> bytes | None:
        answer = await self._rpc.call("eth_getTransactionByHash", _hex(request.transaction))
        if answer is None:
            return None
        return as_data(as_object(answer, "transaction").get("input"), "input")


@asynccontextmanager
async def open_remote(url: str, key: bytes | None, clock: Clock) -> AsyncIterator[Remote]:
    """Connect to a rollup node; TemporaryError if none answers."""
    rpc = JsonRpc(url, _PATIENCE)
    try:
        try:
            chain = await Chain.open(rpc)
        except TemporaryError as error:
            raise TemporaryError(f"--rpc: {error}: is a node running there?") from error
        yield Remote(chain, rpc, key, clock)
    finally:
        await rpc.close()


def _call_of(request: Send, party: Party) -> Json:
    return {
        "from": _hex(party.address),
        "to": _hex(request.to),
        "data": _hex(request.data),
        "value": hex(request.value),
    }


def _found(log: JsonObject) -> FoundLog:
    number = as_quantity(log.get("blockNumber"), "blockNumber")
    transaction = as_hash(log.get("transactionHash"), "transactionHash")
    return FoundLog(log_from_json(log), number, transaction)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
