"""A sequencer and a verifier with real engines, and L1 blocks as a test likes them."""

from collections.abc import Sequence

from consensus.codec.channel import Batch
from node.clock import VirtualClock
from node.types.block import Block
from tests.consensus.rollup import make_channel, publish
from tests.consensus.rollup_node import RollupNode, make_genesis
from tests.fakes.l1_source import FakeL1, Included


class Scene:
    """A sequencer, whose blocks tests publish as they like, and a verifier."""

    def __init__(self, *, window: int = 10, jovian: bool = False) -> None:
        self.l1 = FakeL1()
        self.config, self.genesis = make_genesis(self.l1, seq_window_size=window, jovian=jovian)
        self.clock = VirtualClock(self.l1.genesis.timestamp)
        self.sequencer = self.node()
        self.verifier = self.node()
        self._channels = 0

    def node(self) -> RollupNode:
        return RollupNode(self.l1, self.config, self.genesis, self.clock)

    def publish(self, batches: Sequence[Batch]) -> None:
        """Mine an L1 block with a channel of batches."""
        self.l1.mine(self.channel(batches))

    def channel(self, batches: Sequence[Batch]) -> Included:
        """Put a channel of batches into one transaction."""
        self._channels += 1
        return publish(make_channel(batches, self._channels))

    async def sequence(self, l1_blocks: int = 1) -> list[Block]:
        """Mine empty L1 blocks and build the L2 blocks of their time."""
        self.l1.mine_empty(l1_blocks)
        return await self.sequencer.build_until_l1_head()

    def restart(self, node: RollupNode) -> RollupNode:
        """Return a new process on the old process's store."""
        return RollupNode(self.l1, self.config, self.genesis, self.clock, node.database)

    def close(self) -> None:
        self.sequencer.close()
        self.verifier.close()
