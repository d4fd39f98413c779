"""Whoever pays for a step, and what can go wrong for them."""

import logging

from consensus.bridge.chain import Chain, Inclusion
from consensus.l1.contract_call import refusal_text
from consensus.l1.json_rpc import RpcFault
from consensus.l1.refusals import Refusal, refusal_of
from consensus.l1.tx_sender import InsufficientL1Funds, SenderSettings, TransactionRequest, TxSender
from node.clock import Clock
from node.errors import OperationRefused
from node.types.primitives import Address, Hash32, checksum_address

_log = logging.getLogger(__name__)

# What a call needs may change between the estimate and the block: the deposit market's price, the
# token's first balance of an account.
_GAS_MARGIN_PERCENT = 25
_RESEND_AFTER_ON_L1_S = 48.0
_RESEND_AFTER_ON_L2_S = 8.0
_CONTRACTS = ("OptimismPortal", "L2OutputOracle", "OpenToken", "SystemConfig")


class Account:
    """A key's account on one of the chains. Refusals come as OperationRefused, in one line."""

    def __init__(self, chain: Chain, key: bytes, clock: Clock, *, layer: str, coin: str) -> None:
        # A deposit of the account takes a nonce on L2, perhaps that of what waits there.
        resend_after_s = _RESEND_AFTER_ON_L2_S if layer == "L2" else _RESEND_AFTER_ON_L1_S
        settings = SenderSettings(resend_after_s=resend_after_s, layer=layer, coin=coin)
        self._sender = TxSender(chain.client, key, chain.chain_id, clock, settings)
        self._chain = chain
        self._layer = layer
        self._coin = coin

    @property
    def address(self) -> Address:
        """Its address."""
        return self._sender.address

    async def balance(self) -> int:
        """Return what it has of the chain's coin, in units of 10**-18."""
        return await self._chain.client.balance(self.address)

    async def send(
        self, what: str, to: Address, data: bytes, value: int = 0
    ) -> tuple[Hash32, Inclusion]:
        """Send a transaction that should succeed; return its hash and where it was included."""
        request = TransactionRequest(to, data, await self._gas(what, to, data, value), value)
        if not await self._sender.affordable(request):
            raise await self._poor(what)
        _log.info("%s, from %s on %s", what, checksum_address(self.address), self._layer)
        try:
            sent = await self._sender.send(request)
        except InsufficientL1Funds as error:
            raise OperationRefused(str(error)) from error
        inclusion = await self._chain.inclusion(sent.hash)
        if inclusion is None:
            raise OperationRefused(
                f"{self._layer} has taken transaction 0x{sent.hash.hex()} back (a reorg): it may "
                "come again; look at it before repeating the command"
            )
        if not inclusion.is_success:
            raise OperationRefused(
                f"{what}: transaction 0x{sent.hash.hex()} was reverted on {self._layer}"
            )
        return sent.hash, inclusion

    async def _gas(self, what: str, to: Address, data: bytes, value: int) -> int:
        try:
            needed = await self._chain.client.estimate_gas(self.address, to, data, value)
        except RpcFault as fault:
            if refusal_of(fault) is Refusal.NO_FUNDS:
                raise await self._poor(what) from fault
            raise OperationRefused(
                f"{what} would fail on {self._layer}: {refusal_text(fault, _CONTRACTS)}"
            ) from fault
        return needed + needed * _GAS_MARGIN_PERCENT // 100

    async def _poor(self, what: str) -> OperationRefused:
        balance = await self.balance()
        return OperationRefused(
            f"{what}: {checksum_address(self.address)} has {balance / 10**18:.6f} {self._coin} on "
            f"{self._layer}, too little: send it some"
        )
