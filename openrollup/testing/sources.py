"""Where blocks to replay come from: a datadir, a file with its genesis, a running node."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from consensus.l1.json_rpc import JsonRpc, RpcSettings
from node.chain_file import read_blocks
from node.difference import BlockReport, Difference, Differs
from node.errors import ConfigError, InvalidInput
from node.genesis import Genesis, read_genesis
from node.reader import Reader
from node.replay import replay
from node.replayed_chain import ReplayedChain
from node.types.block import Block
from node.types.primitives import BlockNumber, Hash32
from openrollup.execution_node import StoredChain
from openrollup.remote_chain import RemoteChain
from openrollup.remote_replay import RemoteReplay
from openrollup.testing.errors import BlockDiffers
from openrollup.testing.loop_thread import LoopThread

T = TypeVar("T")

_PATIENT = RpcSettings(timeout_s=60.0, attempts=4, max_response_bytes=64 << 20)


@dataclass(frozen=True, slots=True)
class Found:
    """A block with a certain transaction, and a chain that holds the block's parent."""

    reader: Reader
    block: Block
    index: int


class Source(Protocol):
    """Blocks that can be executed again."""

    def reports(self, first: int | None, last: int | None) -> Iterator[BlockReport]:
        """Yield the reports of these blocks, by default of all; the first that differs ends it."""
        ...

    def up_to(self, tx_hash: Hash32) -> AbstractContextManager[tuple[list[BlockReport], Found]]:
        """Execute what comes before the block of a transaction, and find that.

        InvalidInput if no block holds it; BlockDiffers if a block before is not what comes out.
        """
        ...


def source_of(place: str | Path, genesis: str | Path | None = None) -> Source:
    """Tell by its look what a source is: a URL, a folder or a file; ConfigError if it is none."""
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        return NodeSource(place, None if genesis is None else read_genesis(Path(genesis)))
    path = Path(place)
    if path.is_dir():
        if genesis is not None:
            raise ConfigError("genesis: goes with a file or a URL, a datadir has its own")
        return DatadirSource(path)
    if not path.is_file():
        raise ConfigError(f"{path}: expected a datadir, a file of blocks, or a URL")
    if genesis is None:
        raise ConfigError(f"genesis: expected beside {path}, a file of blocks")
    return FileSource(path, read_genesis(Path(genesis)))


@dataclass(frozen=True, slots=True)
class DatadirSource:
    """The store of a node, which may be running."""

    path: Path

    def reports(self, first: int | None, last: int | None) -> Iterator[BlockReport]:
        """Source."""
        with StoredChain.open(self.path) as chain:
            yield from replay(chain.reader, *chain.block_range(first, last))

    @contextmanager
    def up_to(self, tx_hash: Hash32) -> Iterator[tuple[list[BlockReport], Found]]:
        """Source. The state before the block is the stored one: nothing needs to be executed."""
        with StoredChain.open(self.path) as chain:
            place = chain.reader.transaction(tx_hash)
            if place is None:
                raise _unknown(tx_hash, self.path)
            yield [], Found(chain.reader, place.block, place.index)


@dataclass(frozen=True, slots=True)
class FileSource:
    """Blocks as concatenated RLP, from block 0 or 1 on."""

    path: Path
    genesis: Genesis

    def reports(self, first: int | None, last: int | None) -> Iterator[BlockReport]:
        """Source. All blocks before the first are executed, too."""
        with ReplayedChain.open(self.genesis) as chain:
            for block in read_blocks(self.path):
                if last is not None and block.number > last:
                    break
                report = _execute(chain, block)
                if block.number >= (first or 0) or report.difference is not None:
                    yield report
                if report.difference is not None:
                    return
            newest = chain.head.number
        if newest < max(first or 0, last or 0) or (last is not None and last < (first or 0)):
            raise ConfigError(
                f"first, last: expected first <= last <= {newest}, got {first} and {last}"
            )

    @contextmanager
    def up_to(self, tx_hash: Hash32) -> Iterator[tuple[list[BlockReport], Found]]:
        """Source."""
        with ReplayedChain.open(self.genesis) as chain:
            reports: list[BlockReport] = []
            for block in read_blocks(self.path):
                if (index := _index(block, tx_hash)) is not None:
                    yield reports, Found(chain.reader, block, index)
                    return
                reports.append(_checked(_execute(chain, block)))
            raise _unknown(tx_hash, self.path)


