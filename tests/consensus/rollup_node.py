"""A whole node (real engine, real execution) on a fake L1, in virtual time."""

from dataclasses import dataclass, field, replace

from consensus.batcher.batcher import Batcher, BatcherSettings
from consensus.block_refs import L2BlockRef
from consensus.config import RollupConfig
from consensus.derivation.outcomes import NeedsL1
from consensus.deriver import Deriver
from consensus.engine_gate import EngineGate
from consensus.l1.tx_sender import SenderSettings, TxSender
from consensus.l1.watcher import L1Watcher
from consensus.l2_chain import L2Chain
from consensus.sequencer.sequencer import Sequencer, SequencerSettings
from node.clock import VirtualClock
from node.engine import Engine
from node.genesis.dev_chains import l2_genesis
from node.genesis.genesis import Genesis, genesis_block
from node.mempool import Mempool
from node.reader import Reader
from node.storage.database import Database
from node.types.block import Block
from node.types.deposit import DepositTransaction
from node.types.primitives import Address, BlockNumber
from node.types.transaction import address_of_key, sign_dynamic_fee
from tests.consensus.rollup import BATCHER_KEY, L1_CHAIN, USER_KEY, rollup_config
from tests.fakes.l1_source import FakeL1
from tests.fakes.pool_l1 import PoolL1

FRIEND = Address(b"\x77" * 20)


def make_genesis(
    l1: FakeL1, *, seq_window_size: int = 10, jovian: bool = False
) -> tuple[RollupConfig, Genesis]:
    """Return a rollup that begins at the L1's first block, with one funded user."""
    genesis = l2_genesis(
        chain_id=901,
        timestamp=l1.genesis.timestamp,
        min_base_fee=0 if jovian else None,
        funded=[address_of_key(USER_KEY)],
    )
    config = rollup_config(l1, seq_window_size=seq_window_size, jovian=jovian)
    start = replace(config.genesis, l2=genesis_block(genesis).block.header.ref)
    return replace(config, genesis=start), genesis


@dataclass
class RollupNode:
    """A verifier's parts, or with its sequencer used, a sequencer's. `close` it in the end."""

    l1: FakeL1
    config: RollupConfig
    genesis: Genesis
    clock: VirtualClock
    database: Database = field(default_factory=lambda: Database.open(None))
    settings: SequencerSettings = field(default_factory=SequencerSettings)

    def __post_init__(self) -> None:
        chain = self.genesis.config
        self.engine = Engine(self.database, chain)
        self.engine.initialise(self.genesis)
        self.reader = Reader(self.database, chain)
        self.gate = EngineGate(self.engine)
        self.l2 = L2Chain(self.reader, self.config)
        self.watcher = L1Watcher(self.l1, self.clock, poll_interval_s=1)
        self.mempool = Mempool(self.reader, chain)
        self.engine.subscribe(self.mempool.on_head_change)
        self.deriver = Deriver(
            self.config, chain, L1_CHAIN, self.l1, self.l1, self.l2, self.reader, self.gate
        )
        self.sequencer = Sequencer(
            self.config,
            chain,
            L1_CHAIN,
            self.gate,
            self.reader,
            self.l2,
            self.watcher,
            self.mempool,
            self.clock,
            self.settings,
        )

    def close(self) -> None:
        self.database.close()

    def batcher(self, settings: BatcherSettings, *, key: bytes = BATCHER_KEY) -> Batcher:
        """Return a batcher that sends to the fake L1's pool."""
        assert isinstance(self.l1, PoolL1)
        sender = TxSender(self.l1, key, 900, self.clock, SenderSettings(poll_interval_s=1))
        return Batcher(
            self.config,
            L1_CHAIN,
            self.reader,
            self.watcher,
            sender,
            lambda: self.deriver.current_l1,
            self.clock,
            settings,
        )

    async def build(self) -> Block:
        """Build the next unsafe block on what L1 is now."""
        self.watcher.keep_from((await self.l2.unsafe()).l1_origin)
        await self.watcher.poll()
        built = await self.sequencer.step()
        assert isinstance(built, Block), built
        return built

    async def build_until_l1_head(self) -> list[Block]:
        """Build blocks while their time is not past the L1 head's."""
        blocks = []
        while (await self.l2.unsafe()).timestamp < self.l1.head.timestamp:
            blocks.append(await self.build())
        return blocks

    async def derive(self) -> list[L2BlockRef]:
        """Derive all that L1 holds; return the new safe blocks."""
        if self.deriver.current_l1 is None:
            await self.deriver.reset()
        derived = []
        while not isinstance(outcome := await self.deriver.step(), NeedsL1):
            derived.append(outcome)
        return derived

    def send(self, nonce: int, *, to: Address = FRIEND, data: bytes = b"") -> None:
        """Put a transaction of the funded user into the pool."""
        self.mempool.add(user_transfer(nonce, to=to, data=data))

    def chain(self) -> list[Block]:
        """Return the canonical blocks after genesis."""
        last = self.reader.heads().unsafe.number
        blocks = [self.reader.block_by_number(BlockNumber(n)) for n in range(1, last + 1)]
        return [block for block in blocks if block is not None]


def user_transfer(nonce: int, *, to: Address = FRIEND, data: bytes = b"", value: int = 1) -> bytes:
    """Return a signed L2 transaction of the funded user."""
    return sign_dynamic_fee(
        USER_KEY,
        chain_id=901,
        nonce=nonce,
        max_priority_fee_per_gas=1,
        max_fee_per_gas=10**10,
        gas=21_000 + 40 * len(data),
        to=to,
        value=value,
        data=data,
    ).raw


def user_transactions(block: Block) -> list[bytes]:
    """Return what is in a block besides deposits."""
    return [tx.raw for tx in block.transactions if not isinstance(tx, DepositTransaction)]
