"""`openrollup deploy`: the rollup's contracts onto any L1, and the files that nodes start from."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

from consensus.deploy import (
    RECORD_FILE,
    WEEK_S,
    DeploySettings,
    Rollup,
    addresses_to_json,
    deploy,
    earlier_rollup,
    exclusive,
    write_rollup,
)
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.tx_sender import InsufficientL1Funds, SenderSettings, TxSender
from node.clock import SystemClock
from node.config import DEFAULT_LANE_BLOCK_LIMIT, LANE_GAS_RANGE, AttributionConfig
from node.errors import ConfigError, TemporaryError
from node.genesis.dev_chains import L2_DEV_CHAIN_ID
from node.types.primitives import Address, checksum_address
from openrollup.banner import contract_lines, contracts_json
from openrollup.datadir import check_writable, read_key
from openrollup.l1_check import chain_json, probe_l1
from openrollup.progress import Progress

_log = logging.getLogger(__name__)

DEFAULT_ATTRIBUTION = AttributionConfig(0, LANE_GAS_RANGE.start, DEFAULT_LANE_BLOCK_LIMIT)
DEV_L1_CHAIN_IDS = frozenset({900, 1337, 31337})
DEV_SEQ_WINDOW_SIZE = 100
# So short that a withdrawal can be seen through while one looks on: in L2 blocks, and in seconds.
DEV_SUBMISSION_INTERVAL = 10
DEV_FINALIZATION_PERIOD_S = 10
_SEQ_WINDOW_SIZE = 3600
_SUBMISSION_INTERVAL = 1800
# A block that holds a part of a deployment should not be replaced any more.
_CONFIRMATIONS = 4


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The key pays for everything and holds the supply of OPEN; by default it has all roles.

    `fund` are accounts of L2 that start with OPEN (in units of 10**-18). Without `attribution` the
    chain is one that stock op-node and op-geth can follow. Other Nones depend on L1: development
    chains get short periods.
    """

    l1_url: str
    key_file: Path
    out: Path
    block_time_s: int
    gas_limit: int
    json: bool
    l2_chain_id: int = L2_DEV_CHAIN_ID
    owner: Address | None = None
    batcher: Address | None = None
    proposer: Address | None = None
    challenger: Address | None = None
    submission_interval: int | None = None
    finalization_period_s: int | None = None
    fund: tuple[tuple[Address, int], ...] = ()
    l1_chain: Path | None = None
    attribution: bool = True


async def run_deploy(options: DeployOptions) -> int:
    """Deploy, or go on with it, and write rollup.json and the files beside it.

    ConfigError if the folder holds a deployed rollup already.
    """
    key = read_key(options.key_file)
    check_writable(options.out)
    with exclusive(options.out):
        _check_unused(options.out)
        chain_id = await probe_l1(options.l1_url)
        rpc = JsonRpc(options.l1_url)
        try:
            rollup = await _deploy(options, L1Client(rpc), chain_id, key)
        finally:
            await rpc.close()
        write_rollup(rollup, options.out)
    sys.stdout.write(_summary(rollup, options))
    return 0


async def _deploy(options: DeployOptions, l1: L1Client, chain_id: int, key: bytes) -> Rollup:
    if chain_id == options.l2_chain_id:
        raise ConfigError(
            f"--chain-id: expected another id than L1's, {chain_id}: what is signed for one chain "
            "would hold on the other"
        )
    is_dev = chain_id in DEV_L1_CHAIN_IDS
    sending = (
        SenderSettings(poll_interval_s=0.2, resend_after_s=10.0)
        if is_dev
        else SenderSettings(_CONFIRMATIONS)
    )
    sender = TxSender(l1, key, chain_id, SystemClock(), sending)
    settings = _settings(options, sender.address, is_dev=is_dev)
    record = options.out / RECORD_FILE
    doing = "goes on" if record.exists() else "begins"
    address = checksum_address(sender.address)
    if not record.exists():
        await _tell_of_earlier(l1, sender.address, settings)
    _log.info("the deployment to L1 chain %d by %s %s", chain_id, address, doing)
    with Progress("deploying", None, interval_s=0.0) as progress:
        try:
            return await deploy(
                l1,
                sender,
                settings,
                chain_json(options.l1_chain, chain_id),
                record=record,
                report=_logged if options.json else progress.show,
            )
        except InsufficientL1Funds as error:
            raise InsufficientL1Funds(f"{error}, and run the same command again") from error
        except TemporaryError as error:
            again = "to go on, run the same command again"
            raise TemporaryError(f"{error}: {again}") from error


async def _tell_of_earlier(l1: L1Client, deployer: Address, settings: DeploySettings) -> None:
    """Two rollups in one inbox would throw away each other's unfinished channels."""
    earlier = await earlier_rollup(l1, deployer, settings)
    if earlier is not None:
        _log.warning(
            "this key has deployed a rollup on this L1 before, with the same batcher and chain id "
            "(SystemConfig %s): another one begins now; if both are to run, stop here, and give "
            "it another --chain-id or --batcher",
            checksum_address(earlier),
        )


def _settings(options: DeployOptions, deployer: Address, *, is_dev: bool) -> DeploySettings:
    owner = options.owner or deployer
    allocation: dict[Address, int] = {}
    for address, amount in options.fund:
        if address in allocation:
            raise ConfigError(f"--fund: {checksum_address(address)} comes twice")
        allocation[address] = amount
    return DeploySettings(
        l2_chain_id=options.l2_chain_id,
        owner=owner,
        batcher=options.batcher or deployer,
        proposer=options.proposer or deployer,
        challenger=options.challenger or owner,
        submission_interval=options.submission_interval
        or (DEV_SUBMISSION_INTERVAL if is_dev else _SUBMISSION_INTERVAL),
        finalization_period_s=options.finalization_period_s
        or (DEV_FINALIZATION_PERIOD_S if is_dev else WEEK_S),
        allocation=allocation,
        block_time=options.block_time_s,
        seq_window_size=DEV_SEQ_WINDOW_SIZE if is_dev else _SEQ_WINDOW_SIZE,
        gas_limit=options.gas_limit,
        attribution=DEFAULT_ATTRIBUTION if options.attribution else None,
    )


def _check_unused(out: Path) -> None:
    if (out / "rollup.json").exists():
        raise ConfigError(
            f"--out: a rollup is deployed already, its files are in {out}: use another --out for "
            "another rollup"
        )


def _logged(done: int, total: int) -> None:
    _log.info("%d of %d steps of the deployment are done", done, total)


def _summary(rollup: Rollup, options: DeployOptions) -> str:
    if options.json:
        result = {
            "contracts": contracts_json(rollup.contracts),
            "addresses": addresses_to_json(rollup.addresses),
            "files": str(options.out),
        }
        return orjson.dumps(result).decode() + "\n"
    lines = contract_lines(rollup.contracts)
    lines.append(
        f"rollup.json, genesis.json, l1-chain.json and addresses.json are in {options.out}"
    )
    return "\n".join(lines) + "\n"
