"""Our own L2 chain as consensus sees it: blocks as references, and the system config after them."""

from functools import partial

from consensus.block_refs import L2BlockRef, l2_block_ref
from consensus.config import RollupConfig
from consensus.system_config import SystemConfig, system_config_after
from node.errors import CorruptStore
from node.lru_cache import LruCache
from node.reader import Reader
from node.types.block import Block
from node.types.primitives import BlockNumber, Hash32
from node.worker import run_in_thread

_REFS_KEPT = 4096


class L2Chain:
    """The L2Source of a running node. CorruptStore if a block is missing."""

    def __init__(self, reader: Reader, config: RollupConfig) -> None:
        self._reader = reader
        self._config = config
        self._refs: LruCache[Hash32, L2BlockRef] = LruCache(_REFS_KEPT)

    async def ref_by_hash(self, block_hash: Hash32) -> L2BlockRef:
        """Return a stored block's reference."""
        known = self._refs.get(block_hash)
        if known is not None:
            return known
        return await run_in_thread(partial(self.ref, block_hash))

    async def ref_by_number(self, number: BlockNumber) -> L2BlockRef:
        """Return the canonical block at a height that is not above the unsafe head."""
        return await run_in_thread(partial(self._ref_at, number))

    async def system_config(self, block_hash: Hash32) -> SystemConfig:
        """Return the system config in force after a stored block."""
        if block_hash == self._config.genesis.l2.hash:
            return self._config.genesis.system_config
        return system_config_after(await run_in_thread(partial(self._block, block_hash)))

    async def unsafe(self) -> L2BlockRef:
        """Return the unsafe head."""
        return await self.ref_by_hash(self._reader.heads().unsafe.hash)

    async def safe(self) -> L2BlockRef:
        """Return the safe head."""
        return await self.ref_by_hash(self._reader.heads().safe.hash)

    def ref(self, block_hash: Hash32) -> L2BlockRef:
        """Return a stored block's reference, in this thread."""
        known = self._refs.get(block_hash)
        if known is None:
            known = l2_block_ref(self._block(block_hash), self._config)
            self._refs.put(block_hash, known)
        return known

    def remember(self, block: Block) -> L2BlockRef:
        """Return the reference of a block that was just stored, and spare later reads of it."""
        known = l2_block_ref(block, self._config)
        self._refs.put(block.hash, known)
        return known

    def _ref_at(self, number: BlockNumber) -> L2BlockRef:
        header = self._reader.header_by_number(number)
        if header is None:
            raise CorruptStore(f"L2 block {number}: it is missing")
        return self.ref(header.hash)

    def _block(self, block_hash: Hash32) -> Block:
        # Its deposit alone: the way back to a channel's beginning leads into pruned blocks.
        block = self._reader.opening(block_hash)
        if block is None:
            raise CorruptStore(f"L2 block 0x{block_hash.hex()}: it is missing")
        return block
