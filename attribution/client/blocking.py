"""The client for programs that wait for an answer (web3.py's `Web3`)."""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import Web3
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
    carry_out,
)
from attribution.refusals import NotIncluded
from attribution.vouchers import SignedVoucher
from node.types.primitives import Address

P = ParamSpec("P")
T = TypeVar("T")


def _acting(
    operation: Callable[Concatenate[Party, P], Operation[T]],
) -> Callable[Concatenate["AttributionClient", P], T]:
    @wraps(operation)
    def method(self: "AttributionClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.carry_out(operation(self.party, *args, **kwargs))

    return method


def _reading(
    operation: Callable[P, Operation[T]],
) -> Callable[Concatenate["AttributionClient", P], T]:
    @wraps(operation)
    def method(self: "AttributionClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.carry_out(operation(*args, **kwargs))

    return method


class AttributionClient:
    """Attribution on one rollup, for one account.

    `key` is the account's: 32 bytes, hexadecimal or eth-account's `LocalAccount`; without it the
    client can only read. A transaction is waited for up to `timeout_s` seconds, then NotIncluded is
    raised; `pause_s` lies between two looks at what has to become safe, and `sleep` waits that
    long. What contracts and our own checks refuse comes as `attribution.refusals.Refused`, what
    goes wrong on the way to the node as web3.py raises it.

    >>> owner = AttributionClient(w3, owner_key)  # Web3(HTTPProvider("http://127.0.0.1:9545"))
    >>> dataset = owner.register_dataset(bytes(32), "https://example.org/notes").id
    >>> owner.wait_until_safe(w3.eth.block_number)
    >>> model = owner.register_model(
    ...     bytes(32), "https://example.org/model", price_gwei=1_000, owner_bps=3_000,
    ...     logger=owner.address, declared_datasets=[dataset])
    >>> payer = AttributionClient(w3, payer_key)
    >>> _ = payer.deposit(model.model_key, 50_000)
    >>> answer = Preimage.of(bytes(32), "How many?", "Three.")
    >>> log = ReceiptLog(model.model_key, owner.address)
    >>> log.add(Record(1_000, (Influence(dataset, 6_000),), answer.commitment))
    >>> [included.gas_used < 100_000 for included in owner.flush(log)]
    [True]
    >>> voucher = payer.sign_voucher(model.model_key, 1_000, expiry=2**40)
    >>> owner.settle(model.model_key, [voucher]).charged_gwei
    1000
    >>> owner.claim().amount_wei  # the owner's, and the dataset's, which is the owner's, too
    1000000000000
    """

    def __init__(
        self,
        w3: Web3,
        key: bytes | str | LocalAccount | None = None,
        *,
        timeout_s: float = 120,
        pause_s: float = 2,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.w3 = w3
        self._signer = web3_forms.signer_of(key)
        self.party = web3_forms.party_of(self._signer, w3.eth.chain_id)
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._sleep = sleep
        self._one_nonce_at_a_time = threading.Lock()

    @property
    def address(self) -> Address:
        """The account; NoKey if there is none."""
        return self.party.address

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

    def sign_voucher(
        self, model_key: bytes, cumulative_gwei: int, expiry: int, payer: bytes | None = None
    ) -> SignedVoucher:
        """Sign for all that the model has ever answered the account, up to a total.

        `expiry` is the last second of block time at which it may be charged; `payer` is who pays,
        if that is a contract that has named the account as its signer. NoKey.
        """
        return web3_forms.signed_voucher(
            self._signer, self.party, model_key, cumulative_gwei, expiry, payer
        )

    def carry_out(self, operation: Operation[T]) -> T:
        """Do what an operation asks for, and return its result."""
        return carry_out(operation, self._answer)

    def _answer(self, request: Request) -> Any:
        eth = self.w3.eth
        match request:
            case Read():
                params = web3_forms.call_params(request, self.party.account)
                with web3_forms.refusals():
                    return bytes(eth.call(params, request.at))
            case Send():
                return self._send(request)
            case AskBlock():
                return web3_forms.block_time(eth.get_block(request.label))
            case AskLogs():
                return tuple(
                    map(web3_forms.found_log, eth.get_logs(web3_forms.log_params(request)))
                )
            case AskCallData():
                return self._call_data(request)
            case Pause():
                self._sleep(self._pause_s)
        return None

    def _send(self, request: Send) -> Included:
        params, transaction = self._publish(request)
        eth = self.w3.eth
        try:
            receipt = eth.wait_for_transaction_receipt(transaction, self._timeout_s)
        except TimeExhausted as error:
            raise NotIncluded(transaction=bytes(transaction)) from error
        if receipt["status"] != 1:
            with web3_forms.reasons():
                eth.call(params, receipt["blockNumber"])
        return web3_forms.included(receipt)

    def _publish(self, request: Send) -> tuple[TxParams, HexBytes]:
        eth = self.w3.eth
        address = web3_forms.web3_address(self.party.address)
        web3_forms.require_code(request, eth.get_code(web3_forms.web3_address(request.to)))
        with self._one_nonce_at_a_time, web3_forms.sending():
            base_fee = eth.get_block("latest")["baseFeePerGas"]
            nonce = eth.get_transaction_count(address, "pending")
            tip = eth.max_priority_fee
            params = web3_forms.send_params(request, self.party, base_fee, tip, nonce)
            params = web3_forms.with_gas(params, eth.estimate_gas(params))
            raw = web3_forms.signed(self._signer, params)
            return params, eth.send_raw_transaction(raw)

    def _call_data(self, request: AskCallData) -> bytes | None:
        try:
            found = self.w3.eth.get_transaction(web3_forms.hash_of(request))
        except TransactionNotFound:
            return None
        return bytes(found["input"])
