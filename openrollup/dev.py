"""`openrollup dev`: L1, sequencer, batcher and verifier on this machine, from one command."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consensus.config import read_rollup_config
from consensus.deploy import (
    DeploySettings,
    L1Contracts,
    Rollup,
    deploy_contracts,
    make_rollup,
    write_rollup,
)
from consensus.l1.chain_config import parse_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.tx_sender import SenderSettings, TxSender
from consensus.sequencer.sequencer import SequencerSettings
from node.clock import Clock, SystemClock
from node.dev_chain import DevChainConfig
from node.errors import ConfigError
from node.genesis import Genesis, dev_accounts, l1_dev_genesis, read_genesis
from node.genesis.dev_accounts import BATCHER_ACCOUNT, DEPLOYER_ACCOUNT
from node.genesis.dev_chains import DEV_BALANCE, L2_DEV_CHAIN_ID
from node.json_file import read_json, write_json
from node.types.primitives import Address, hex_address
from node.types.transaction import address_of_key
from openrollup.banner import Network, accounts_json, announce
from openrollup.comparison import Comparison
from openrollup.datadir import DevPaths, read_key
from openrollup.deploy import DEFAULT_ATTRIBUTION, DEV_SEQ_WINDOW_SIZE, l1_chain_json
from openrollup.embedded_l1 import EmbeddedL1
from openrollup.execution_node import GENESIS_FILE
from openrollup.open_supply import give_open
from openrollup.rollup_node import RollupNode, RollupNodeConfig, Sequencing
from openrollup.rollup_ports import ForwardingSink
from openrollup.run import run_until_stopped
from openrollup.status_line import Status, StatusLine
from rpc.ports import TransactionSink

_log = logging.getLogger(__name__)

STATUS_INTERVAL_S = 0.5
# The embedded L1's blocks before the rollup exists are a second apart whatever the clock says:
# its genesis lies far enough in the past that they never reach the present.
_SETUP_S = 60


@dataclass(frozen=True, slots=True)
class DevOptions:
    """What `openrollup dev` was asked for. `datadir` None keeps everything in memory."""

    datadir: Path | None
    out: Path | None
    l1_url: str | None
    key_file: Path | None
    block_time_s: int
    l1_block_time_s: int
    automine: bool
    gas_limit: int
    max_da_bytes: int
    l1_port: int
    port: int
    verifier_port: int
    json: bool


@dataclass(frozen=True, slots=True)
class _L1:
    """The L1 that the rollup stands on; `embedded` None if it is somebody else's."""

    url: str
    client: L1Client
    chain_id: int
    deployer_key: bytes
    batcher_key: bytes
    embedded: EmbeddedL1 | None


async def run_dev(options: DevOptions) -> int:
    """Start everything, show where it is, and run until stopped."""
    _check(options)
    clock = SystemClock()
    paths = DevPaths(options.datadir)
    async with AsyncExitStack() as stack:
        l1 = await _open_l1(options, paths, clock, stack)
        rollup = await _open_rollup(options, paths, l1, clock)
        nodes = _Nodes(options, paths, l1, rollup, clock)
        sequencer = nodes.sequencer()
        stack.push_async_callback(sequencer.close)
        await sequencer.start()
        forward = JsonRpc(sequencer.url)
        stack.push_async_callback(forward.close)
        verifier = nodes.verifier(ForwardingSink(forward))
        stack.push_async_callback(verifier.close)
        await verifier.start()
        announce(_network(options, l1, rollup, sequencer, verifier), json=options.json)
        await run_until_stopped(_parts(options, l1, sequencer, verifier))
    return 0


def _check(options: DevOptions) -> None:
    if options.l1_url is not None and options.key_file is None:
        raise ConfigError("--key-file: expected beside --l1: the key pays for the contracts on L1")
    if options.l1_url is not None and options.automine:
        raise ConfigError("--automine: the clock of an outside L1 cannot follow L2's")


async def _open_l1(
    options: DevOptions, paths: DevPaths, clock: Clock, stack: AsyncExitStack
) -> _L1:
    embedded = None
    if options.l1_url is None:
        embedded = EmbeddedL1(
            _l1_genesis(paths),
            paths.l1,
            options.l1_port,
            clock,
            DevChainConfig(block_time_s=options.l1_block_time_s),
        )
        stack.push_async_callback(embedded.stop)
        await embedded.start()
    rpc = JsonRpc(options.l1_url or _url(embedded))
    stack.push_async_callback(rpc.close)
    client = L1Client(rpc)
    key = None if options.key_file is None else read_key(options.key_file)
    return _L1(
        url=rpc.url,
        client=client,
        chain_id=await client.chain_id(),
        deployer_key=key or DEPLOYER_ACCOUNT.private_key,
        batcher_key=key or BATCHER_ACCOUNT.private_key,
        embedded=embedded,
    )


def _url(embedded: EmbeddedL1 | None) -> str:
    assert embedded is not None, "without an outside L1 there is an embedded one"
    return embedded.url


def _l1_genesis(paths: DevPaths) -> Genesis:
    if paths.l1 is not None and (paths.l1 / GENESIS_FILE).exists():
        return read_genesis(paths.l1 / GENESIS_FILE)
    return l1_dev_genesis(timestamp=int(time.time()) - _SETUP_S)


async def _open_rollup(options: DevOptions, paths: DevPaths, l1: _L1, clock: Clock) -> Rollup:
    """Read the rollup that the datadir holds, or put a new one on L1."""
    if paths.root is not None and (paths.root / "rollup.json").exists():
        rollup = _read_rollup(paths.root)
    else:
        rollup = await _deploy_rollup(options, l1, clock)
        if paths.root is not None:
            _write_files(rollup, paths.root)
    if options.out is not None:
        _write_files(rollup, options.out)
    return rollup


