"""The L1 blocks that are next in line to become origins, held in memory."""

from collections import deque
from dataclasses import dataclass

from consensus.block_refs import L1BlockRef, l1_block_ref
from node.errors import TemporaryError
from node.types.block import Header
from node.types.primitives import Hash32
from node.types.receipt import Receipt


class NotPrefetched(TemporaryError):
    """The block is not in memory (yet)."""


@dataclass(frozen=True, slots=True)
class PrefetchedBlock:
    """What the attributes of an L2 block need of its origin."""

    ref: L1BlockRef
    header: Header
    receipts: tuple[Receipt, ...]


class L1Window:
    """A run of consecutive L1 blocks, each the parent of the next.

    Serves headers and receipts like an L1Source, but never waits: NotPrefetched instead.
    """

    def __init__(self) -> None:
        self._blocks: deque[PrefetchedBlock] = deque()
        self._by_hash: dict[Hash32, PrefetchedBlock] = {}

    @property
    def newest(self) -> L1BlockRef | None:
        """The last block of the run."""
        return self._blocks[-1].ref if self._blocks else None

    def at(self, number: int) -> L1BlockRef | None:
        """Return the block of this number, None outside the window."""
        if not self._blocks:
            return None
        index = number - self._blocks[0].ref.number
        return self._blocks[index].ref if 0 <= index < len(self._blocks) else None

    def append(self, header: Header, receipts: tuple[Receipt, ...]) -> bool:
        """Add the child of the newest block; False (and no change) if it is not its child."""
        if self._blocks and self._blocks[-1].ref.hash != header.parent_hash:
            return False
        block = PrefetchedBlock(l1_block_ref(header), header, receipts)
        self._blocks.append(block)
        self._by_hash[header.hash] = block
        return True

    def drop_newest(self) -> None:
        """Forget the newest block: L1 has replaced it."""
        del self._by_hash[self._blocks.pop().ref.hash]

    def drop_below(self, number: int) -> None:
        """Forget the blocks whose number is lower."""
        while self._blocks and self._blocks[0].ref.number < number:
            del self._by_hash[self._blocks.popleft().ref.hash]

    def clear(self) -> None:
        """Forget all blocks."""
        self._blocks.clear()
        self._by_hash.clear()

    async def header(self, block_hash: Hash32) -> Header:
        """Return a header from memory; NotPrefetched if it is not there."""
        return self._block(block_hash).header

    async def receipts(self, block_hash: Hash32) -> tuple[Receipt, ...]:
        """Return receipts from memory; NotPrefetched if they are not there."""
        return self._block(block_hash).receipts

    def _block(self, block_hash: Hash32) -> PrefetchedBlock:
        block = self._by_hash.get(block_hash)
        if block is None:
            raise NotPrefetched(f"L1 block 0x{block_hash.hex()} is not in memory")
        return block