@dataclass(frozen=True, slots=True)
class NodeSource:
    """A running node over JSON-RPC; `genesis` None asks the node for it."""

    url: str
    genesis: Genesis | None

    def reports(self, first: int | None, last: int | None) -> Iterator[BlockReport]:
        """Source. All blocks before the first are executed, too, and all before any is shown."""
        with ExitStack() as stack:
            return iter(_run(lambda: self._reports(stack, first, last)))

    @contextmanager
    def up_to(self, tx_hash: Hash32) -> Iterator[tuple[list[BlockReport], Found]]:
        """Source."""
        with ExitStack() as stack:
            yield _run(lambda: self._up_to(stack, tx_hash))

    async def _reports(
        self, stack: ExitStack, first: int | None, last: int | None
    ) -> list[BlockReport]:
        rpc = JsonRpc(self.url, _PATIENT)
        try:
            remote = RemoteChain(rpc)
            chain = stack.enter_context(ReplayedChain.open(await self._genesis(remote)))
            first = 1 if first is None else first
            return [report async for report in RemoteReplay(remote, chain, first, last).reports()]
        finally:
            await rpc.close()

    async def _up_to(self, stack: ExitStack, tx_hash: Hash32) -> tuple[list[BlockReport], Found]:
        rpc = JsonRpc(self.url, _PATIENT)
        try:
            remote = RemoteChain(rpc)
            chain = stack.enter_context(ReplayedChain.open(await self._genesis(remote)))
            number = await _block_number(rpc, tx_hash)
            if number is None:
                raise _unknown(tx_hash, self.url)
            reports: list[BlockReport] = []
            if number > 1:
                replaying = RemoteReplay(remote, chain, 1, number - 1)
                reports = [_checked(report) async for report in replaying.reports()]
            found = await remote.block(number, with_receipts=False)
            index = None if found is None else _index(found.block, tx_hash)
            if found is None or index is None:
                raise InvalidInput(f"{self.url}: its chain was reorganised meanwhile: try again")
            return reports, Found(chain.reader, found.block, index)
        finally:
            await rpc.close()

    async def _genesis(self, remote: RemoteChain) -> Genesis:
        genesis = self.genesis or await remote.genesis()
        if genesis is None:
            raise ConfigError(
                f"genesis: expected beside {self.url}: it does not say what its chain begins with"
            )
        return genesis


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    thread = LoopThread("openrollup-replay")
    try:
        return thread.call("replay()", work)
    finally:
        thread.close()


async def _block_number(rpc: JsonRpc, tx_hash: Hash32) -> int | None:
    answer = await rpc.call("eth_getTransactionByHash", "0x" + tx_hash.hex())
    number = answer.get("blockNumber") if isinstance(answer, dict) else None
    return int(number, 16) if isinstance(number, str) else None


def _execute(chain: ReplayedChain, block: Block) -> BlockReport:
    difference: Difference | None = None
    try:
        if block.number > 0 or chain.head.number > 0:
            chain.add(block)
        elif block.hash != chain.head.hash:
            difference = Difference("hash", chain.head.hash, block.hash)
    except Differs as found:
        difference = found.difference
    header = block.header
    return BlockReport(
        BlockNumber(header.number), block.hash, len(block.transactions), header.gas_used, difference
    )


def _checked(report: BlockReport) -> BlockReport:
    if report.difference is not None:
        raise BlockDiffers(report)
    return report


def _index(block: Block, tx_hash: Hash32) -> int | None:
    hashes = [tx.hash for tx in block.transactions]
    return hashes.index(tx_hash) if tx_hash in hashes else None


def _unknown(tx_hash: Hash32, place: object) -> InvalidInput:
    return InvalidInput(f"upto: transaction 0x{tx_hash.hex()} is in no block of {place}")
