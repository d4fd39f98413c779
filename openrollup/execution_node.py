"""One chain's execution layer, put together: store, engine, reader, mempool."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from node.attribution_rebuild import needs_rebuilding, rebuild
from node.block_store import get_header
from node.chain import read_heads
from node.engine import Engine
from node.errors import ConfigError, CorruptStore
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis import Genesis, genesis_to_json, read_genesis
from node.json_file import write_json
from node.mempool import Mempool
from node.reader import Reader
from node.state.flat_check import check_flat_state
from node.storage.database import CopyOf, Database
from node.types.primitives import BlockNumber
from openrollup.progress import Progress

_log = logging.getLogger(__name__)

GENESIS_FILE = "genesis.json"


@dataclass(frozen=True, slots=True)
class ExecutionNode:
    """What every process that runs a chain has."""

    genesis: Genesis
    database: Database
    engine: Engine
    reader: Reader
    mempool: Mempool

    @classmethod
    def open(
        cls,
        genesis: Genesis,
        path: Path | CopyOf | None,
        interpreter: Interpreter = DEFAULT_INTERPRETER,
        kept_blocks: int | None = None,
        *,
        keeps_proofs: bool = False,
    ) -> Self:
        """Open the chain's store, and create it if it is new; None and copies stay in memory.

        With `kept_blocks` older blocks are pruned as new ones come, with `keeps_proofs` not before
        it is known which proofs stay; see `Engine`.
        ConfigError if the store belongs to another chain or another process writes to it.
        """
        database = Database.open(path)
        try:
            engine = Engine(
                database,
                genesis.config,
                interpreter=interpreter,
                kept_blocks=kept_blocks,
                keeps_proofs=keeps_proofs,
            )
            if isinstance(path, Path) and engine.is_empty:
                # Beside the store, so that a folder is enough to replay or export a chain; before
                # the first block, so that whoever is killed in between finds the same genesis.
                write_json(path / GENESIS_FILE, genesis_to_json(genesis))
            engine.initialise(genesis)
            _index_attribution(database, genesis)
            reader = Reader(database, genesis.config, interpreter)
            _tell_of_missing(reader, kept_blocks)
            mempool = Mempool(reader, genesis.config)
            engine.subscribe(mempool.on_head_change)
        except BaseException:
            database.close()
            raise
        return cls(genesis, database, engine, reader, mempool)

    def close(self) -> None:
        """Close the store."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _index_attribution(database: Database, genesis: Genesis) -> None:
    """Make the index of receipts and of what the AttributionHub said, if the store has none."""
    if not needs_rebuilding(database, genesis.config):
        return
    with Progress("attribution index", None) as progress:
        for done, total in rebuild(database, genesis.config):
            progress.show(done, total)


def _tell_of_missing(reader: Reader, kept_blocks: int | None) -> None:
    first, newest = reader.first_kept(), reader.heads().unsafe.number
    if first > 0 and (kept_blocks is None or first > newest - kept_blocks + 1):
        _log.warning(
            "history begins with block %d: what is older was pruned before and does not come back",
            first,
        )


@dataclass(frozen=True, slots=True)
class StoredChain:
    """A chain on disk, opened to read, beside a running node or without one."""

    genesis: Genesis
    database: Database
    reader: Reader

    @classmethod
    def open(cls, datadir: Path, interpreter: Interpreter = DEFAULT_INTERPRETER) -> Self:
        """Open the chain in `datadir`, or its L2 chain if it is a dev network's folder."""
        # A dev network's folder has a genesis.json of its own, for whoever starts a verifier.
        path = datadir / "l2" if (datadir / "l2" / GENESIS_FILE).exists() else datadir
        if not (path / GENESIS_FILE).exists():
            raise ConfigError(
                f"{datadir}: no chain here: expected {GENESIS_FILE} or l2/{GENESIS_FILE}"
            )
        genesis = read_genesis(path / GENESIS_FILE)
        database = Database.open(path, read_only=True)
        return cls(genesis, database, Reader(database, genesis.config, interpreter))

    def block_range(self, first: int | None, last: int | None) -> tuple[BlockNumber, BlockNumber]:
        """Return both ends of a range that can be executed again, by default all after block 0.

        On a pruned chain that is less: a block is executed on its parent's state. ConfigError if
        the chain does not hold the range.
        """
        oldest = self.reader.first_kept()
        if oldest > 0:
            oldest = BlockNumber(oldest + 1)
            if first is None:
                _log.warning("blocks before %d cannot be executed: they are pruned", oldest)
                first = oldest
        return self._range(first, last, oldest)

    def whole_blocks(self, first: int | None, last: int | None) -> tuple[BlockNumber, BlockNumber]:
        """Return both ends of a range whose bodies are stored, by default all after block 0.

        ConfigError if the chain does not hold it.
        """
        return self._range(first, last, self.reader.first_kept())

    def _range(
        self, first: int | None, last: int | None, oldest: BlockNumber
    ) -> tuple[BlockNumber, BlockNumber]:
        newest = self.reader.heads().unsafe.number
        # A chain that has only block 0 has that much to show.
        first = min(1, newest) if first is None else first
        last = newest if last is None else last
        if 0 <= first < oldest:
            raise ConfigError(
                f"--from: expected {oldest} or more, got {first}: older blocks are pruned here"
            )
        if not 0 <= first <= last <= newest:
            raise ConfigError(
                f"--from, --to: expected 0 <= from <= to <= {newest} (the newest block), "
                f"got {first} and {last}"
            )
        return BlockNumber(first), BlockNumber(last)

    def check_state(self) -> None:
        """Check that the flat state is the head's; CorruptStore says what is wrong in it."""
        with self.database.read() as snapshot:
            heads = read_heads(snapshot)
            head = None if heads is None else get_header(snapshot, heads.unsafe.hash)
            if head is None:
                raise CorruptStore("the header of the head is missing")
            check_flat_state(snapshot, head.state_root)

    def close(self) -> None:
        """Close the store."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
