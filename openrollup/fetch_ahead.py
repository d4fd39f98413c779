"""Blocks of a remote chain, the next ones fetched while one is being executed."""

import asyncio

from openrollup.remote_chain import RemoteBlock, RemoteChain


class FetchAhead:
    """Fetches up to `width` blocks after the one that is asked for. `forget` it in the end.

    Receipts come with blocks from `receipts_from` on.
    """

    def __init__(self, chain: RemoteChain, receipts_from: int, *, width: int = 16) -> None:
        self._chain = chain
        self._receipts_from = receipts_from
        self._width = width
        self._fetches: dict[int, asyncio.Task[RemoteBlock | None]] = {}

    async def block(self, number: int, last: int) -> RemoteBlock | None:
        """Return a block as RemoteChain does, and start fetching what follows it, up to `last`."""
        for wanted in range(number, min(number + self._width, last) + 1):
            if wanted not in self._fetches:
                self._fetches[wanted] = asyncio.create_task(self._fetch(wanted))
        return await self._fetches.pop(number)

    def forget(self) -> None:
        """Give up what is being fetched: the chain may have changed."""
        for fetch in self._fetches.values():
            fetch.cancel()
            fetch.add_done_callback(_look_at_outcome)
        self._fetches.clear()

    async def _fetch(self, number: int) -> RemoteBlock | None:
        with_receipts = number >= self._receipts_from
        return await self._chain.block(number, with_receipts=with_receipts)


def _look_at_outcome(fetch: "asyncio.Task[RemoteBlock | None]") -> None:
    # Nobody will ask for it any more.
    if not fetch.cancelled():
        fetch.exception()
