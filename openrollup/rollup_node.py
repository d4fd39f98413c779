"""A rollup node, put together: execution, derivation, and if it sequences, what that takes."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from consensus.batcher.batcher import Batcher, BatcherSettings
from consensus.batcher.channel_builder import BatchType, ChannelLimits
from consensus.batcher.data_availability import CAPACITIES, DataAvailability
from consensus.block_refs import L1BlockRef
from consensus.config import RollupConfig
from consensus.deriver import Deriver
from consensus.driver import Driver
from consensus.engine_gate import EngineGate
from consensus.l1.beacon import BeaconClient, L1OwnBeacon
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.read_ahead import ReadAhead
from consensus.l1.tx_sender import SenderSettings, TxSender
from consensus.l1.watcher import L1Watcher
from consensus.l2_chain import L2Chain
from consensus.proof_keeping import keep_proofs
from consensus.proposer.output_source import OwnOutputs
from consensus.proposer.posted_outputs import PostedOutputs
from consensus.proposer.proposer import Proposer, ProposerSettings
from consensus.sequencer.pace import BlockTimer, OnDemand, Pace
from consensus.sequencer.sequencer import Sequencer, SequencerSettings
from consensus.sequencer.switch import SequencerSwitch
from consensus.sequencer_client import SequencerClient
from consensus.unsafe_follower import UnsafeFollower
from node.clock import Clock
from node.errors import ConfigError
from node.evm.blob_proofs import load_trusted_setup
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter
from node.genesis import Genesis
from node.storage.database import CopyOf
from openrollup.execution_node import ExecutionNode
from openrollup.pool_sink import PoolSink
from openrollup.rollup_ports import (
    ConfigView,
    NoSequencer,
    NoSink,
    OutputsView,
    SafeHeadView,
    StatusView,
)
from openrollup.version import CLIENT_VERSION, VERSION
from rpc.api import attribution_methods, ethereum_methods, optimism_methods, proof_methods
from rpc.dispatcher import Dispatcher, Method
from rpc.methods.admin import admin_methods
from rpc.methods.openrollup import openrollup_methods
from rpc.ports import TransactionSink
from rpc.server import RpcServer


@dataclass(frozen=True, slots=True)
class Sequencing:
    """What a sequencer has and a verifier has not. Times are in seconds.

    With `automine` blocks come with transactions, not with the clock. A
    channel is posted when it is `channel_age_l1_blocks` old, if it is not full before. No block is
    built before an operator says so if it does not start `active`.
    """

    batcher_key: bytes
    settings: SequencerSettings = field(default_factory=SequencerSettings)
    channel_age_l1_blocks: int = 5
    batch_type: BatchType = BatchType.SPAN
    data_availability: DataAvailability = DataAvailability.CALLDATA
    resend_after_s: float = 48.0
    automine: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True)
class Proposing:
    """What a node has that proposes outputs of the blocks that it derives. Times are in seconds."""

    key: bytes
    settings: ProposerSettings = field(default_factory=ProposerSettings)
    resend_after_s: float = 48.0


@dataclass(frozen=True, slots=True)
class RollupNodeConfig:
    """One node; `sequencing` None makes it a verifier, and either may have `proposing`. With a
    `path` of None, or a copy, it stays in memory.

    `l1_beacon_url` None means that L1's own URL serves blobs, if anything does; `kept_blocks` None
    that nothing is pruned; `serves_admin` that an operator may use JSON-RPC. A verifier with a
    `sequencer_url` follows the unsafe blocks there.
    """

    rollup: RollupConfig
    genesis: Genesis
    l1_chain: L1ChainConfig
    path: Path | CopyOf | None
    port: int
    kept_blocks: int | None = None
    l1_poll_interval_s: float = 1.0
    l1_beacon_url: str | None = None
    sequencer_url: str | None = None
    sequencing: Sequencing | None = None
    proposing: Proposing | None = None
    serves_admin: bool = False
    interpreter: Interpreter = DEFAULT_INTERPRETER


class RollupNode:
    """A verifier, or a sequencer with its batcher, with a JSON-RPC endpoint; with or without a
    proposer.

    Its public parts may be stepped one by one instead of running `parts`.
    """

    def __init__(
        self, config: RollupNodeConfig, l1: L1Client, clock: Clock, sink: TransactionSink | None
    ) -> None:
        config.rollup.check_against(config.genesis.config)
        _check_genesis(config)
        _check_l1_chain(config)
        self._config = config
        self._l1 = l1
        self.node = ExecutionNode.open(
            config.genesis,
            config.path,
            config.interpreter,
            config.kept_blocks,
            keeps_proofs=self._keeps_proofs,
        )
        try:
            self._put_together(clock, sink)
        except BaseException:
            self.node.close()
            raise

    def _put_together(self, clock: Clock, sink: TransactionSink | None) -> None:
        config = self._config
        self.watcher = L1Watcher(self._l1, clock, poll_interval_s=config.l1_poll_interval_s)
        self._read_ahead = ReadAhead(self._l1, self._finalized_l1)
        url = config.l1_beacon_url
        self._beacon = L1OwnBeacon(self._l1.url) if url is None else BeaconClient(url)
        self._l2 = L2Chain(self.node.reader, config.rollup)
        self._gate = EngineGate(self.node.engine)
        self._failure: Exception | None = None
        self.deriver = self._make_deriver()
        self.sequencer = self._make_sequencer(clock)
        is_active = config.sequencing is not None and config.sequencing.active
        self.switch = SequencerSwitch(self.node.reader, is_active=is_active)
        self._unsafe_source = self._make_unsafe_source()
        self.driver = self._make_driver(clock)
        self._senders: dict[bytes, TxSender] = {}
        self.batcher = None if config.sequencing is None else self._make_batcher(clock)
        self.proposer = None if config.proposing is None else self._make_proposer(clock)
        self._outputs = self._make_outputs()
        self._server = self._make_server(clock, sink or self._default_sink())
        self._clock = clock

    @property
    def url(self) -> str:
        """Where its JSON-RPC listens, once started."""
        return self._server.url

    async def start(self) -> None:
        """Listen; blocks come with `parts`."""
        sequencing = self._config.sequencing
        if sequencing and sequencing.data_availability is DataAvailability.BLOBS:
            # It takes over a second and would hold up the first blocks.
            await asyncio.to_thread(load_trusted_setup)
        await self._server.start()

    def parts(self) -> list[Coroutine[Any, Any, None]]:
        """Return what has to run for the node to live."""
        running = [self._drive(), self.watcher.run()]
        if self._keeps_proofs:
            running.append(keep_proofs(self._outputs, self._gate, self._clock))
        if self.batcher is not None:
            running.append(self.batcher.run())
        if self.proposer is not None:
            running.append(self.proposer.run())
        return running

    async def stop_listening(self) -> None:
        """Take no more calls, and let those that run finish (two seconds at most)."""
        await self._server.stop()

    async def close(self) -> None:
        """Stop listening and close the store."""
        await self.stop_listening()
        self._read_ahead.close()
        await self._beacon.close()
        if self._unsafe_source is not None:
            await self._unsafe_source.close()
        self.node.close()

    async def _drive(self) -> None:
        """Derive and sequence until a critical error, which is raised."""
        await self.driver.run()
        if self._failure is not None:
            raise self._failure

    def _finalized_l1(self) -> int | None:
        heads = self.watcher.heads
        return None if heads is None or heads.finalized is None else heads.finalized.number

    def _critical(self, error: Exception) -> None:
        self._failure = self._failure or error

    def _make_deriver(self) -> Deriver:
        config = self._config
        return Deriver(
            config.rollup,
            config.genesis.config,
            config.l1_chain,
            self._read_ahead,
            self._beacon,
            self._l2,
            self.node.reader,
            self._gate,
        )

    def _make_driver(self, clock: Clock) -> Driver:
        return Driver(
            self.deriver,
            self.watcher,
            self._l2,
            self.node.reader,
            clock,
            self._critical,
            sequencer=self.sequencer,
            switch=self.switch,
            follower=self._make_follower(clock),
        )

    def _make_unsafe_source(self) -> SequencerClient | None:
        url = self._config.sequencer_url
        return None if url is None else SequencerClient(JsonRpc(url))

    def _make_follower(self, clock: Clock) -> UnsafeFollower | None:
        config = self._config
        if self._unsafe_source is None:
            return None
        return UnsafeFollower(
            config.rollup,
            config.genesis.config,
            config.l1_chain,
            self._l1,
            self._l2,
            self.node.reader,
            self._gate,
            self._unsafe_source,
            clock,
        )

    def _make_sequencer(self, clock: Clock) -> Sequencer | None:
        config, node = self._config, self.node
        if config.sequencing is None:
            return None
        return Sequencer(
            config.rollup,
            config.genesis.config,
            config.l1_chain,
            self._gate,
            node.reader,
            self._l2,
            self.watcher,
            node.mempool,
            clock,
            config.sequencing.settings,
            self._pace(config.sequencing, clock),
        )

    def _pace(self, sequencing: Sequencing, clock: Clock) -> Pace:
        block_time = self._config.rollup.block_time
        if sequencing.automine:
            return OnDemand(self.node.mempool, self.watcher, block_time)
        return BlockTimer(clock, block_time)

    def _make_batcher(self, clock: Clock) -> Batcher:
        config, sequencing = self._config, self._config.sequencing
        assert sequencing is not None, "only a sequencer has a batcher"
        sender = self._sender(sequencing.batcher_key, sequencing.resend_after_s, clock)
        return Batcher(
            config.rollup,
            config.l1_chain,
            self.node.reader,
            self.watcher,
            sender,
            self.driver.current_l1,
            clock,
            BatcherSettings(
                limits=self._channel_limits(sequencing),
                batch_type=sequencing.batch_type,
                data_availability=sequencing.data_availability,
            ),
        )

    def _make_proposer(self, clock: Clock) -> Proposer:
        config, proposing = self._config, self._config.proposing
        assert proposing is not None, "who has no key proposes nothing"
        return Proposer(
            config.rollup,
            self._l1,
            OwnOutputs(self.node.reader, self.driver.current_l1),
            self._sender(proposing.key, proposing.resend_after_s, clock),
            clock,
            proposing.settings,
        )

    def _sender(self, key: bytes, resend_after_s: float, clock: Clock) -> TxSender:
        """Return the one sender of a key: two would take each other's nonces."""
        if key not in self._senders:
            settings = SenderSettings(
                poll_interval_s=self._config.l1_poll_interval_s, resend_after_s=resend_after_s
            )
            chain_id = self._config.rollup.l1_chain_id
            self._senders[key] = TxSender(self._l1, key, chain_id, clock, settings)
        return self._senders[key]

    def _channel_limits(self, sequencing: Sequencing) -> ChannelLimits:
        usual, capacity = ChannelLimits(), CAPACITIES[sequencing.data_availability]
        return replace(
            usual,
            max_bytes=capacity.channel_bytes,
            max_frame_bytes=capacity.frame_bytes,
            max_age_l1_blocks=sequencing.channel_age_l1_blocks,
            idle_s=max(usual.idle_s, 2.0 * self._config.rollup.block_time),
        )

    def _default_sink(self) -> TransactionSink:
        return NoSink() if self._config.sequencing is None else PoolSink(self.node.mempool)

    def _make_server(self, clock: Clock, sink: TransactionSink) -> RpcServer:
        node, chain = self.node, self._config.genesis.config
        view = ConfigView(self._config.rollup)
        status, safe_heads = StatusView(self.driver.sync_status), SafeHeadView(node.reader)
        methods = (
            *ethereum_methods(node.reader, node.mempool, chain, sink, clock, CLIENT_VERSION),
            *optimism_methods(node.reader, status, view, view, safe_heads, VERSION),
            *openrollup_methods(self._config.genesis),
            *(attribution_methods(node.reader) if chain.attribution else ()),
            *(
                proof_methods(node.reader, OutputsView(self._outputs, self._config.rollup))
                if chain.attribution
                else ()
            ),
            *(self._admin_methods() if self._config.serves_admin else ()),
        )
        return RpcServer(Dispatcher(methods), port=self._config.port)

    @property
    def _keeps_proofs(self) -> bool:
        config = self._config
        return config.kept_blocks is not None and config.genesis.config.attribution is not None

    def _make_outputs(self) -> PostedOutputs:
        async def finalized() -> L1BlockRef | None:
            heads = self.watcher.heads
            return None if heads is None else heads.finalized

        return PostedOutputs.of_rollup(self._l1, self._config.rollup, finalized)

    def _admin_methods(self) -> tuple[Method, ...]:
        sequencer = NoSequencer() if self.sequencer is None else self.switch
        return admin_methods(sequencer, self.driver.request_reset, self.batcher, self.proposer)


def _check_l1_chain(config: RollupNodeConfig) -> None:
    # Its blob schedule goes into every L2 block: another chain's would give other blocks.
    expected, actual = config.rollup.l1_chain_id, config.l1_chain.chain_id
    if actual != expected:
        raise ConfigError(
            f"l1-chain.json: chainId: expected {expected} (rollup.json), got {actual}"
        )


def _check_genesis(config: RollupNodeConfig) -> None:
    named, made = config.rollup.genesis.l2, config.genesis.block.header.ref
    if named.number != made.number:
        raise ConfigError(
            f"rollup.json: genesis.l2.number: expected {made.number}, got {named.number}"
        )
    if named.hash != made.hash:
        raise ConfigError(
            f"rollup.json: genesis.l2.hash: expected 0x{made.hash.hex()}, which genesis.json "
            f"gives, got 0x{named.hash.hex()}"
        )
