"""First stage: walks L1 block by block and keeps the batcher's credentials current."""

import logging
from dataclasses import dataclass

from consensus.block_refs import L1BlockRef
from consensus.config import RollupConfig
from consensus.derivation.outcomes import Drained, NeedsL1
from consensus.l1.config_updates import apply_config_updates
from consensus.l1.source import L1NotFound, L1Source
from consensus.system_config import SystemConfig
from node.errors import ResetError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PipelineStart:
    """Where derivation starts: an L1 block, read itself, and the system config after it.

    Batches up to L1 block `judged_to`, which is included, have had their verdict before.
    """

    current_l1: L1BlockRef
    system_config: SystemConfig
    judged_to: int = 0


class L1Traversal:
    """Hands out each L1 block once. `current_l1` is the position of the whole pipeline."""

    def __init__(self, config: RollupConfig, l1: L1Source, start: PipelineStart) -> None:
        self._config = config
        self._l1 = l1
        self._current_l1 = start.current_l1
        self._system_config = start.system_config
        self._is_taken = False

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._current_l1

    @property
    def system_config(self) -> SystemConfig:
        """The config after `current_l1`'s updates: batcher transactions are checked by it."""
        return self._system_config

    async def next_l1_block(self) -> L1BlockRef | Drained:
        """Return `current_l1` the first time, Drained afterwards."""
        if self._is_taken:
            return Drained(self._current_l1)
        self._is_taken = True
        return self._current_l1

    async def advance(self) -> L1BlockRef | NeedsL1:
        """Move to the next L1 block; ResetError if it does not build on the current one."""
        current = self._current_l1
        try:
            following = await self._l1.block_ref_by_number(current.number + 1)
        except L1NotFound:
            return NeedsL1(current)
        if following.number != current.number + 1 or following.parent_hash != current.hash:
            raise ResetError(
                f"L1 reorg: expected block {current.number + 1} on 0x{current.hash.hex()}, "
                f"got block {following.number} on 0x{following.parent_hash.hex()}"
            )
        receipts = await self._l1.receipts(following.hash)
        updates = apply_config_updates(self._system_config, receipts, self._config.l1_system_config)
        for skipped in updates.skipped:
            _log.warning(
                "system config update skipped: L1 block %d, log %d: %s",
                following.number,
                skipped.log_index,
                skipped.reason,
            )
        self._system_config = updates.config
        self._current_l1 = following
        self._is_taken = False
        return following

    def reset(self, start: PipelineStart) -> None:
        """Start over at another L1 block."""
        self._current_l1 = start.current_l1
        self._system_config = start.system_config
        self._is_taken = False
