"""The client for asyncio (web3.py's `AsyncWeb3`)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import AsyncWeb3
from web3.exceptions import TimeExhausted, TransactionNotFound
from web3.types import TxParams

from attribution.client import (
    escrow,
    hub_views,
    receipt_log,
    registration,
    settling,
    unpaid,
    web3_forms,
)
from attribution.client.exchange import (
    AskBlock,
    AskCallData,
    AskLogs,
    Included,
    Operation,
    Party,
    Pause,
    Read,
    Request,
    Send,
    carry_out_async,
)
from attribution.refusals import NotIncluded
from attribution.vouchers import SignedVoucher
from node.types.primitives import Address

P = ParamSpec("P")
T = TypeVar("T")


def _acting(
    operation: Callable[Concatenate[Party, P], Operation[T]],
) -> Callable[Concatenate["AsyncAttributionClient", P], Coroutine[Any, Any, T]]:
    @wraps(operation)
    async def method(self: "AsyncAttributionClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.carry_out(operation(await self.party(), *args, **kwargs))

    return method


def _reading(
    operation: Callable[P, Operation[T]],
) -> Callable[Concatenate["AsyncAttributionClient", P], Coroutine[Any, Any, T]]:
    @wraps(operation)
    async def method(self: "AsyncAttributionClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.carry_out(operation(*args, **kwargs))

    return method


class AsyncAttributionClient:
    """Attribution on one rollup, for one account: `AttributionClient` for asyncio.

    Its methods are the same, but each is awaited.

    >>> async def example() -> int:
    ...     owner = AsyncAttributionClient(AsyncWeb3(AsyncHTTPProvider(url)), owner_key)
    ...     dataset = await owner.register_dataset(bytes(32), "https://example.org/notes")
    ...     await owner.w3.provider.disconnect()
    ...     return dataset.id
    >>> asyncio.run(example())
    1
    """

    def __init__(
        self,
        w3: "AsyncWeb3[Any]",
        key: bytes | str | LocalAccount | None = None,
        *,
        timeout_s: float = 120,
        pause_s: float = 2,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.w3 = w3
        self._signer = web3_forms.signer_of(key)
        self._party: Party | None = None
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._sleep = sleep
        self._one_nonce_at_a_time = asyncio.Lock()

    async def party(self) -> Party:
        """Who acts, on which chain."""
        if self._party is None:
            self._party = web3_forms.party_of(self._signer, await self.w3.eth.chain_id)
        return self._party

    @property
    def address(self) -> Address:
        """The account; NoKey if there is none."""
        return web3_forms.party_of(self._signer, 0).address

    register_dataset = _acting(registration.register_dataset)
    register_model = _acting(registration.register_model)
    record_training = _acting(registration.record_training)
    set_price = _acting(registration.set_price)
    set_model_payout = _acting(registration.set_model_payout)
    set_dataset_payout = _acting(registration.set_dataset_payout)
    appoint_logger = _acting(registration.appoint_logger)
    abandon_logger = _acting(registration.abandon_logger)
    wait_until_safe = _acting(registration.until_safe)
    deposit = _acting(escrow.deposit)
    request_withdrawal = _acting(escrow.request_withdrawal)
    withdraw = _acting(escrow.withdraw)
    claim = _acting(escrow.claim)
    append = _acting(receipt_log.append)
    flush = _acting(receipt_log.flush)
    settle = _acting(settling.settle)
    check_voucher = _acting(settling.check)
    dataset = _reading(hub_views.read_dataset)
    dataset_count = _reading(hub_views.read_dataset_count)
    model = _reading(hub_views.read_model)
    escrow_of = _reading(hub_views.read_escrow)
    logger_state = _reading(hub_views.read_logger)
    unsettled = _reading(hub_views.read_unsettled)
    unsettled_credit = _reading(hub_views.read_unsettled_credit)
    unpaid_datasets = _reading(unpaid.unpaid_datasets)
    owed = _reading(hub_views.read_owed)
    withdrawal_times = _reading(hub_views.read_withdrawal_times)
    head = _reading(hub_views.read_head)
    credit = _reading(hub_views.read_credit)

    async def sign_voucher(
        self, model_key: bytes, cumulative_gwei: int, expiry: int, payer: bytes | None = None
    ) -> SignedVoucher:
        """Sign for all that the model has ever answered the account, up to a total.

        `expiry` is the last second of block time at which it may be charged; `payer` is who pays,
        if that is a contract that has named the account as its signer. NoKey.
        """
        return web3_forms.signed_voucher(
            self._signer, await self.party(), model_key, cumulative_gwei, expiry, payer
        )

    async def carry_out(self, operation: Operation[T]) -> T:
        """Do what an operation asks for, and return its result."""
        return await carry_out_async(operation, self._answer)

    async def _answer(self, request: Request) -> Any:
        eth = self.w3.eth
        match request:
            case Read():
                params = web3_forms.call_params(request, (await self.party()).account)
                with web3_forms.refusals():
                    return bytes(await eth.call(params, request.at))
            case Send():
                return await self._send(request)
            case AskBlock():
                return web3_forms.block_time(await eth.get_block(request.label))
            case AskLogs():
                return tuple(
                    map(web3_forms.found_log, await eth.get_logs(web3_forms.log_params(request)))
                )
            case AskCallData():
                return await self._call_data(request)
            case Pause():
                await self._sleep(self._pause_s)
        return None

    async def _send(self, request: Send) -> Included:
        params, transaction = await self._publish(request)
        eth = self.w3.eth
        try:
            receipt = await eth.wait_for_transaction_receipt(transaction, self._timeout_s)
        except TimeExhausted as error:
            raise NotIncluded(transaction=bytes(transaction)) from error
        if receipt["status"] != 1:
            with web3_forms.reasons():
                await eth.call(params, receipt["blockNumber"])
        return web3_forms.included(receipt)

    async def _publish(self, request: Send) -> tuple[TxParams, HexBytes]:
        eth, party = self.w3.eth, await self.party()
        address = web3_forms.web3_address(party.address)
        web3_forms.require_code(request, await eth.get_code(web3_forms.web3_address(request.to)))
        async with self._one_nonce_at_a_time:
            with web3_forms.sending():
                base_fee = (await eth.get_block("latest"))["baseFeePerGas"]
                nonce = await eth.get_transaction_count(address, "pending")
                tip = await eth.max_priority_fee
                params = web3_forms.send_params(request, party, base_fee, tip, nonce)
                params = web3_forms.with_gas(params, await eth.estimate_gas(params))
                raw = web3_forms.signed(self._signer, params)
                return params, await eth.send_raw_transaction(raw)

    async def _call_data(self, request: AskCallData) -> bytes | None:
        try:
            found = await self.w3.eth.get_transaction(web3_forms.hash_of(request))
        except TransactionNotFound:
            return None
        return bytes(found["input"])
