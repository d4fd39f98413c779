"""A real chain in memory with its pool, of either rule set, and users with as much as one likes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from node.builder import FillLimits, fill
from node.config import AttributionConfig
from node.engine import Engine
from node.execution.transition import BlockExecution, ExecutedBlock
from node.genesis import Genesis, GenesisAccount, l1_dev_genesis, l2_genesis
from node.mempool import Mempool, PoolLimits
from node.reader import Reader
from node.storage.database import Database
from node.types.block import Header
from node.types.payload import PayloadAttributes
from node.types.primitives import Address, Hash32, keccak256
from node.types.transaction import Transaction, address_of_key
from tests.node.execution.memory_chain import l1_attributes
from tests.node.execution.signing import sign

CHAIN_ID = 901
GENESIS_TIME = 1_700_000_000
ETHER = 10**18
KEYS = tuple(keccak256(b"user %d" % number) for number in range(12))
USERS = tuple(map(address_of_key, KEYS))
KEY_OF = dict(zip(USERS, KEYS, strict=True))
UNLIMITED = FillLimits(out_of_time=lambda: False, max_da_bytes=2**31)


def with_balances(genesis: Genesis, balances: Mapping[Address, int]) -> Genesis:
    """Give accounts other balances."""
    accounts = {address: GenesisAccount(balance=balance) for address, balance in balances.items()}
    return replace(genesis, alloc={**genesis.alloc, **accounts})


def ethereum_genesis(balances: Mapping[Address, int] | None = None, **fields: Any) -> Genesis:
    """Return a chain under Ethereum rules whose users own 10,000 ETH each, or `balances`."""
    genesis = l1_dev_genesis(timestamp=GENESIS_TIME, chain_id=CHAIN_ID, funded=USERS, **fields)
    return with_balances(genesis, balances or {})


def rollup_genesis(
    balances: Mapping[Address, int] | None = None,
    *,
    lane: AttributionConfig | None = None,
    **fields: Any,
) -> Genesis:
    """Return a rollup whose users own 10,000 OPEN each, or `balances`."""
    genesis = l2_genesis(
        chain_id=CHAIN_ID, timestamp=GENESIS_TIME, funded=USERS, attribution=lane, **fields
    )
    return with_balances(genesis, balances or {})


@dataclass
class PooledChain:
    """A store with its engine, reader and pool. `l1_fees` go into each rollup block's deposit."""

    genesis: Genesis
    engine: Engine
    reader: Reader
    mempool: Mempool
    l1_fees: dict[str, int] = field(default_factory=dict)

    def head(self) -> Header:
        return self.reader.head_header()

    def nonce(self, user: Address) -> int:
        account = self.reader.account(user, self.head())
        return account.nonce if account else 0

    def balance(self, user: Address) -> int:
        account = self.reader.account(user, self.head())
        return account.balance if account else 0

    def transfer(self, user: int = 0, nonce: int = 0, **fields: Any) -> Transaction:
        """Sign a payment of a user; nothing is sent."""
        return sign(**{"key": KEYS[user], "nonce": nonce, "gas": 21_000, "value": 1, **fields})

    @contextmanager
    def begin(
        self, *, parent: Header | None = None, gas_limit: int | None = None, salt: int = 0
    ) -> Iterator[BlockExecution]:
        """Start a block on the head or another block, with the deposit that a rollup needs."""
        parent = parent or self.head()
        attributes = PayloadAttributes(
            timestamp=parent.timestamp + 1,
            prev_randao=Hash32(salt.to_bytes(32, "big")),
            fee_recipient=Address(b"\xfe" * 20),
            parent_beacon_block_root=keccak256(parent.hash),
            gas_limit=gas_limit or parent.gas_limit,
            extra_data=parent.extra_data if self.genesis.config.rollup else b"",
        )
        with self.engine.begin(parent, attributes) as execution:
            if self.genesis.config.rollup:
                execution.apply(l1_attributes(**self.l1_fees))
            yield execution

    def mine(
        self,
        *transactions: Transaction,
        parent: Header | None = None,
        limits: FillLimits = UNLIMITED,
        salt: int = 0,
    ) -> ExecutedBlock:
        """Insert a block of the pool's transactions, after those given."""
        with self.begin(parent=parent, salt=salt) as execution:
            for tx in transactions:
                execution.apply(tx)
            fill(execution, self.mempool, limits)
            executed = execution.seal()
        self.engine.insert(executed)
        return executed

    def insert(
        self, *transactions: Transaction, parent: Header | None = None, salt: int = 0
    ) -> ExecutedBlock:
        """Insert a block of exactly these transactions."""
        with self.begin(parent=parent, salt=salt) as execution:
            for tx in transactions:
                execution.apply(tx)
            executed = execution.seal()
        self.engine.insert(executed)
        return executed


@contextmanager
def open_pool(
    genesis: Genesis | None = None, limits: PoolLimits | None = None
) -> Iterator[PooledChain]:
    """Open a chain in memory; under Ethereum rules unless another genesis is given."""
    genesis = genesis or ethereum_genesis()
    with Database.open(None) as database:
        engine = Engine(database, genesis.config)
        engine.initialise(genesis)
        reader = Reader(database, genesis.config)
        mempool = Mempool(reader, genesis.config, limits or PoolLimits())
        engine.subscribe(mempool.on_head_change)
        yield PooledChain(genesis, engine, reader, mempool)
