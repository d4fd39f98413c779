"""Real chains in memory, with blocks made on demand, and a node that serves them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from node.builder import FillLimits, fill
from node.clock import VirtualClock
from node.engine import Engine
from node.genesis import DevAccount, Genesis, dev_accounts, l1_dev_genesis, l2_genesis
from node.mempool import Mempool
from node.reader import Reader
from node.storage.database import Database
from node.types.block import Block, BlockRef, Header
from node.types.deposit import l1_attributes_source_hash, make_deposit
from node.types.payload import PayloadAttributes
from node.types.primitives import Hash32, hex_address, keccak256
from node.types.transaction import Transaction, sign_dynamic_fee
from rpc.api import attribution_methods, ethereum_methods, optimism_methods
from rpc.dispatcher import Dispatcher
from rpc.encoding.hexadecimal import Json, data
from rpc.methods.openrollup import openrollup_methods
from rpc.server import RpcServer
from tests.rpc import samples

ALICE, BOB = dev_accounts()[:2]
GENESIS_TIME = 1_700_000_000
TIP = 10**9
CLIENT_VERSION = "openrollup/test"
DEPOSITOR = hex_address("deaddeaddeaddeaddeaddeaddeaddeaddead0001")
L1_BLOCK = hex_address("4200000000000000000000000000000000000015")


class RpcFailure(Exception):
    """The node has answered with an error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")
        super().__init__(f"{self.code}: {self.message}")


class Chain:
    """One chain in a temporary store, of either rule set."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis = genesis
        self.config = genesis.config
        self.database = Database.open(None)
        self.engine = Engine(self.database, genesis.config)
        self.engine.initialise(genesis)
        self.reader = Reader(self.database, genesis.config)
        self.mempool = Mempool(self.reader, genesis.config)
        self.engine.subscribe(self.mempool.on_head_change)

    def close(self) -> None:
        """Remove the store."""
        self.database.close()

    async def send(self, raw: bytes) -> Hash32:
        """Be the node's transaction sink."""
        return self.mempool.add(raw)

    def transfer(
        self, *, value: int = 1, sender: DevAccount = ALICE, **changes: Any
    ) -> Transaction:
        """Sign a transfer with the sender's next nonce; nothing is sent."""
        fields: dict[str, Any] = {
            "chain_id": self.config.chain_id,
            "nonce": self.mempool.pending_nonce(sender.address),
            "max_priority_fee_per_gas": TIP,
            "max_fee_per_gas": 100 * TIP,
            "gas": 1_000_000,
            "to": BOB.address,
            "value": value,
        }
        return sign_dynamic_fee(sender.private_key, **fields | changes)

    def mine(
        self, *transactions: Transaction, parent: Header | None = None, salt: int = 0
    ) -> Block:
        """Make a block of some transactions and those in the pool, on the head or another block."""
        parent = self.reader.head_header() if parent is None else parent
        for tx in transactions:
            self.mempool.add_transaction(tx)
        attributes = self._attributes(parent, salt)
        with self.engine.begin(parent, attributes) as execution:
            for forced in attributes.transactions:
                execution.apply(forced)
            fill(execution, self.mempool, FillLimits(lambda: False, 2**31))
            executed = execution.seal()
        self.engine.insert(executed)
        return executed.block

    def settle(self, *, safe: int, finalized: int) -> None:
        """Move the safe and the finalized head."""
        refs: list[BlockRef] = []
        for number in (safe, finalized):
            header = self.reader.header_by_number(number)  # type: ignore[arg-type]
            assert header is not None
            refs.append(header.ref)
        self.engine.set_heads(safe=refs[0], finalized=refs[1])

    def _attributes(self, parent: Header, salt: int) -> PayloadAttributes:
        is_rollup = self.config.rollup is not None
        deposit = make_deposit(
            source_hash=l1_attributes_source_hash(parent.hash, salt),
            sender=DEPOSITOR,
            to=L1_BLOCK,
            mint=0,
            value=0,
            gas=1_000_000,
            data=samples.l1_attributes_calldata(),
        )
        return PayloadAttributes(
            timestamp=parent.timestamp + 1,
            prev_randao=keccak256(b"randao" + parent.hash + salt.to_bytes(8, "big")),
            fee_recipient=parent.coinbase,
            parent_beacon_block_root=keccak256(b"beacon" + parent.hash),
            gas_limit=parent.gas_limit,
            extra_data=parent.extra_data if is_rollup else b"",
            transactions=(deposit,) if is_rollup else (),
        )


def ethereum_chain() -> Chain:
    """Return a chain under Ethereum rules."""
    return Chain(l1_dev_genesis(timestamp=GENESIS_TIME))


def rollup_chain() -> Chain:
    """Return a rollup."""
    return Chain(l2_genesis(chain_id=901, timestamp=GENESIS_TIME))


@dataclass
class FakeRollup:
    """The consensus layer's side of the ports."""

    status: dict[str, Json] = field(default_factory=lambda: {"current_l1": {"number": 5}})
    first_l1_number: int = 7

    def sync_status(self) -> Mapping[str, Json]:
        return self.status

    def rollup_config(self) -> Mapping[str, Json]:
        return {"block_time": 1, "l2_chain_id": 901}

    def l2_block_ref(self, block: Block) -> Mapping[str, Json]:
        return {"hash": data(block.hash), "number": block.number, "sequenceNumber": 3}

    def safe_head_at(self, l1_number: int) -> Mapping[str, Json] | None:
        if l1_number < self.first_l1_number:
            return None
        return {"l1Block": {"number": self.first_l1_number}, "safeHead": {"number": 3}}


@dataclass
class RpcNode:
    """A chain, the server in front of it, and a client."""

    chain: Chain
    clock: VirtualClock
    url: str
    _session: aiohttp.ClientSession

    async def call(self, method: str, *params: Any) -> Any:
        """Return the result; RpcFailure for an error."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        async with self._session.post(self.url, json=message) as response:
            answer = await response.json()
        if "error" in answer:
            raise RpcFailure(answer["error"])
        return answer["result"]


@asynccontextmanager
async def serve(chain: Chain) -> AsyncIterator[RpcNode]:
    """Serve a chain as long as the block runs."""
    clock = VirtualClock(GENESIS_TIME)
    dispatcher = Dispatcher(
        ethereum_methods(chain.reader, chain.mempool, chain.config, chain, clock, CLIENT_VERSION)
    )
    dispatcher.register(openrollup_methods(chain.genesis))
    if chain.config.rollup is not None:
        fake = FakeRollup()
        dispatcher.register(optimism_methods(chain.reader, fake, fake, fake, fake, CLIENT_VERSION))
    if chain.config.attribution is not None:
        dispatcher.register(attribution_methods(chain.reader))
    server = RpcServer(dispatcher)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield RpcNode(chain, clock, server.url, session)
    finally:
        await server.stop()
        chain.close()
