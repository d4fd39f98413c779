"""The derivation pipeline: L1 in, the attributes of L2 blocks out."""

from consensus.attributes import AttributesBuilder
from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.config import RollupConfig
from consensus.derivation.attributes_queue import AttributesQueue
from consensus.derivation.batch_validator import BatchValidator
from consensus.derivation.channel_assembler import ChannelAssembler
from consensus.derivation.channel_reader import ChannelReader
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.derivation.frame_queue import FrameQueue
from consensus.derivation.l1_retrieval import L1Retrieval
from consensus.derivation.l1_traversal import L1Traversal, PipelineStart
from consensus.derivation.outcomes import NeedsL1
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.source import BlobSource, L1Source
from consensus.l2_source import L2Source
from node.config import ChainConfig


class Pipeline:
    """All stages, pulled from the end. After any ResetError it must be reset before further use."""

    def __init__(
        self,
        config: RollupConfig,
        chain_config: ChainConfig,
        l1_chain_config: L1ChainConfig,
        l1: L1Source,
        blobs: BlobSource,
        l2: L2Source,
        start: PipelineStart,
    ) -> None:
        self._traversal = L1Traversal(config, l1, start)
        retrieval = L1Retrieval(config, l1, blobs, self._traversal)
        assembler = ChannelAssembler(FrameQueue(retrieval))
        reader = ChannelReader(config, assembler)
        validator = BatchValidator(config, l2, reader, judged_to=start.judged_to)
        attributes = AttributesBuilder(config, chain_config, l1_chain_config, l1)
        self._attributes = AttributesQueue(config, attributes, l2, validator)

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._traversal.current_l1

    async def next_attributes(self, parent: L2BlockRef) -> DerivedAttributes | NeedsL1:
        """Return the attributes of the child of `parent`, reading as much of L1 as it takes.

        `parent` is the safe head: the block that the last attributes became, or the safe head that
        the pipeline was reset to. After a TemporaryError or a cancellation the call can be repeated
        without loss.
        """
        while True:
            derived = await self._attributes.next_attributes(parent)
            if isinstance(derived, DerivedAttributes):
                return derived
            advanced = await self._traversal.advance()
            if isinstance(advanced, NeedsL1):
                return advanced

    def invalidate_current(self) -> DerivedAttributes:
        """Tell that the block of the last attributes is invalid; return what to build instead.

        The rest of the channel is dropped. CriticalError if the attributes were deposits only.
        """
        return self._attributes.invalidate()

    def reset(self, start: PipelineStart) -> None:
        """Start over, as after construction."""
        self._attributes.reset(start)
