"""Somebody who sends transactions and asks for what became of them, over the node's own RPC."""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from node.errors import InvalidTransaction
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.primitives import Address
from rpc.dispatcher import Dispatcher
from tests.crash.store import CONTRACT
from tests.node.execution.signing import sign
from tests.node.hub_calls import register_dataset
from tests.node.pooled_chain import KEYS, USERS

_CREATION = bytes.fromhex("6001600c60003960016000f300")
_MAX_PENDING = 60


class Client:
    """Sends for ever, and passes on what it is shown: every block, and every receipt."""

    def __init__(
        self, dispatcher: Dispatcher, shown: Callable[[str, Any], None], chance: random.Random
    ) -> None:
        self._dispatcher = dispatcher
        self._shown = shown
        self._chance = chance
        self._waiting: deque[str] = deque(maxlen=400)
        self._is_stopped = False

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._is_stopped = True

    async def run(self) -> None:
        """Send and ask, until killed or stopped."""
        polled = await self._call("eth_newBlockFilter")
        while not self._is_stopped:
            await self._send()
            number = await self._call("eth_blockNumber")
            block = await self._call("eth_getBlockByNumber", "latest", False)
            self._shown("number", number)
            self._shown("block", block)
            for block_hash in await self._call("eth_getFilterChanges", polled):
                self._shown("hash", block_hash)
            await self._ask_for_receipts()

    async def _call(self, method: str, *params: Any) -> Any:
        return await self._dispatcher.call(method, list(params))

    async def _send(self) -> None:
        pending = await self._call("txpool_status")
        room = _MAX_PENDING - int(pending["pending"], 16) - int(pending["queued"], 16)
        for _ in range(min(room, self._chance.randrange(1, 6))):
            user = self._chance.randrange(len(USERS))
            address = "0x" + USERS[user].hex()
            count = await self._call("eth_getTransactionCount", address, "pending")
            raw = self._transaction(user, int(count, 16))
            try:
                self._waiting.append(await self._call("eth_sendRawTransaction", "0x" + raw.hex()))
            except InvalidTransaction:  # a block has changed the account in between
                continue
        await asyncio.sleep(0)

    def _transaction(self, user: int, nonce: int) -> bytes:
        kind = self._chance.random()
        fields: dict[str, Any] = {"key": KEYS[user], "nonce": nonce}
        if kind < 0.05:
            fields |= {"to": Address(self._chance.randbytes(20)), "value": 1}
        elif kind < 0.4:
            fields |= {"to": USERS[self._chance.randrange(len(USERS))], "value": 1}
        elif kind < 0.5:
            payout = USERS[self._chance.randrange(len(USERS))]
            call = register_dataset(self._chance.randbytes(32), "ipfs://", payout)
            fields |= {"to": ATTRIBUTION_HUB_ADDRESS, "data": call}
        elif kind < 0.95:
            value = self._chance.choice((0, self._chance.getrandbits(64)))
            slot = self._chance.randrange(200)
            data = slot.to_bytes(32, "big") + value.to_bytes(32, "big")
            fields |= {"to": CONTRACT, "data": data}
        else:
            fields |= {"to": None, "data": _CREATION}
        return sign(**fields).raw

    async def _ask_for_receipts(self) -> None:
        for _ in range(min(10, len(self._waiting))):
            tx_hash = self._waiting.popleft()
            receipt = await self._call("eth_getTransactionReceipt", tx_hash)
            if receipt is None:
                self._waiting.append(tx_hash)
            else:
                self._shown("receipt", receipt)


def as_text(answer: Any) -> str:
    """Return an answer in a form that can be compared."""
    return json.dumps(answer, sort_keys=True)
