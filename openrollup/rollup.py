"""`openrollup sequencer` and `openrollup verifier`: one rollup node against any L1."""

import logging
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson

from consensus.batcher.channel_builder import BatchType
from consensus.batcher.data_availability import DataAvailability
from consensus.config import read_rollup_config
from consensus.l1.answers import CheckedAnswers, TrustedAnswers
from consensus.l1.chain_config import read_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcSettings
from consensus.proposer.oracle_check import check_proposer, check_terms, find_oracle
from consensus.proposer.proposer import ProposerSettings
from consensus.sequencer.sequencer import SequencerSettings
from node.clock import SystemClock
from node.errors import ConfigError, TemporaryError
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis import read_genesis
from node.types.transaction import address_of_key
from openrollup.datadir import read_key
from openrollup.deploy import DEV_L1_CHAIN_IDS
from openrollup.l1_check import check_l1, probe_l1
from openrollup.rollup_node import Proposing, RollupNode, RollupNodeConfig, Sequencing
from openrollup.rollup_ports import ForwardingSink
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
    l1_beacon_url: str | None = None
    l1_trust_rpc: bool = False
    l1_rate_limit: int | None = None
    batcher_key_file: Path | None = None
    proposer_key_file: Path | None = None
    proposer_allow_non_finalized: bool = False
    max_da_bytes: int = 1_000_000
    da: DataAvailability = DataAvailability.CALLDATA
    batch_type: BatchType = BatchType.SPAN
    sequencer_url: str | None = None
    sequencer_stopped: bool = False
    rpc_enable_admin: bool = False
    kept_blocks: int | None = None
    evm: Interpreter = DEFAULT_INTERPRETER


async def run_rollup(options: RollupOptions) -> int:
    """Run one node until stopped."""
    config = _read_config(options)
    async with AsyncExitStack() as stack:
        rpc = JsonRpc(options.l1_url, RpcSettings(max_per_s=options.l1_rate_limit))
        stack.push_async_callback(rpc.close)
        l1 = L1Client(rpc, TrustedAnswers() if options.l1_trust_rpc else CheckedAnswers())
        await _check_l1(l1, config)
        sink = None
        if options.sequencer_url is not None:
            sink = ForwardingSink(options.sequencer_url)
            stack.push_async_callback(sink.close)
        node = RollupNode(config, l1, SystemClock(), sink)
        stack.push_async_callback(node.close)
        await node.start()
        _announce(node, config, json=options.json)
        await run_until_stopped(node.parts())


def _read_config(options: RollupOptions) -> RollupNodeConfig:
    rollup, sequencing = read_rollup_config(options.rollup), None
    if options.batcher_key_file is not None:
        sequencing = Sequencing(
            batcher_key=read_key(options.batcher_key_file),
            batch_type=options.batch_type,
            data_availability=options.da,
            active=not options.sequencer_stopped,
            settings=SequencerSettings(
                l1_confirmations=0 if rollup.l1_chain_id in DEV_L1_CHAIN_IDS else 4,
                max_da_bytes=options.max_da_bytes,
            ),
        )
    return RollupNodeConfig(
        rollup=rollup,
        proposing=_read_proposing(options),
        genesis=read_genesis(options.genesis),
        l1_chain=read_l1_chain_config(options.l1_chain),
        path=options.datadir,
        kept_blocks=options.kept_blocks,
        port=options.port,
        l1_beacon_url=options.l1_beacon_url,
        sequencer_url=options.sequencer_url,
        sequencing=sequencing,
        serves_admin=options.rpc_enable_admin,
        interpreter=options.evm,
    )


def _read_proposing(options: RollupOptions) -> Proposing | None:
    allows_non_finalized = options.proposer_allow_non_finalized
    if options.proposer_key_file is None:
        if allows_non_finalized:
            raise ConfigError(
                "--proposer-allow-non-finalized: goes with --proposer-key-file, without which "
                "nothing is proposed"
            )
        return None
    settings = ProposerSettings(allows_non_finalized=allows_non_finalized)
    return Proposing(read_key(options.proposer_key_file), settings)


async def _check_l1(l1: L1Client, config: RollupNodeConfig) -> None:
    """Refuse another chain, and an oracle that does not take our outputs.

    An L1 that is not there yet is waited for, once that is said.
    """
    try:
        await check_l1(l1, await probe_l1(l1.url), config.rollup)
        if config.proposing is not None:
            terms = await check_terms(await find_oracle(l1, config.rollup), config.rollup)
            check_proposer(terms, address_of_key(config.proposing.key))
    except TemporaryError as error:
        _log.warning("L1 does not answer as it should, waiting for it: %s", error)


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
