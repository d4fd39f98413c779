"""A dev network in this process, with a clock that runs faster than the world's."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from eth_abi.abi import encode as abi_encode

from consensus.deploy import L1Contracts
from consensus.l1.json_rpc import Json, JsonRpc, RpcSettings
from node.clock import Clock
from node.genesis import DevAccount, dev_accounts
from node.head_change import HeadChange
from node.mempool import Mempool
from node.reader import Reader
from node.types.primitives import Address, Hash32, keccak256
from node.types.transaction import Transaction, sign_dynamic_fee
from openrollup.dev_network import DevNetwork, open_dev_network
from openrollup.dev_options import DevOptions
from openrollup.run import run_until_stopped

ALICE, BOB = dev_accounts()[:2]
OPTIONS = DevOptions(l1_port=0, port=0, verifier_port=0)
FRIEND = Address(b"\x77" * 20)


class FastClock:
    """Real time, several times as fast."""

    def __init__(self, factor: float = 10.0) -> None:
        self._factor = factor
        self._began = time.time()
        self._zero = time.monotonic()

    def now(self) -> float:
        return self._began + (time.monotonic() - self._zero) * self._factor

    async def sleep_until(self, deadline: float) -> None:
        while (remaining := deadline - self.now()) > 0:  # noqa: ASYNC110 - time is the condition
            await asyncio.sleep(remaining / self._factor)


class Running:
    """A network whose parts run."""

    def __init__(self, network: DevNetwork) -> None:
        self.network = network
        self.alive = asyncio.ensure_future(self._live())
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        assert network.l1.embedded is not None
        self.l1 = network.l1.embedded
        for node in (self.l1.node, network.sequencer.node, network.verifier.node):
            node.engine.subscribe(self._on_change)

    @property
    def l2(self) -> Reader:
        """The sequencer's chain."""
        return self.network.sequencer.node.reader

    @property
    def pool(self) -> Mempool:
        """The sequencer's pool."""
        return self.network.sequencer.node.mempool

    async def until(self, condition: Callable[[], object]) -> None:
        """Return once the condition holds; it is looked at after each commit of any chain."""
        while not condition():
            self._changed.clear()
            changed: asyncio.Future[Any] = asyncio.ensure_future(self._changed.wait())
            waits: list[asyncio.Future[Any]] = [changed, self.alive]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            if self.alive.done():
                self.alive.result()

    async def included(self, tx: Transaction) -> int:
        """Put a transaction into the pool; return the number of the block that it got into."""
        self.pool.add_transaction(tx)
        await self.until(lambda: self.l2.transaction(tx.hash))
        place = self.l2.transaction(tx.hash)
        assert place is not None
        return place.block.number

    def payment(self, nonce: int, *, account: DevAccount = ALICE, value: int = 1) -> Transaction:
        """Sign a payment on L2 to a friend."""
        return sign(account, 901, nonce, FRIEND, b"", value=value)

    def balance(self, address: Address) -> int:
        """Return what an account owns on L2."""
        account = self.l2.account(address, self.l2.head_header())
        return 0 if account is None else account.balance

    def deposit(self, contracts: L1Contracts, nonce: int, amount: int) -> None:
        """Let Bob send OPEN from L1 to the friend on L2; takes two nonces."""
        allow = call("approve(address,uint256)", contracts.optimism_portal, amount)
        send = call(
            "depositERC20Transaction(address,uint256,uint256,uint64,bool,bytes)",
            FRIEND,
            amount,
            amount,
            100_000,
            False,
            b"",
        )
        pool = self.l1.node.mempool
        pool.add_transaction(sign(BOB, 900, nonce, contracts.open_token, allow))
        pool.add_transaction(sign(BOB, 900, nonce + 1, contracts.optimism_portal, send))

    async def _live(self) -> None:
        await run_until_stopped(self.network.parts())

    def _on_change(self, change: HeadChange) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)


@asynccontextmanager
async def running(
    options: DevOptions = OPTIONS, clock: Clock | None = None, **changed: Any
) -> AsyncIterator[Running]:
    """Run a network; whatever went wrong in it is raised in the end."""
    async with open_dev_network(replace(options, **changed), clock or FastClock()) as network:
        run = Running(network)
        try:
            yield run
        finally:
            if not run.alive.done():
                run.alive.cancel()
            await asyncio.wait([run.alive])
        if not run.alive.cancelled():
            run.alive.result()


async def ask(url: str, method: str, *params: Json) -> Json:
    """Call a method over HTTP; RpcFault if it fails."""
    rpc = JsonRpc(url, RpcSettings(attempts=1))
    try:
        return await rpc.call(method, *params)
    finally:
        await rpc.close()


def sign(
    account: DevAccount, chain_id: int, nonce: int, to: Address, data: bytes, *, value: int = 0
) -> Transaction:
    return sign_dynamic_fee(
        account.private_key,
        chain_id=chain_id,
        nonce=nonce,
        max_priority_fee_per_gas=10**9,
        max_fee_per_gas=10**11,
        gas=300_000,
        to=to,
        value=value,
        data=data,
    )


def call(signature: str, *arguments: object) -> bytes:
    types = signature[signature.index("(") + 1 : -1].split(",")
    return keccak256(signature.encode())[:4] + abi_encode(types, arguments)


def hash_at(reader: Reader, number: int) -> Hash32 | None:
    return reader.canonical_hash(number)  # type: ignore[arg-type]
