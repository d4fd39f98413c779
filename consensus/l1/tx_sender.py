"""Sending transactions to L1 until they are in: nonces, fees, replacement, confirmations."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from consensus.block_refs import L1BlockRef
from consensus.l1.client import TransactionInclusion
from consensus.l1.fees import TRANSACTION_GAS, Fees, market_fees
from consensus.l1.json_rpc import RpcFault
from consensus.l1.refusals import Refusal, refusal_of
from consensus.l1.source import Label
from node.clock import Clock
from node.errors import TemporaryError
from node.execution.fees import GAS_PER_BLOB
from node.types.blob_sidecar import BlobSidecar
from node.types.blob_transaction import encode_pooled_transaction, sign_blob
from node.types.primitives import Address, Hash32, checksum_address
from node.types.transaction import Transaction, address_of_key, sign_dynamic_fee

_log = logging.getLogger(__name__)
T = TypeVar("T")

_ETHER = 10**18
_CHECKS_OF_A_TAKEN_NONCE = 3


class SendingL1(Protocol):
    """What sending needs of an L1: L1Client, or a fake in memory."""

    async def nonce(self, address: Address) -> int: ...
    async def balance(self, address: Address) -> int: ...
    async def base_fee(self) -> int: ...
    async def priority_fee(self) -> int | None: ...
    async def blob_base_fee(self) -> int: ...
    async def send_raw_transaction(self, raw: bytes) -> Hash32: ...
    async def transaction_inclusion(self, transaction: Hash32) -> TransactionInclusion | None: ...
    async def block_ref_by_label(self, label: Label) -> L1BlockRef: ...


class InsufficientL1Funds(TemporaryError):
    """The sender cannot pay for its transaction; the message says who needs how much."""


class TransactionRefused(TemporaryError):
    """L1 refuses the transaction for a reason that sending it again does not cure."""


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """Times are in seconds, fees in wei per gas unit.

    A transaction counts as included once `confirmations` blocks hold it, its own among them. It is
    replaced by a dearer one every `resend_after_s` until it is in a block, up to `fee_limit`; the
    next in line already after `resend_after_blocks` without it. Pools want `blob_bump_percent` more
    for a transaction that replaces one with blobs. `layer` and `coin` are what messages call the
    chain and what its gas is paid with.
    """

    confirmations: int = 1
    poll_interval_s: float = 1.0
    resend_after_s: float = 48.0
    resend_after_blocks: int = 4
    fee_bump_percent: int = 12
    blob_bump_percent: int = 100
    minimum_tip: int = 1_000_000
    fee_limit: int = 1_000 * 10**9
    layer: str = "L1"
    coin: str = "ether"


@dataclass(frozen=True, slots=True)
class TransactionRequest:
    """What to send; `to` is None to create a contract, `gas` is the limit, `value` wei of L1.

    With a `sidecar` it becomes a blob transaction, which needs a recipient.
    """

    to: Address | None
    data: bytes
    gas: int
    value: int = 0
    sidecar: BlobSidecar | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Sending:
    """One nonce on its way, and every transaction signed for it.

    `waits_from` is the chain's height when it was the next in line, `waited` how many blocks came
    without it since. `checks_left` is a number once L1 has called the nonce used: how often to look
    whether one of ours used it (receipts may lag) before the nonce is given up.
    """

    request: TransactionRequest
    nonce: int
    fees: Fees
    hashes: list[Hash32] = field(default_factory=list)
    published_at: float = 0.0
    waits_from: int | None = None
    waited: int = 0
    checks_left: int | None = None


class TxSender:
    """One account of L1. Concurrent sends get their nonces in the order of the calls.

    An outage of L1 only delays. Raises InsufficientL1Funds and TransactionRefused.
    """

    def __init__(
        self,
        l1: SendingL1,
        private_key: bytes,
        chain_id: int,
        clock: Clock,
        settings: SenderSettings | None = None,
    ) -> None:
        self.address = address_of_key(private_key)
        self._l1 = l1
        self._key = private_key
        self._chain_id = chain_id
        self._clock = clock
        self._settings = settings or SenderSettings()
        self._order = asyncio.Lock()
        self._nonces_in_flight: set[int] = set()
        self._last_height = 0
        self._height_until = float("-inf")
        self._is_l1_down = False

    async def send(self, request: TransactionRequest) -> TransactionInclusion:
        """Return where the transaction was included (status 0 means that it reverted there)."""
        while True:
            inclusion = await self._send_once(request)
            if inclusion is not None:
                return inclusion
            _log.info("a nonce of %s was used elsewhere, trying the next", self._name)

    async def send_at(self, nonce: int, request: TransactionRequest) -> TransactionInclusion | None:
        """Send with this nonce alone; None if a transaction that was not sent here has used it."""
        return await self._send_once(request, nonce)

    async def affordable(self, request: TransactionRequest) -> int:
        """Return how many such transactions the account can pay for, at present prices."""
        fees = await self._patiently(partial(self._market, request))
        balance = await self._patiently(lambda: self._l1.balance(self.address))
        blobs = 0 if request.sidecar is None else len(request.sidecar.blobs)
        price = request.gas * fees.cap + GAS_PER_BLOB * blobs * fees.blob_cap + request.value
        return balance // price

    async def _send_once(
        self, request: TransactionRequest, nonce: int | None = None
    ) -> TransactionInclusion | None:
        """Send with a nonce, by default the next free one; None if it was used elsewhere."""
        try:
            async with self._order:
                nonce = await self._free_nonce() if nonce is None else nonce
                self._nonces_in_flight.add(nonce)
                fees = await self._patiently(partial(self._market, request))
                sending = _Sending(request, nonce, fees)
                await self._publish(sending)
            return await self._follow(sending)
        finally:
            if nonce is not None:
                self._nonces_in_flight.discard(nonce)

    async def _free_nonce(self) -> int:
        # The chain is asked each time: what another program sent with this key, or what a reorg
        # took back, then needs no case of its own.
        nonce = await self._patiently(lambda: self._l1.nonce(self.address))
        while nonce in self._nonces_in_flight:
            nonce += 1
        return nonce

    async def _market(self, request: TransactionRequest) -> Fees:
        base_fee, tip = await self._l1.base_fee(), await self._l1.priority_fee()
        blob_fee = 0 if request.sidecar is None else max(1, await self._l1.blob_base_fee())
        fees = market_fees(base_fee, tip, self._settings.minimum_tip, blob_fee)
        return fees.limited(self._settings.fee_limit)

    async def _follow(self, sending: _Sending) -> TransactionInclusion | None:
        """Wait until a transaction of this nonce is confirmed; None if it was not one of ours."""
        while True:
            inclusion, is_confirmed = await self._patiently(lambda: self._inclusion(sending))
            if inclusion is not None and is_confirmed:
                return inclusion
            if inclusion is None and sending.checks_left is not None:
                sending.checks_left -= 1
                if sending.checks_left < 0:
                    return None
            await self._pause()
            if inclusion is None and self._is_stuck(sending):
                await self._replace(sending)

    async def _inclusion(self, sending: _Sending) -> tuple[TransactionInclusion | None, bool]:
        # Asked before: what is found nowhere after that was left out by all blocks up to there.
        height = await self._height()
        for transaction in reversed(sending.hashes):
            inclusion = await self._l1.transaction_inclusion(transaction)
            if inclusion is not None:
                head = await self._l1.block_ref_by_label("latest")
                depth = head.number - inclusion.block.number + 1
                return inclusion, depth >= self._settings.confirmations
        self._note_wait(sending, height)
        return None, False

    async def _height(self) -> int:
        """Return how high the chain is, or was at most a poll interval ago."""
        now = self._clock.now()
        if self._height_until <= now:
            self._last_height = (await self._l1.block_ref_by_label("latest")).number
            self._height_until = now + self._settings.poll_interval_s
        return self._last_height

    def _note_wait(self, sending: _Sending, height: int) -> None:
        # Those behind it wait for it, and not for a better price.
        if sending.nonce > min(self._nonces_in_flight):
            return
        if sending.waits_from is None or height < sending.waits_from:
            sending.waits_from = height
        sending.waited = height - sending.waits_from

    def _is_stuck(self, sending: _Sending) -> bool:
        is_late = self._clock.now() >= sending.published_at + self._settings.resend_after_s
        return is_late or sending.waited >= self._settings.resend_after_blocks

    async def _replace(self, sending: _Sending) -> None:
        await self._raise_fees(sending)
        _log.warning(
            "transaction %d of %s is not included after %d s, offering %d wei per gas",
            sending.nonce,
            self._name,
            self._clock.now() - sending.published_at,
            sending.fees.cap,
        )
        await self._fill_gaps(sending)
        await self._publish(sending)

    async def _fill_gaps(self, sending: _Sending) -> None:
        """Pay nobody with each nonce before this one that L1 waits for and no send will use.

        A reorg leaves such a nonce when it takes back a transaction that counted as included and
        L1 then forgets it: all later ones would wait for ever.
        """
        next_nonce = await self._patiently(lambda: self._l1.nonce(self.address))
        for nonce in range(next_nonce, sending.nonce):
            if nonce not in self._nonces_in_flight:
                _log.warning("filling the gap at nonce %d of %s", nonce, self._name)
                filler = TransactionRequest(self.address, b"", TRANSACTION_GAS)
                transaction = self._sign(_Sending(filler, nonce, sending.fees))
                await self._patiently(partial(self._hand_over, transaction))

    async def _raise_fees(self, sending: _Sending) -> None:
        market = await self._patiently(partial(self._market, sending.request))
        has_blobs = sending.request.sidecar is not None
        settings = self._settings
        percent = settings.blob_bump_percent if has_blobs else settings.fee_bump_percent
        raised = sending.fees.bumped(percent, market)
        sending.fees = raised.limited(self._settings.fee_limit)

    async def _publish(self, sending: _Sending) -> None:
        """Hand the transaction to L1 at its current fees, or at higher ones if L1 demands so."""
        while True:
            transaction = self._sign(sending)
            if transaction.hash not in sending.hashes:
                sending.hashes.append(transaction.hash)
            sending.published_at = self._clock.now()
            sending.waits_from, sending.waited = None, 0
            refusal = await self._patiently(partial(self._hand_over, transaction))
            if refusal is Refusal.NONCE_TOO_LOW:
                sending.checks_left = _CHECKS_OF_A_TAKEN_NONCE
            if refusal is not Refusal.UNDERPRICED:
                return
            if sending.fees.cap >= self._settings.fee_limit:
                return  # as high as it may go: wait for L1 to become cheaper
            await self._raise_fees(sending)

    def _sign(self, sending: _Sending) -> Transaction:
        request, fees = sending.request, sending.fees
        if request.sidecar is not None and request.to is not None:
            return sign_blob(
                self._key,
                request.sidecar,
                chain_id=self._chain_id,
                nonce=sending.nonce,
                max_priority_fee_per_gas=fees.tip,
                max_fee_per_gas=fees.cap,
                max_fee_per_blob_gas=fees.blob_cap,
                gas=request.gas,
                to=request.to,
                value=request.value,
                data=request.data,
            )
        return sign_dynamic_fee(
            self._key,
            chain_id=self._chain_id,
            nonce=sending.nonce,
            max_priority_fee_per_gas=fees.tip,
            max_fee_per_gas=fees.cap,
            gas=request.gas,
            to=request.to,
            value=request.value,
            data=request.data,
        )

    async def _hand_over(self, transaction: Transaction) -> Refusal | None:
        try:
            await self._l1.send_raw_transaction(encode_pooled_transaction(transaction))
        except RpcFault as fault:
            refusal = refusal_of(fault)
            if refusal is Refusal.NO_FUNDS:
                raise await self._funds_error(transaction) from fault
            if refusal is Refusal.OTHER:
                raise TransactionRefused(
                    f"{self._settings.layer} refuses a transaction of {self._name}: {fault}"
                ) from fault
            return None if refusal is Refusal.ALREADY_KNOWN else refusal
        return None

    async def _funds_error(self, transaction: Transaction) -> InsufficientL1Funds:
        balance = await self._l1.balance(self.address)
        blob_gas = GAS_PER_BLOB * len(transaction.blob_versioned_hashes)
        needed = transaction.gas * transaction.max_fee_per_gas + transaction.value
        needed += blob_gas * transaction.max_fee_per_blob_gas
        layer, coin = self._settings.layer, self._settings.coin
        return InsufficientL1Funds(
            f"{self._name} has {balance / _ETHER:.6f} {coin} on {layer} and needs "
            f"{needed / _ETHER:.6f} for its next transaction: send it some"
        )

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat a question to L1 until it is answered."""
        while True:
            try:
                answer = await ask()
            except (InsufficientL1Funds, TransactionRefused):
                raise
            except TemporaryError as error:
                if not self._is_l1_down:
                    layer = self._settings.layer
                    _log.warning("%s does not answer, %s waits: %s", layer, self._name, error)
                self._is_l1_down = True
                await self._pause()
            else:
                if self._is_l1_down:
                    _log.info("%s answers again, %s goes on", self._settings.layer, self._name)
                self._is_l1_down = False
                return answer

    async def _pause(self) -> None:
        await self._clock.sleep_until(self._clock.now() + self._settings.poll_interval_s)

    @property
    def _name(self) -> str:
        return checksum_address(self.address)
