"""An L1 that a test deploys to, and ways to interrupt it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from consensus.block_refs import L1BlockRef
from consensus.deploy import DeploySettings, Rollup, deploy
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.known_chains import l1_chain_json
from consensus.l1.tx_sender import SenderSettings, TransactionRequest, TxSender
from node.clock import SystemClock
from node.dev_chain import DevChainConfig
from node.genesis.dev_chains import l1_dev_genesis
from node.types.primitives import Address, Hash32, keccak256
from node.types.transaction import address_of_key
from node.worker import run_in_thread
from openrollup.embedded_l1 import EmbeddedL1

KEY = keccak256(b"deployer")
DEPLOYER = address_of_key(KEY)
BATCHER = Address(b"\xba" * 20)
HOLDER = Address(b"\x40" * 20)
SETTINGS = DeploySettings(
    l2_chain_id=901, owner=DEPLOYER, batcher=BATCHER, allocation={HOLDER: 7 * 10**18}
)
STEPS = 7


class Killed(Exception):
    """Stands for whatever ends a deployment between two messages to L1."""


class FailingL1(L1Client):
    """L1 to somebody who is killed at the transaction number `at`, counted from 0.

    `is_sent` says whether L1 has got that one. Another `error` may come instead.
    """

    def __init__(
        self, url: str, at: int, *, is_sent: bool = False, error: Exception | None = None
    ) -> None:
        super().__init__(JsonRpc(url))
        self._left = at
        self._is_sent = is_sent
        self._error = error or Killed()

    async def send_raw_transaction(self, raw: bytes) -> Hash32:
        self._left -= 1
        if self._left >= 0:
            return await super().send_raw_transaction(raw)
        if self._is_sent:
            await super().send_raw_transaction(raw)
        raise self._error


@dataclass
class DevL1:
    """An L1 dev chain over HTTP."""

    embedded: EmbeddedL1
    client: L1Client

    @property
    def url(self) -> str:
        return self.embedded.url

    @asynccontextmanager
    async def mining(self) -> AsyncIterator[None]:
        """Make a block of whatever is there or comes."""
        producing = asyncio.ensure_future(self.embedded.chain.run_at_once())
        try:
            yield
        finally:
            producing.cancel()
            await asyncio.wait([producing])

    async def mine(self) -> L1BlockRef:
        """Make one block of what is there."""
        await run_in_thread(lambda: self.embedded.chain.produce(0))
        return await self.client.block_ref_by_label("latest")

    async def deploy(
        self,
        record: Path | None,
        settings: DeploySettings = SETTINGS,
        *,
        client: L1Client | None = None,
        key: bytes = KEY,
        gifts: Mapping[Address, int] | None = None,
    ) -> Rollup:
        l1 = client or self.client
        chain = l1_chain_json(900)
        return await deploy(l1, sender(l1, key), settings, chain, record=record, gifts=gifts)

    async def spend(self, count: int = 1) -> None:
        """Use the deployer's key for something else."""
        for _ in range(count):
            await sender(self.client).send(TransactionRequest(HOLDER, b"", 21_000))


def sender(l1: L1Client, key: bytes = KEY) -> TxSender:
    return TxSender(l1, key, 900, SystemClock(), SenderSettings(poll_interval_s=0.01))


@asynccontextmanager
async def dev_l1(**genesis: object) -> AsyncIterator[DevL1]:
    """An L1 where the deployer has ether. It makes no blocks by itself."""
    values = {"timestamp": 1_700_000_000, "funded": [DEPLOYER], **genesis}
    embedded = EmbeddedL1(
        l1_dev_genesis(**values),
        None,
        0,
        SystemClock(),
        DevChainConfig(),  # type: ignore[arg-type]
    )
    await embedded.start()
    client = L1Client(JsonRpc(embedded.url))
    try:
        yield DevL1(embedded, client)
    finally:
        await client.close()
        await embedded.close()
