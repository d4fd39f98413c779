"""Traffic that goes on whatever happens to the chain under it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.integration.endurance.figures import Figures
from tests.integration.json_rpc import Rpc, RpcFailure, Unreachable
from tests.integration.traffic import Kind, Traffic
from tests.integration.users import User

_RECEIPT_TIMEOUT_S = 30.0
_DEPOSIT_TIMEOUT_S = 60.0
_POLL_S = 0.5
_PAUSE_S = 1.0


class SteadyTraffic:
    """Lets each user act, see the receipt, rest, act again: `rate` transactions a second in all.

    What a reorg or a restart has swallowed is counted, and the next transaction starts from what
    the chain says then.
    """

    def __init__(
        self, traffic: Traffic, figures: Figures, rate: float, chance: random.Random
    ) -> None:
        self._traffic = traffic
        self._figures = figures
        self._rest_s = len(traffic.users) / rate
        self._chance = chance

    async def run(self) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for user in self._traffic.users:
                tasks.create_task(self._repeat(user, self._act))
            tasks.create_task(self._repeat(self._traffic.depositor, self._deposit))

    async def _repeat(self, user: User, act: Callable[[User], Awaitable[None]]) -> None:
        while True:
            began = time.monotonic()
            try:
                await user.resynchronise()
                await act(user)
            except RpcFailure:
                self._figures.refused += 1
                await asyncio.sleep(_PAUSE_S)
            except Unreachable:
                await asyncio.sleep(_PAUSE_S)
            rest_s = self._rest_s * self._chance.uniform(0.5, 1.5)
            await asyncio.sleep(max(rest_s - (time.monotonic() - began), 0.0))

    async def _act(self, user: User) -> None:
        (kind,) = self._traffic.choose(1)
        if kind is Kind.APPEND:
            await user.resynchronise_stream()
        sent = await self._traffic.send(user, kind)
        receipt = await _receipt(user.rpc, sent, _RECEIPT_TIMEOUT_S)
        self._note(kind, receipt, is_meant_to_fail=kind is Kind.FAILING_CALL)

    async def _deposit(self, user: User) -> None:
        deposit = await self._traffic.send_deposit()
        deadline = time.monotonic() + _DEPOSIT_TIMEOUT_S
        receipt = None
        while receipt is None and time.monotonic() < deadline:
            # The L1 block that has it may be another one each time.
            on_l1 = await _receipt(user.rpc, deposit.hash, _POLL_S)
            if on_l1 is not None and on_l1["status"] == "0x1":
                on_l2 = deposit.hash_on_l2(on_l1)
                receipt = await _receipt(self._traffic.users[0].rpc, on_l2, _POLL_S)
                self._figures.deposits.add(on_l2)
        self._note(Kind.DEPOSIT, receipt, is_meant_to_fail=False)

    def _note(
        self, kind: Kind, receipt: Mapping[str, Any] | None, *, is_meant_to_fail: bool
    ) -> None:
        if receipt is None:
            self._figures.unanswered += 1
            return
        self._figures.kinds[kind] += 1
        if (receipt["status"] == "0x0") != is_meant_to_fail:
            self._figures.unlike_meant += 1


async def _receipt(rpc: Rpc, transaction_hash: str, timeout_s: float) -> Any:
    """Wait for a receipt; None if there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        receipt = await rpc.call("eth_getTransactionReceipt", transaction_hash)
        if receipt is not None or time.monotonic() >= deadline:
            return receipt
        await asyncio.sleep(_POLL_S)
