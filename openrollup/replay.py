"""`openrollup replay`: re-execute blocks, and stop at the first that differs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consensus.l1.json_rpc import JsonRpc, RpcSettings
from node.errors import ConfigError, TemporaryError
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis import Genesis, read_genesis
from node.replay import BlockReport, replay, replay_file
from node.replayed_chain import ReplayedChain
from openrollup.execution_node import StoredChain
from openrollup.progress import Progress
from openrollup.remote_chain import RemoteChain
from openrollup.remote_replay import RemoteReplay
from openrollup.replay_result import ReplayResult
from openrollup.run import run_command

# Once, and not for long: a person is waiting for the answer.
_PROBE = RpcSettings(timeout_s=3.0, attempts=1)
# A node that is restarted comes back within these attempts, 16 seconds.
_PATIENT = RpcSettings(timeout_s=60.0, attempts=7, max_concurrent=8, max_response_bytes=64 << 20)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Where the blocks come from: a datadir, a file with its genesis, or a node (with its genesis
    if it does not give it). Bounds are inclusive. `evm` executes them.
    """

    datadir: Path | None
    file: Path | None
    genesis: Path | None
    first: int | None
    last: int | None
    json: bool
    evm: Interpreter = DEFAULT_INTERPRETER
    rpc_url: str | None = None


def run_replay(options: ReplayOptions) -> int:
    """Replay, show the result, and return 0; NodeError names the first difference."""
    if options.datadir is not None:
        if options.genesis is not None:
            raise ConfigError("--genesis: goes with --file or --rpc, a --datadir has its own")
        return _replay_datadir(options.datadir, options)
    first = (0 if options.rpc_url is None else 1) if options.first is None else options.first
    if options.last is not None and options.last < first:
        raise ConfigError(f"--from, --to: expected from <= to, got {first} and {options.last}")
    if options.rpc_url is not None:
        replaying = _replay_node(options.rpc_url, first, options)
        return run_command(replaying, code_when_stopped=1)
    if options.file is None or options.genesis is None:
        raise ConfigError("--genesis: expected beside --file")
    reports = replay_file(options.file, read_genesis(options.genesis), options.evm)
    return _report(_within(reports, first, options.last), None, options)


def _replay_datadir(datadir: Path, options: ReplayOptions) -> int:
    with StoredChain.open(datadir, options.evm) as chain:
        first, last = chain.block_range(options.first, options.last)
        code = _report(replay(chain.reader, first, last), last - first + 1, options)
        if options.last is None:
            chain.check_state()  # what the next block would be executed on
        return code


def _within(reports: Iterator[BlockReport], first: int, last: int | None) -> Iterator[BlockReport]:
    """Yield the reports of the wanted blocks, and any difference on the way to them."""
    newest = -1
    for report in reports:
        newest = report.number
        if last is not None and newest > last:
            return
        if newest >= first or report.difference is not None:
            yield report
    if newest < max(first, last or 0):
        raise ConfigError(f"--from, --to: the file ends with block {newest}")


def _report(reports: Iterator[BlockReport], total: int | None, options: ReplayOptions) -> int:
    result = ReplayResult()
    with Progress("replay", total) as progress:
        for report in reports:
            result.add(report)
            progress.show(result.blocks)
    result.show(json=options.json)
    return 0


async def _replay_node(url: str, first: int, options: ReplayOptions) -> int:
    await _probe(url)
    rpc = JsonRpc(url, _PATIENT)
    try:
        remote = RemoteChain(rpc)
        genesis = await _genesis(remote, url, options.genesis)
        with ReplayedChain.open(genesis, options.evm) as replayed:
            result = await _compare(RemoteReplay(remote, replayed, first, options.last))
    finally:
        await rpc.close()
    result.show(json=options.json)
    return 0


async def _compare(remote: RemoteReplay) -> ReplayResult:
    result = ReplayResult()
    with Progress("replay", None) as progress:
        async for report in remote.reports():
            result.add(report)
            progress.show(report.number, remote.last)
    return result


async def _probe(url: str) -> None:
    rpc = JsonRpc(url, _PROBE)
    try:
        await RemoteChain(rpc).chain_id()
    except TemporaryError as error:
        raise TemporaryError(f"--rpc: {error}: is a node running there?") from error
    finally:
        await rpc.close()


async def _genesis(remote: RemoteChain, url: str, path: Path | None) -> Genesis:
    """Return the genesis of the file or of the node; ConfigError if it is not the node's chain."""
    genesis = await remote.genesis() if path is None else read_genesis(path)
    if genesis is None:
        raise ConfigError(
            f"--genesis: expected beside --rpc: {url} does not say what its chain begins with "
            "(openrollup_genesis is a method of our own nodes)"
        )
    expected, actual = genesis.config.chain_id, await remote.chain_id()
    if expected != actual:
        place = f"{url}, openrollup_genesis" if path is None else path
        raise ConfigError(f"--rpc: expected chain {expected} ({place}), {url} is chain {actual}")
    return genesis
