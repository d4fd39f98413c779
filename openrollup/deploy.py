"""`openrollup deploy`: the rollup's contracts onto any L1, and the files that nodes start from."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

from consensus.deploy import DeploySettings, Rollup, deploy, write_rollup
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.tx_sender import SenderSettings, TxSender
from node.clock import SystemClock
from node.config import DEFAULT_LANE_BLOCK_LIMIT, LANE_GAS_RANGE, AttributionConfig
from node.errors import ConfigError
from node.genesis.dev_chains import L2_DEV_CHAIN_ID
from node.types.primitives import Address, checksum_address, hex_address
from openrollup.banner import contract_lines, contracts_json
from openrollup.datadir import check_writable, read_key
from openrollup.l1_check import chain_json, probe_l1

_log = logging.getLogger(__name__)

DEFAULT_ATTRIBUTION = AttributionConfig(0, LANE_GAS_RANGE.start, DEFAULT_LANE_BLOCK_LIMIT)
DEV_SEQ_WINDOW_SIZE = 100
DEV_L1_CHAIN_IDS = frozenset({900, 1337, 31337})


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The key pays for everything and owns the contracts; it posts batches too by default.

    Without `attribution` the chain is one that stock op-node and op-geth can follow.
    """

    l1_url: str
    key_file: Path
    out: Path
    block_time_s: int
    gas_limit: int
    batcher: str | None
    json: bool
    l1_chain: Path | None = None
    attribution: bool = True


async def run_deploy(options: DeployOptions) -> int:
    """Deploy and write rollup.json, genesis.json, l1-chain.json and addresses.json."""
    key = read_key(options.key_file)
    check_writable(options.out)
    chain_id = await probe_l1(options.l1_url)
    l1_chain = chain_json(options.l1_chain, chain_id)
    rpc = JsonRpc(options.l1_url)
    try:
        l1 = L1Client(rpc)
        sender = TxSender(l1, key, chain_id, SystemClock(), SenderSettings())
        settings = DeploySettings(
            l2_chain_id=L2_DEV_CHAIN_ID,
            owner=sender.address,
            batcher=_batcher(options, sender.address),
            open_holder=sender.address,
            block_time=options.block_time_s,
            seq_window_size=DEV_SEQ_WINDOW_SIZE if chain_id in DEV_L1_CHAIN_IDS else 3600,
            gas_limit=options.gas_limit,
            attribution=DEFAULT_ATTRIBUTION if options.attribution else None,
        )
        _log.info("deploying to L1 chain %d as %s", chain_id, checksum_address(sender.address))
        rollup = await deploy(l1, sender, settings, l1_chain)
    finally:
        await rpc.close()
    write_rollup(rollup, options.out)
    sys.stdout.write(_summary(rollup, options))
    return 0


def _batcher(options: DeployOptions, default: Address) -> Address:
    if options.batcher is None:
        return default
    try:
        return hex_address(options.batcher)
    except ValueError as error:
        raise ConfigError(f"--batcher: {error}") from error


def _summary(rollup: Rollup, options: DeployOptions) -> str:
    if options.json:
        result = {"contracts": contracts_json(rollup.contracts), "files": str(options.out)}
        return orjson.dumps(result).decode() + "\n"
    lines = contract_lines(rollup.contracts)
    lines.append(
        f"rollup.json, genesis.json, l1-chain.json and addresses.json are in {options.out}"
    )
    return "\n".join(lines) + "\n"
