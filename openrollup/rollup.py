"""`openrollup sequencer` and `openrollup verifier`: one rollup node against any L1."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

from consensus.config import read_rollup_config
from consensus.l1.chain_config import read_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.sequencer.sequencer import SequencerSettings
from node.clock import SystemClock
from node.errors import ConfigError, TemporaryError
from node.genesis import read_genesis
from node.types.primitives import checksum_address
from node.types.transaction import address_of_key
from openrollup.datadir import read_key
from openrollup.rollup_node import RollupNode, RollupNodeConfig, Sequencing, forwarding_sink
from openrollup.run import run_until_stopped

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RollupOptions:
    """A sequencer if there is a batcher's key, a verifier otherwise."""

    rollup: Path
    genesis: Path
    l1_chain: Path
    l1_url: str
    datadir: Path
    port: int
    json: bool
    batcher_key_file: Path | None = None
    max_da_bytes: int = 1_000_000
    sequencer_url: str | None = None


async def run_rollup(options: RollupOptions) -> int:
    """Run one node until stopped."""
    config = _read_config(options)
    rpc = JsonRpc(options.l1_url)
    sink, forward = forwarding_sink(options.sequencer_url)
    try:
        await _check_l1(rpc, config)
        node = RollupNode(config, L1Client(rpc), SystemClock(), sink)
        try:
            await node.start()
            _announce(node, config, json=options.json)
            await run_until_stopped(node.parts())
        finally:
            await node.close()
    finally:
        await rpc.close()
        if forward is not None:
            await forward.close()
    return 0


def _read_config(options: RollupOptions) -> RollupNodeConfig:
    rollup = read_rollup_config(options.rollup)
    sequencing = None
    if options.batcher_key_file is not None:
        key = read_key(options.batcher_key_file)
        expected, actual = rollup.genesis.system_config.batcher, address_of_key(key)
        if expected != actual:
            _log.warning(
                "the batcher key is for %s, rollup.json names %s: L1 ignores what it posts unless "
                "the system config was changed since",
                checksum_address(actual),
                checksum_address(expected),
            )
        settings = SequencerSettings(max_da_bytes=options.max_da_bytes)
        sequencing = Sequencing(batcher_key=key, settings=settings)
    return RollupNodeConfig(
        rollup=rollup,
        genesis=read_genesis(options.genesis),
        l1_chain=read_l1_chain_config(options.l1_chain),
        path=options.datadir,
        port=options.port,
        sequencing=sequencing,
    )


async def _check_l1(rpc: JsonRpc, config: RollupNodeConfig) -> None:
    """Refuse another chain; an L1 that does not answer is waited for, once that is said."""
    try:
        chain_id = await L1Client(rpc).chain_id()
    except TemporaryError as error:
        _log.warning("L1 does not answer at %s, waiting for it: %s", rpc.url, error)
        return
    if chain_id != config.rollup.l1_chain_id:
        raise ConfigError(
            f"--l1: expected chain {config.rollup.l1_chain_id} (rollup.json), "
            f"{rpc.url} is chain {chain_id}"
        )


def _announce(node: RollupNode, config: RollupNodeConfig, *, json: bool) -> None:
    role = "verifier" if config.sequencing is None else "sequencer"
    chain_id = config.rollup.l2_chain_id
    if json:
        started = {"event": "started", "role": role, "l2": {"chainId": chain_id, "url": node.url}}
        text = orjson.dumps(started).decode()
    else:
        text = f"{role} of L2 chain {chain_id} at {node.url}"
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
