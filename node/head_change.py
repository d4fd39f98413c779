"""What a commit did to a chain, as its subscribers are told."""

from dataclasses import dataclass

from node.chain import Heads
from node.execution.transition import ExecutedBlock
from node.types.block import Block


@dataclass(frozen=True, slots=True)
class HeadChange:
    """Blocks added (with their effects), blocks removed (newest first), and the new heads."""

    added: tuple[ExecutedBlock, ...]
    removed: tuple[Block, ...]
    heads: Heads
