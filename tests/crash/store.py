"""The node under test: a rollup's real parts over a store that tells when it commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from node.clock import SystemClock
from node.config import AttributionConfig
from node.engine import Engine
from node.genesis import GenesisAccount
from node.mempool import Mempool
from node.reader import Reader
from node.storage.database import Database, WriteTransaction
from node.types.primitives import hex_address
from openrollup.pool_sink import PoolSink
from rpc.api import ethereum_methods
from rpc.dispatcher import Dispatcher
from tests.node.chains import STORE_AND_LOG
from tests.node.pooled_chain import PooledChain, rollup_genesis

CONTRACT = hex_address("0x00000000000000000000000000000000000c0de5")
_BASE = rollup_genesis(lane=AttributionConfig(0, 4, 2**20))
GENESIS = replace(_BASE, alloc={**_BASE.alloc, CONTRACT: GenesisAccount(code=STORE_AND_LOG)})
UNDO_BLOCKS = 128


class WatchedDatabase(Database):
    """A database that tells when a commit begins and when it has ended."""

    commit_begins: Callable[[], None] = staticmethod(lambda: None)
    commit_ended: Callable[[], None] = staticmethod(lambda: None)

    @contextmanager
    def write(self) -> Iterator[WriteTransaction]:
        with super().write() as tx:
            yield tx
            self.commit_begins()
        self.commit_ended()


@dataclass(frozen=True, slots=True)
class Store:
    """An open chain with everything that answers for it."""

    database: WatchedDatabase
    chain: PooledChain
    dispatcher: Dispatcher


@contextmanager
def open_store(path: Path, kept_blocks: int | None = None) -> Iterator[Store]:
    """Open the chain in `path`, and create it if it is new; see `Engine` for `kept_blocks`."""
    with WatchedDatabase.open(path) as database:
        assert isinstance(database, WatchedDatabase)
        engine = Engine(database, GENESIS.config, undo_blocks=UNDO_BLOCKS, kept_blocks=kept_blocks)
        engine.initialise(GENESIS)
        reader = Reader(database, GENESIS.config)
        mempool = Mempool(reader, GENESIS.config)
        engine.subscribe(mempool.on_head_change)
        chain = PooledChain(GENESIS, engine, reader, mempool)
        methods = ethereum_methods(
            reader, mempool, GENESIS.config, PoolSink(mempool), SystemClock(), "crash/1"
        )
        yield Store(database, chain, Dispatcher(methods))
