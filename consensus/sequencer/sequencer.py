"""Building unsafe blocks: one step takes pending transactions and makes the next block of them."""

import logging
from dataclasses import dataclass
from functools import partial

from consensus.attributes import AttributesBuilder
from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.config import SEQUENCER_DRIFT_S, RollupConfig
from consensus.engine_gate import EngineGate
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.watcher import L1Watcher
from consensus.l2_chain import L2Chain
from consensus.sequencer.origin_selector import (
    NoOrigin,
    OriginChoice,
    choose_origin,
    confirmed,
)
from consensus.sequencer.pace import BlockTimer, Pace
from node.builder import FillLimits, fill
from node.clock import Clock
from node.config import ChainConfig
from node.engine import Engine
from node.errors import CriticalError, InvalidBlock, InvalidTransaction, ResetError
from node.mempool import Mempool
from node.reader import Reader
from node.types.block import Block
from node.types.payload import PayloadAttributes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SequencerSettings:
    """`l1_confirmations` lie on a new origin before it is adopted; DA limits are bytes per block.

    Filling a block stops after `fill_share` of the block time.
    """

    l1_confirmations: int = 0
    max_da_bytes: int = 1_000_000
    fill_share: float = 0.5


class Sequencer:
    """Extends the unsafe head. All it needs of L1 was fetched before; it never waits for L1.

    ResetError if L1 has dropped the unsafe head's origin.
    """

    def __init__(
        self,
        config: RollupConfig,
        chain_config: ChainConfig,
        l1_chain_config: L1ChainConfig,
        gate: EngineGate,
        reader: Reader,
        l2: L2Chain,
        watcher: L1Watcher,
        mempool: Mempool,
        clock: Clock,
        settings: SequencerSettings | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._config = config
        self._attributes = AttributesBuilder(config, chain_config, l1_chain_config, watcher.window)
        self._gate = gate
        self._reader = reader
        self._l2 = l2
        self._watcher = watcher
        self._mempool = mempool
        self._clock = clock
        self._settings = settings or SequencerSettings()
        self._pace = pace or BlockTimer(clock, config.block_time)

    async def wait_until_due(self) -> L2BlockRef:
        """Return the unsafe head once it is time for its child; at once if it is late."""
        head = await self._l2.unsafe()
        # Fetched while we wait, not when the block is due.
        self._watcher.keep_from(head.l1_origin)
        await self._pace.wait(head)
        return head

    async def step(self) -> Block | NoOrigin:
        """Build and store the child of the unsafe head, whatever the time is."""
        while True:
            head = await self._l2.unsafe()
            self._watcher.keep_from(head.l1_origin)
            choice = self._choose_origin(head)
            if isinstance(choice, NoOrigin):
                return choice
            attributes = await self._attributes.build(
                head,
                await self._l2.system_config(head.hash),
                choice.origin.ref,
                head.timestamp + self._config.block_time,
            )
            work = partial(self._build, head, attributes, choice.deposits_only)
            block = await self._gate.run(work)
            if block is not None:
                self._l2.remember(block)
                return block

    def _choose_origin(self, head: L2BlockRef) -> OriginChoice | NoOrigin:
        heads, number = self._watcher.heads, head.l1_origin.number
        current = self._watcher.window.at(number)
        if heads is None or current is None:
            return NoOrigin(f"L1 block {number}, origin of the unsafe head, is not fetched yet")
        if current.hash != head.l1_origin.hash:
            raise ResetError(
                f"L1 block {number}: expected 0x{head.l1_origin.hash.hex()}, the origin of the "
                f"unsafe head {head.number}, L1 has 0x{current.hash.hex()}"
            )
        following = self._watcher.window.at(number + 1)
        if following is None and self._is_next_on_its_way(head, heads.latest):
            return NoOrigin(f"L1 block {number + 1} is being fetched")
        return choose_origin(
            head,
            current,
            confirmed(following, heads.latest, self._settings.l1_confirmations),
            block_time=self._config.block_time,
            max_drift=SEQUENCER_DRIFT_S,
        )

    def _is_next_on_its_way(self, head: L2BlockRef, l1_head: L1BlockRef) -> bool:
        """Whether we are catching up and L1 has an origin that will be in memory soon.

        On time, a block on the old origin is better than a late one; behind, it would be one of
        many that leave the origins further back with each block. But while L1 is away, nobody knows
        for how long.
        """
        if self._watcher.is_down:
            return False
        is_late = self._clock.now() >= head.timestamp + 2 * self._config.block_time
        depth = self._settings.l1_confirmations
        return is_late and head.l1_origin.number + 1 + depth <= l1_head.number

    def _fill_limits(self) -> FillLimits:
        # Counted from here: what deposits took is no reason to cut a user's transaction short.
        deadline = self._clock.now() + self._settings.fill_share * self._config.block_time
        return FillLimits(
            out_of_time=lambda: self._clock.now() >= deadline,
            max_da_bytes=self._settings.max_da_bytes,
        )

    def _build(
        self, head: L2BlockRef, attributes: PayloadAttributes, deposits_only: bool, engine: Engine
    ) -> Block | None:
        """Build, fill and insert in one thread; None if the unsafe head is another one by now."""
        if engine.heads.unsafe.hash != head.hash:
            return None
        parent = self._reader.header_by_hash(head.hash)
        if parent is None:
            raise CriticalError(f"unsafe head {head.number}: its header is missing")
        try:
            with engine.begin(parent, attributes) as execution:
                for tx in attributes.transactions:
                    execution.apply(tx)
                if not deposits_only:
                    fill(execution, self._mempool, self._fill_limits())
                executed = execution.seal()
        except (InvalidBlock, InvalidTransaction) as error:
            raise CriticalError(
                f"L2 block {head.number + 1}: what L1 forces into it makes no block: {error}"
            ) from error
        engine.insert(executed)
        return executed.block
