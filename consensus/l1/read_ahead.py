"""Reading finalized L1 blocks before derivation asks for them: many requests instead of one."""

import asyncio
from collections.abc import Callable

from consensus.block_refs import L1BlockRef
from consensus.l1.source import L1Source, Label
from node.types.block import Block, Header
from node.types.primitives import Hash32
from node.types.receipt import Receipt


class ReadAhead:
    """An L1Source in front of one that remembers blocks and receipts by hash (L1Client).

    Whoever walks up the numbers finds the next `width` blocks on their way, as far as they are
    final: those cannot be reorged between being fetched and being used. `finalized` returns the
    number of L1's finalized block, None while it is not known. `close` it in the end.
    """

    def __init__(
        self, source: L1Source, finalized: Callable[[], int | None], *, width: int = 16
    ) -> None:
        self._source = source
        self._finalized = finalized
        self._width = width
        self._fetches: dict[int, asyncio.Task[L1BlockRef]] = {}

    async def chain_id(self) -> int:
        """L1Source."""
        return await self._source.chain_id()

    async def block_ref_by_number(self, number: int) -> L1BlockRef:
        """L1Source; starts fetching what follows `number`."""
        self._fetch_after(number)
        fetch = self._fetches.pop(number, None)
        if fetch is None:
            return await self._source.block_ref_by_number(number)
        return await fetch

    async def block_ref_by_label(self, label: Label) -> L1BlockRef:
        """L1Source."""
        return await self._source.block_ref_by_label(label)

    async def header(self, block_hash: Hash32) -> Header:
        """L1Source."""
        return await self._source.header(block_hash)

    async def block(self, block_hash: Hash32) -> Block:
        """L1Source."""
        return await self._source.block(block_hash)

    async def receipts(self, block_hash: Hash32) -> tuple[Receipt, ...]:
        """L1Source."""
        return await self._source.receipts(block_hash)

    def close(self) -> None:
        """Give up what is being fetched."""
        for fetch in self._fetches.values():
            fetch.cancel()
        self._fetches.clear()

    def _fetch_after(self, number: int) -> None:
        last = min(number + self._width, self._finalized() or 0)
        wanted = range(number + 1, last + 1)
        for other in [n for n in self._fetches if n != number and n not in wanted]:
            self._fetches.pop(other).cancel()
        for following in wanted:
            if following not in self._fetches:
                fetch = asyncio.create_task(self._fetch(following))
                fetch.add_done_callback(_look_at_outcome)
                self._fetches[following] = fetch

    async def _fetch(self, number: int) -> L1BlockRef:
        ref = await self._source.block_ref_by_number(number)
        await asyncio.gather(self._source.block(ref.hash), self._source.receipts(ref.hash))
        return ref


def _look_at_outcome(fetch: asyncio.Task[L1BlockRef]) -> None:
    # A failure is told to whoever asks for the block; nobody may.
    if not fetch.cancelled():
        fetch.exception()
