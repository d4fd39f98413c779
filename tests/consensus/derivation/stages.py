"""The pipeline's stages on a fake L1, each within reach."""

from dataclasses import dataclass

from consensus.config import RollupConfig
from consensus.derivation.batch_validator import BatchValidator
from consensus.derivation.channel_assembler import ChannelAssembler
from consensus.derivation.channel_reader import ChannelReader
from consensus.derivation.frame_queue import FrameQueue
from consensus.derivation.l1_retrieval import L1Retrieval
from consensus.derivation.l1_traversal import L1Traversal, PipelineStart
from tests.fakes.l1_source import FakeL1
from tests.fakes.l2_chain import FakeL2


@dataclass(frozen=True, slots=True)
class Stages:
    """From L1 to batches."""

    start: PipelineStart
    traversal: L1Traversal
    retrieval: L1Retrieval
    frames: FrameQueue
    assembler: ChannelAssembler
    reader: ChannelReader
    validator: BatchValidator


def make_stages(config: RollupConfig, l1: FakeL1, l2: FakeL2 | None = None) -> Stages:
    """Build the stages, at the rollup's L1 genesis; without an L2 chain, at its genesis too."""
    start = PipelineStart(l1.genesis, config.genesis.system_config)
    traversal = L1Traversal(config, l1, start)
    retrieval = L1Retrieval(config, l1, l1, traversal)
    frames = FrameQueue(retrieval)
    assembler = ChannelAssembler(frames)
    reader = ChannelReader(config, assembler)
    validator = BatchValidator(config, l2 or FakeL2(config), reader)
    return Stages(start, traversal, retrieval, frames, assembler, reader, validator)
