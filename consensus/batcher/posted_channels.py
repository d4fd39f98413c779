"""Closed channels that L1 may still lose: on their way, on L1, or passed by."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consensus.batcher.channel_builder import ClosedChannel
from consensus.block_refs import L1BlockRef
from consensus.l1.client import TransactionInclusion
from node.types.block import BlockRef

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Posted:
    """`included_in` is the L1 block of its last frame, None while it is on its way."""

    first: BlockRef
    last: BlockRef
    sends: Sequence[asyncio.Task[TransactionInclusion]]
    included_in: BlockRef | None = None

    @property
    def blocks(self) -> str:
        return f"blocks {self.first.number} to {self.last.number}"

    def note_inclusion(self) -> None:
        """Note where it is once all of it is on L1; raises what a send has failed with."""
        finished = [send.result() for send in self.sends if send.done()]
        if self.included_in is not None or len(finished) < len(self.sends):
            return
        self.included_in = max((entry.block for entry in finished), key=lambda ref: ref.number)
        self.sends = ()
        _log.info("%s are on L1, in block %d", self.blocks, self.included_in.number)


class PostedChannels:
    """In the order of their blocks. `lost_after_l1_blocks`: how far derivation may read past one
    that it did not accept.
    """

    def __init__(self, lost_after_l1_blocks: int) -> None:
        self._lost_after_l1_blocks = lost_after_l1_blocks
        self._channels: list[_Posted] = []

    def add(
        self, channel: ClosedChannel, sends: Sequence[asyncio.Task[TransactionInclusion]]
    ) -> None:
        """Look after a channel whose transactions have begun to be sent."""
        for send in sends:
            send.add_done_callback(_look_at_outcome)
        self._channels.append(_Posted(channel.first, channel.last, sends))

    def count_above(self, safe: int) -> int:
        """Return how many hold blocks above a height."""
        return sum(channel.last.number > safe for channel in self._channels)

    def review(self, finalized: int) -> None:
        """Note inclusions and forget what is final; raises what a send has failed with."""
        self._channels = [entry for entry in self._channels if entry.last.number > finalized]
        for channel in self._channels:
            channel.note_inclusion()

    def loss(
        self, safe: int, current_l1: int, canonical: Callable[[int], L1BlockRef | None]
    ) -> str | None:
        """Return why blocks above the safe head have to be posted again, None if they have not.

        `canonical` tells which block L1 has at a height now, None where that is not known.
        """
        for channel in self._channels:
            block = channel.included_in
            if block is None or channel.last.number <= safe:
                continue
            now = canonical(block.number)
            is_replaced = now is not None and now.hash != block.hash
            # L1's pool may bring it back, at best in the block that replaces the old one.
            if is_replaced and current_l1 > block.number:
                return f"{channel.blocks} were in L1 block {block.number}, which L1 has replaced"
            if current_l1 > block.number + self._lost_after_l1_blocks:
                return (
                    f"{channel.blocks} were in L1 block {block.number}, but were not derived from "
                    "it"
                )
        return None

    async def ended(self) -> None:
        """Return when all sends have ended, one way or the other."""
        if sends := [send for channel in self._channels for send in channel.sends]:
            await asyncio.wait(sends)

    def on_their_way(self) -> str:
        """Name the blocks whose transactions are not on L1; empty if there are none."""
        waiting = [c for c in self._channels if any(not send.done() for send in c.sends)]
        count = sum(not send.done() for channel in waiting for send in channel.sends)
        if not count:
            return ""
        first, last = waiting[0].first.number, waiting[-1].last.number
        return f"blocks {first} to {last}, in {count} transaction{'s' if count > 1 else ''}"

    def give_up(self) -> None:
        """Forget all; what is on its way is left to L1."""
        for channel in self._channels:
            for send in channel.sends:
                send.cancel()
        self._channels.clear()


def _look_at_outcome(send: asyncio.Task[TransactionInclusion]) -> None:
    # A send that was given up with others of its channel may have failed unnoticed.
    if not send.cancelled() and (error := send.exception()) is not None:
        _log.debug("a batcher transaction failed: %s", error)
