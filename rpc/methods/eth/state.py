"""Accounts, and calls that change nothing."""

import time
from collections.abc import Callable

from node.errors import DecodingError, OutOfTime
from node.execution.simulate import CallRequest
from node.mempool import Mempool
from node.reader import Reader
from node.types.primitives import Address
from rpc.block_id import LATEST, BlockId, block_id, require_header
from rpc.call_request import call_request
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, data, describe, quantity
from rpc.encoding.proof import proof_object
from rpc.params import address, array_of, optional, required, storage_key, storage_slot
from rpc.slow_reads import SlowReads

MAX_PROOF_KEYS = 1_024
SIMULATION_TIMEOUT_S = 5.0

_BLOCK = optional(block_id, LATEST)


class StateMethods:
    """Reads of the state after a block. "pending" is the latest state, but for nonces."""

    def __init__(
        self, reader: Reader, mempool: Mempool, slow_reads: SlowReads, simulations: SlowReads
    ) -> None:
        self._reader = reader
        self._mempool = mempool
        self._slow_reads = slow_reads
        self._simulations = simulations

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        account = (required(address), _BLOCK)
        slot = (required(address), required(storage_slot), _BLOCK)
        proof = (required(address), required(array_of(storage_key, MAX_PROOF_KEYS)), _BLOCK)
        request = (
            required(call_request),
            _BLOCK,
            optional(no_overrides),
            optional(no_overrides),
        )
        return (
            Method("eth_accounts", self._accounts),
            Method("eth_getBalance", self._balance, account),
            Method("eth_getTransactionCount", self._transaction_count, account),
            Method("eth_getCode", self._code, account),
            Method("eth_getStorageAt", self._storage, slot),
            Method("eth_getProof", self._proof, proof),
            Method("eth_call", self._call, request),
            Method("eth_estimateGas", self._estimate_gas, request),
        )

    async def _accounts(self) -> Json:
        # The node holds no keys of its users.
        return []

    async def _balance(self, owner: Address, block: BlockId) -> Json:
        account = self._reader.account(owner, require_header(self._reader, block))
        return quantity(account.balance if account else 0)

    async def _transaction_count(self, owner: Address, block: BlockId) -> Json:
        if block.is_pending:
            return quantity(self._mempool.pending_nonce(owner))
        account = self._reader.account(owner, require_header(self._reader, block))
        return quantity(account.nonce if account else 0)

    async def _code(self, owner: Address, block: BlockId) -> Json:
        return data(self._reader.code(owner, require_header(self._reader, block)))

    async def _storage(self, owner: Address, slot: int, block: BlockId) -> Json:
        value = self._reader.storage(owner, slot, require_header(self._reader, block))
        return data(value.to_bytes(32, "big"))

    async def _proof(self, owner: Address, keys: tuple[bytes, ...], block: BlockId) -> Json:
        header = require_header(self._reader, block)
        slots = tuple(int.from_bytes(key, "big") for key in keys)
        proof = await self._slow_reads.run(self._reader.proof, owner, slots, header)
        return proof_object(proof, keys)

    async def _call(self, request: CallRequest, block: BlockId, *_: None) -> Json:
        header = require_header(self._reader, block)
        outcome = await self._simulations.run(
            self._reader.call, request, header, simulation_deadline()
        )
        return data(outcome.output)

    async def _estimate_gas(self, request: CallRequest, block: BlockId, *_: None) -> Json:
        header = require_header(self._reader, block)
        gas = await self._simulations.run(
            self._reader.estimate_gas, request, header, simulation_deadline()
        )
        return quantity(gas)


def simulation_deadline() -> Callable[[], None]:
    """Return an interrupt that ends a simulation when it has run for too long."""
    started: list[float] = []

    def interrupt() -> None:
        # The clock starts with the work: waiting for a turn does not count.
        now = time.monotonic()
        if not started:
            started.append(now)
        if now - started[0] > SIMULATION_TIMEOUT_S:
            raise OutOfTime(f"execution aborted (timeout = {SIMULATION_TIMEOUT_S:g}s)")

    return interrupt


def no_overrides(value: Json) -> None:
    """Read a set of overrides, of which there may be none: answering without them would lie."""
    if value != {}:
        raise DecodingError(f"overrides are not supported, expected none, got {describe(value)}")
