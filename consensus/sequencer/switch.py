"""Whether a node builds blocks: an operator stops the sequencer here, and starts it again."""

import asyncio

from node.errors import OperationRefused
from node.reader import Reader
from node.types.primitives import Hash32


class SequencerSwitch:
    """The switch, and the turn of whoever builds a block or takes some back.

    What is held in one `turn` cannot be undone by another half-way: a reset finds no block in the
    making, and a stop ends after the last block.
    """

    def __init__(self, reader: Reader, *, is_active: bool = True) -> None:
        self.turn = asyncio.Lock()
        self._reader = reader
        self._active = asyncio.Event()
        if is_active:
            self._active.set()

    @property
    def is_active(self) -> bool:
        """Whether blocks are built."""
        return self._active.is_set()

    async def activated(self) -> None:
        """Return as soon as blocks are built."""
        await self._active.wait()

    async def start(self, head: Hash32) -> None:
        """Let blocks be built on `head`.

        OperationRefused, in op-node's words, if that is not the unsafe head: whoever starts a
        sequencer has to know what it goes on from, or there are two blocks at one height.
        """
        async with self.turn:
            if self.is_active:
                raise OperationRefused("sequencer already running")
            unsafe = self._reader.heads().unsafe
            if unsafe.hash != head:
                raise OperationRefused(
                    f"block hash does not match: head 0x{unsafe.hash.hex()}:{unsafe.number}, "
                    f"received 0x{head.hex()}"
                )
            self._active.set()

    async def stop(self) -> Hash32:
        """Let no more blocks be built; return the hash of the last one.

        A block in the making is finished first. OperationRefused if none are built.
        """
        async with self.turn:
            if not self.is_active:
                raise OperationRefused("sequencer not running")
            self._active.clear()
            return self._reader.heads().unsafe.hash