def _read_rollup(root: Path) -> Rollup:
    addresses = read_json(root / "addresses.json")
    return Rollup(
        config=read_rollup_config(root / "rollup.json"),
        genesis=read_genesis(root / "genesis.json"),
        contracts=L1Contracts(
            *(_address(addresses, n) for n in ("openToken", "systemConfig", "optimismPortal"))
        ),
        l1_chain=read_json(root / "l1-chain.json"),
    )


def _address(addresses: Any, name: str) -> Address:
    try:
        return hex_address(addresses[name])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"addresses.json: {name}: expected an address") from error


def _write_files(rollup: Rollup, directory: Path) -> None:
    write_json(directory / "accounts.json", accounts_json(dev_accounts()))
    write_rollup(rollup, directory)


async def _deploy_rollup(options: DevOptions, l1: _L1, clock: Clock) -> Rollup:
    """Deploy the contracts, give the accounts OPEN on L1, and begin the rollup after that."""
    settings = SenderSettings(poll_interval_s=0.02 if l1.embedded else 0.5)
    sender = TxSender(l1.client, l1.deployer_key, l1.chain_id, clock, settings)
    users = tuple(account.address for account in dev_accounts())
    deployment = DeploySettings(
        l2_chain_id=L2_DEV_CHAIN_ID,
        owner=sender.address,
        batcher=address_of_key(l1.batcher_key),
        open_holder=sender.address,
        block_time=options.block_time_s,
        seq_window_size=DEV_SEQ_WINDOW_SIZE,
        gas_limit=options.gas_limit,
        attribution=DEFAULT_ATTRIBUTION,
        funded=users,
    )
    producer = None
    if l1.embedded is not None:
        producer = asyncio.create_task(l1.embedded.chain.run_at_once())
    try:
        contracts = await deploy_contracts(l1.client, sender, deployment)
        await give_open(sender, contracts.open_token, users, DEV_BALANCE)
    finally:
        if producer is not None:
            producer.cancel()
            await asyncio.wait([producer])
    if l1.embedded is not None:
        # The rollup's time begins with this block's: it must be the present.
        await asyncio.to_thread(l1.embedded.chain.produce, int(clock.now()))
    head = await l1.client.block_ref_by_label("latest")
    header = await l1.client.header(head.hash)
    return make_rollup(deployment, contracts, header, l1.chain_id, l1_chain_json(l1.chain_id))


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Makes the two L2 nodes, which differ in their store, their port and in sequencing."""

    options: DevOptions
    paths: DevPaths
    l1: _L1
    rollup: Rollup
    clock: Clock

    def sequencer(self) -> RollupNode:
        """Return the node that builds the blocks."""
        sequencing = Sequencing(
            batcher_key=self.l1.batcher_key,
            settings=SequencerSettings(max_da_bytes=self.options.max_da_bytes),
            resend_after_s=4.0 * self.options.l1_block_time_s,
            automine=self.options.automine,
        )
        config = self._config(self.paths.l2, self.options.port, sequencing)
        return RollupNode(config, self.l1.client, self.clock, None)

    def verifier(self, sink: TransactionSink) -> RollupNode:
        """Return the node that knows nothing but L1."""
        config = self._config(self.paths.verifier, self.options.verifier_port, None)
        return RollupNode(config, self.l1.client, self.clock, sink)

    def _config(
        self, path: Path | None, port: int, sequencing: Sequencing | None
    ) -> RollupNodeConfig:
        return RollupNodeConfig(
            rollup=self.rollup.config,
            genesis=self.rollup.genesis,
            l1_chain=parse_l1_chain_config(self.rollup.l1_chain),
            path=path,
            port=port,
            l1_poll_interval_s=0.25,
            sequencing=sequencing,
        )


def _parts(
    options: DevOptions, l1: _L1, sequencer: RollupNode, verifier: RollupNode
) -> list[Coroutine[Any, Any, None]]:
    parts = [*sequencer.parts(), *verifier.parts(), _watch(options, sequencer, verifier)]
    if l1.embedded is not None:
        if options.automine:
            reader = sequencer.node.reader
            l1.embedded.not_before = lambda: reader.head_header().timestamp
        parts.append(l1.embedded.chain.run())
    return parts


async def _watch(options: DevOptions, sequencer: RollupNode, verifier: RollupNode) -> None:
    """Compare the two nodes and show the heads, forever."""
    comparison = Comparison(sequencer.node.reader, verifier.node.reader)
    line = StatusLine(json=options.json)
    try:
        while True:
            await asyncio.to_thread(comparison.advance)
            heads, l1 = sequencer.node.reader.heads(), sequencer.watcher.heads
            line.show(
                Status(
                    l1=0 if l1 is None else l1.latest.number,
                    unsafe=heads.unsafe.number,
                    safe=heads.safe.number,
                    finalized=heads.finalized.number,
                    verified=comparison.equal_to,
                    pending=len(sequencer.node.mempool),
                )
            )
            await asyncio.sleep(STATUS_INTERVAL_S)
    finally:
        line.close()


def _network(
    options: DevOptions, l1: _L1, rollup: Rollup, sequencer: RollupNode, verifier: RollupNode
) -> Network:
    return Network(
        l1_chain_id=l1.chain_id,
        l1_url=l1.url,
        l2_chain_id=rollup.config.l2_chain_id,
        l2_url=sequencer.url,
        verifier_url=verifier.url,
        accounts=dev_accounts(),
        contracts={
            "OpenToken": rollup.contracts.open_token,
            "SystemConfig": rollup.contracts.system_config,
            "OptimismPortal": rollup.contracts.optimism_portal,
        },
        files=options.out or options.datadir,
    )
