"""`replay`: stored blocks are executed again, to their end or up to one transaction."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, overload

from node.chain import ancestor_hashes, state_view
from node.difference import BlockReport, Difference
from node.errors import ConfigError, InvalidInput
from node.execution.transition import BlockExecution
from node.replayed_chain import apply_transaction, naming_differences
from node.senders import recover_senders
from node.types.block import AnyTransaction, Block, Header
from node.types.payload import attributes_of
from node.types.primitives import Hash32
from node.types.receipt import Receipt
from openrollup.testing.errors import BlockDiffers
from openrollup.testing.sources import Found, source_of
from openrollup.testing.state import State


class Replay:
    """What replaying blocks has found. `reports` has one entry for each block."""

    def __init__(self, reports: tuple[BlockReport, ...]) -> None:
        self.reports = reports

    @property
    def difference(self) -> Difference | None:
        """The first thing that differs, None if all blocks are equal."""
        return self.reports[-1].difference if self.reports else None

    def check(self) -> None:
        """Raise BlockDiffers, which names field, values and transaction, if a block differs."""
        if self.difference is not None:
            raise BlockDiffers(self.reports[-1])


class ReplayUpTo(Replay):
    """A replay that stopped at a transaction. `before` and `after` are the states around it.

    They can be asked until `close`, or the end of the `with` block.
    """

    def __init__(
        self, reports: tuple[BlockReport, ...], found: Found, resources: ExitStack
    ) -> None:
        super().__init__(reports)
        self._resources = resources
        self.block: Block = found.block
        self.index: int = found.index
        self.transaction: AnyTransaction = found.block.transactions[found.index]
        self.receipt: Receipt
        self.before: State
        self.after: State
        self._execute(found)

    def close(self) -> None:
        """Release the store."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _execute(self, found: Found) -> None:
        reader, block = found.reader, found.block
        recover_senders(block.transactions[: found.index + 1])
        with reader.snapshot() as snapshot, naming_differences():
            parent = _parent(found)
            execution = BlockExecution(
                reader.config,
                parent,
                attributes_of(block),
                state_view(snapshot, parent),
                ancestor_hashes(snapshot, parent),
                reader.interpreter,
            )
            for index, tx in enumerate(block.transactions[: found.index]):
                apply_transaction(execution, index, tx)
            self.before = State(reader, parent, block, execution.changes())
            self.receipt = apply_transaction(execution, found.index, self.transaction)
            self.after = State(reader, parent, block, execution.changes())


@overload
def replay(
    source: str | Path,
    *,
    genesis: str | Path | None = None,
    first: int | None = None,
    last: int | None = None,
) -> Replay: ...


@overload
def replay(
    source: str | Path, *, upto: str | bytes, genesis: str | Path | None = None
) -> ReplayUpTo: ...


def replay(
    source: str | Path,
    *,
    genesis: str | Path | None = None,
    first: int | None = None,
    last: int | None = None,
    upto: str | bytes | None = None,
) -> Replay:
    """Execute blocks again and compare everything; the first one that differs ends it.

    `source` is a datadir, a file of blocks (with `genesis`, a geth-format genesis.json) or the
    JSON-RPC URL of a node. `upto` is the hash of a transaction: it is the last to be executed, and
    an earlier block that differs raises BlockDiffers. ConfigError for a source or a range that is
    not there, InvalidInput for a transaction that is in no block.
    """
    chosen = source_of(source, genesis)
    if upto is None:
        return Replay(tuple(chosen.reports(first, last)))
    if first is not None or last is not None:
        raise ConfigError("upto: goes without first and last: it begins where it has to")
    resources = ExitStack()
    try:
        reports, found = resources.enter_context(chosen.up_to(_hash(upto)))
        return ReplayUpTo(tuple(reports), found, resources)
    except BaseException:
        resources.close()
        raise


def _parent(found: Found) -> Header:
    wanted = found.block.header.parent_hash
    parent = found.reader.header_by_hash(wanted)
    if parent is None:
        raise InvalidInput(f"block {found.block.number}: its parent 0x{wanted.hex()} is not there")
    return parent


def _hash(given: str | bytes) -> Hash32:
    try:
        raw = bytes.fromhex(given.removeprefix("0x")) if isinstance(given, str) else bytes(given)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise InvalidInput(f"upto: expected the hash of a transaction, 32 bytes, got {given!r}")
    return Hash32(raw)
