"""A dev network, put together: L1, the node that sequences, the node that verifies."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consensus.deploy import Rollup
from consensus.l1.chain_config import parse_l1_chain_config
from consensus.proposer.proposer import ProposerSettings
from consensus.sequencer.sequencer import SequencerSettings
from node.clock import Clock
from node.errors import ConfigError
from openrollup.dev_l1 import DevL1, open_l1
from openrollup.dev_options import DevOptions
from openrollup.dev_rollup import open_rollup
from openrollup.rollup_node import Proposing, RollupNode, RollupNodeConfig, Sequencing
from openrollup.rollup_ports import ForwardingSink

# How far L2 may be ahead of the clock when blocks are to come by the clock, in seconds.
_LONGEST_WAIT_S = 60
# Safe blocks are proposed: nobody develops against an L1 to wait until it is final.
_PROPOSER_SETTINGS = ProposerSettings(allows_non_finalized=True, poll_interval_s=1.0, retry_s=2.0)


@dataclass(frozen=True, slots=True)
class DevNetwork:
    """A network whose endpoints listen. Its blocks come while `parts` run."""

    l1: DevL1
    rollup: Rollup
    sequencer: RollupNode
    verifier: RollupNode

    def parts(self) -> list[Coroutine[Any, Any, None]]:
        """Return what has to run for the network to live."""
        parts = [*self.sequencer.parts(), *self.verifier.parts()]
        if self.l1.embedded is not None:
            parts.append(self.l1.embedded.chain.run())
        return parts

    async def stop_listening(self) -> None:
        """Take no more calls anywhere: each store must be closed after its last reader."""
        servers = [self.sequencer.stop_listening(), self.verifier.stop_listening()]
        if self.l1.embedded is not None:
            servers.append(self.l1.embedded.stop_listening())
        await asyncio.gather(*servers)


@asynccontextmanager
async def open_dev_network(options: DevOptions, clock: Clock) -> AsyncIterator[DevNetwork]:
    """Start everything up to the first block, and close it in the end.

    ConfigError for options that cannot be had; TemporaryError if an outside L1 does not answer.
    """
    options.check()
    async with AsyncExitStack() as stack:
        l1 = await open_l1(options, clock, stack)
        rollup = await open_rollup(options, l1, clock)
        nodes = _Nodes(options, l1, rollup, clock)
        sequencer = nodes.sequencer()
        stack.push_async_callback(sequencer.close)
        _check_time(options, sequencer, clock)
        await sequencer.start()
        sink = ForwardingSink(sequencer.url)
        stack.push_async_callback(sink.close)
        verifier = nodes.verifier(sink)
        stack.push_async_callback(verifier.close)
        await verifier.start()
        if options.automine and l1.embedded is not None:
            l1.embedded.not_before = lambda: sequencer.node.reader.head_header().timestamp
        network = DevNetwork(l1, rollup, sequencer, verifier)
        stack.push_async_callback(network.stop_listening)
        yield network


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Makes the two L2 nodes, which differ in store, port, sequencing and proposing."""

    options: DevOptions
    l1: DevL1
    rollup: Rollup
    clock: Clock

    def sequencer(self) -> RollupNode:
        """Return the node that builds the blocks."""
        sequencing = Sequencing(
            batcher_key=self.l1.batcher_key,
            settings=SequencerSettings(max_da_bytes=self.options.max_da_bytes),
            batch_type=self.options.batch_type,
            data_availability=self.options.da,
            resend_after_s=self.l1.resend_after_s,
            automine=self.options.automine,
            channel_age_l1_blocks=1,
        )
        proposing = Proposing(self.l1.proposer_key, _PROPOSER_SETTINGS, self.l1.resend_after_s)
        config = self._config(self.options.paths.l2, self.options.port, sequencing)
        config = replace(config, proposing=proposing)
        return RollupNode(config, self.l1.client, self.clock, None)

    def verifier(self, sink: ForwardingSink) -> RollupNode:
        """Return the node that knows nothing but L1."""
        config = self._config(self.options.paths.verifier, self.options.verifier_port, None)
        return RollupNode(config, self.l1.client, self.clock, sink)

    def _config(
        self, path: Path | None, port: int, sequencing: Sequencing | None
    ) -> RollupNodeConfig:
        return RollupNodeConfig(
            rollup=self.rollup.config,
            genesis=self.rollup.genesis,
            l1_chain=parse_l1_chain_config(self.rollup.l1_chain),
            path=path,
            # Of L2 alone: whoever verifies it from its beginning needs all of L1.
            kept_blocks=self.options.kept_blocks,
            port=port,
            l1_poll_interval_s=self.l1.poll_interval_s,
            l1_beacon_url=self.options.l1_beacon_url,
            sequencing=sequencing,
            serves_admin=True,
            interpreter=self.options.evm,
        )


def _check_time(options: DevOptions, sequencer: RollupNode, clock: Clock) -> None:
    ahead_s = int(sequencer.node.reader.head_header().timestamp - clock.now())
    if not options.automine and ahead_s > _LONGEST_WAIT_S:
        raise ConfigError(
            f"--automine: the rollup in {options.datadir} was run with it and is {ahead_s} s ahead "
            "of the clock, so that no block would come until then: go on with --automine, or "
            "choose another --datadir"
        )
