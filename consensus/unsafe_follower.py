"""A verifier ahead of L1: the sequencer's unsafe blocks, each checked before it is taken.

Nothing here makes a block safe. What the sequencer shows and L1 later contradicts, derivation
replaces; what contradicts L1 or the execution rules already is not taken at all.
"""

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from consensus.attributes import AttributesBuilder
from consensus.block_refs import L2BlockRef, l2_block_ref
from consensus.config import SEQUENCER_DRIFT_S, RollupConfig
from consensus.consolidation import difference
from consensus.engine_gate import EngineGate
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.source import L1NotFound, L1Source
from consensus.l2_chain import L2Chain
from node.clock import Clock
from node.config import ChainConfig
from node.engine import Engine
from node.errors import InvalidBlock, InvalidInput, ResetError
from node.reader import Reader
from node.types.block import Block, BlockRef
from node.types.deposit import DepositTransaction
from node.types.primitives import BlockNumber

_log = logging.getLogger(__name__)


class UnsafeSource(Protocol):
    """Where unsafe blocks come from; nothing of what it says is believed."""

    async def head(self) -> BlockRef: ...
    async def block(self, number: int) -> Block: ...


class Refused(InvalidInput):
    """The source's chain cannot be ours; the message says why."""


@dataclass(frozen=True, slots=True)
class FollowerSettings:
    """`blocks_per_step` are taken before others get their turn. Times are in seconds.

    After a block that cannot be taken, the source is asked again `refusal_s` later.
    """

    poll_interval_s: float = 0.5
    refusal_s: float = 5.0
    blocks_per_step: int = 50


class UnsafeFollower:
    """Extends the unsafe chain by what a sequencer has, down to the safe head if it has another."""

    def __init__(
        self,
        config: RollupConfig,
        chain_config: ChainConfig,
        l1_chain_config: L1ChainConfig,
        l1: L1Source,
        l2: L2Chain,
        reader: Reader,
        gate: EngineGate,
        source: UnsafeSource,
        clock: Clock,
        settings: FollowerSettings | None = None,
    ) -> None:
        self._config = config
        self._attributes = AttributesBuilder(config, chain_config, l1_chain_config, l1)
        self._l1 = l1
        self._l2 = l2
        self._reader = reader
        self._gate = gate
        self._source = source
        self._clock = clock
        self._settings = settings or FollowerSettings()
        self._told: str | None = None

    async def step(self) -> None:
        """Take the blocks that the source has and we have not; wait if there are none.

        TemporaryError if the source or L1 does not answer.
        """
        pause_s = self._settings.poll_interval_s
        try:
            if await self._take_blocks():
                return
            self._told = None
        except Refused as error:
            if str(error) != self._told:
                _log.warning("unsafe blocks are not followed: %s", error)
            self._told = str(error)
            pause_s = self._settings.refusal_s
        await self._clock.sleep_until(self._clock.now() + pause_s)

    async def _take_blocks(self) -> bool:
        """Return whether there may be more to take at once."""
        newest = await self._source.head()
        if self._reader.canonical_hash(newest.number) == newest.hash:
            return False
        if newest.number <= self._reader.heads().safe.number:
            return False  # it lags behind what L1 proves
        parent = await self._common_ancestor(newest)
        last = min(newest.number, parent.number + self._settings.blocks_per_step)
        for number in range(parent.number + 1, last + 1):
            block = await self._source.block(number)
            if block.header.parent_hash != parent.hash:
                return True  # it has just replaced blocks
            if not await self._is_origin_known(block):
                return False
            await self._check(block, parent)
            if not await self._gate.run(partial(self._insert, block, parent)):
                return True  # derivation has moved the chain meanwhile
            parent = self._l2.remember(block)
        return last < newest.number

    async def _common_ancestor(self, newest: BlockRef) -> L2BlockRef:
        """Return the newest of our blocks that the source has too, from the safe head up."""
        heads = self._reader.heads()
        number: int = min(heads.unsafe.number, newest.number)
        while number > heads.safe.number:
            ours = self._reader.canonical_hash(BlockNumber(number))
            if ours is not None and ours == (await self._source.block(number)).hash:
                return await self._l2.ref_by_hash(ours)
            number -= 1
        theirs = (await self._source.block(number)).hash
        if theirs != heads.safe.hash:
            raise Refused(
                f"block {number} is safe as 0x{heads.safe.hash.hex()}, the sequencer has "
                f"0x{theirs.hex()} there"
            )
        return await self._l2.ref_by_hash(heads.safe.hash)

    async def _is_origin_known(self, block: Block) -> bool:
        """Whether our L1 has the block's origin: the sequencer's may be ahead, or on a branch."""
        origin = self._ref(block).l1_origin
        try:
            return (await self._l1.block_ref_by_number(origin.number)).hash == origin.hash
        except L1NotFound:
            return False

    def _ref(self, block: Block) -> L2BlockRef:
        try:
            return l2_block_ref(block, self._config)
        except InvalidInput as error:
            raise Refused(f"block {block.number}: {error}") from error

    async def _check(self, block: Block, parent: L2BlockRef) -> None:
        """Check all that L1 determines of a block: derivation would not take another one."""
        ref = self._ref(block)
        timestamp = parent.timestamp + self._config.block_time
        try:
            attributes = await self._attributes.build(
                parent, await self._l2.system_config(parent.hash), ref.l1_origin, timestamp
            )
        except ResetError as error:
            raise Refused(str(error)) from error
        forced = attributes.transactions
        own = block.transactions[len(forced) :]
        differing = difference(
            block, parent.hash, replace(attributes, transactions=(*forced, *own))
        )
        if differing is not None:
            raise Refused(f"block {block.number}: its {differing} is not what L1 demands")
        if any(isinstance(tx, DepositTransaction) for tx in own):
            raise Refused(f"block {block.number}: it holds a deposit that L1 does not demand")
        origin = await self._l1.header(ref.l1_origin.hash)
        if own and timestamp > origin.timestamp + SEQUENCER_DRIFT_S:
            raise Refused(
                f"block {block.number}: it is more than {SEQUENCER_DRIFT_S} s after its L1 origin "
                "and not empty"
            )

    def _insert(self, block: Block, parent: L2BlockRef, engine: Engine) -> bool:
        """Execute a block and make it the unsafe head, in one thread; False if the chain moved."""
        is_standing = self._reader.canonical_hash(parent.number) == parent.hash
        if not is_standing or parent.number < engine.heads.safe.number:
            return False
        try:
            engine.insert(engine.execute(block))
        except InvalidBlock as error:
            raise Refused(f"block {block.number} is invalid: {error}") from error
        return True
