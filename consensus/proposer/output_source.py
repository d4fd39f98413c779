"""Where outputs come from: a node that derives the rollup from L1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from consensus.block_refs import L1BlockRef
from node.output_root import Output, output_of
from node.reader import Reader
from node.types.primitives import BlockNumber


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a node has derived: its safe and its finalized L2 block.

    Both came from L1 blocks up to `current_l1`, which is None before derivation has begun.
    """

    current_l1: L1BlockRef | None
    safe: int
    finalized: int


class OutputSource(Protocol):
    """A verifier, in this process or elsewhere. Failures to answer are TemporaryError."""

    async def progress(self) -> Progress:
        """Return how far it is."""
        ...

    async def output(self, number: int) -> Output | None:
        """Return the output of its canonical block at a height, None above its head."""
        ...


class OwnOutputs:
    """The node in this process. `current_l1` tells how far its derivation has read L1."""

    def __init__(self, reader: Reader, current_l1: Callable[[], L1BlockRef | None]) -> None:
        self._reader = reader
        self._current_l1 = current_l1

    async def progress(self) -> Progress:
        """Return how far derivation is."""
        # In this order: what becomes safe between the two may come from a later L1 block.
        heads = self._reader.heads()
        return Progress(self._current_l1(), heads.safe.number, heads.finalized.number)

    async def output(self, number: int) -> Output | None:
        """Return the output of the canonical block at a height, None above the head."""
        header = self._reader.header_by_number(BlockNumber(number))
        return None if header is None else output_of(self._reader, header)
