"""The safe chain of a node: what derivation yields becomes blocks, heads and finality."""

import logging
from functools import partial

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.config import RollupConfig
from consensus.consolidation import difference
from consensus.cursor import Cursor, decode_cursor
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.derivation.outcomes import NeedsL1
from consensus.derivation.pipeline import Pipeline
from consensus.derivation.reset import SyncStart, pipeline_start, sync_start
from consensus.engine_gate import EngineGate
from consensus.finality import FinalityTracker
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.source import BlobSource, L1NotFound, L1Source
from consensus.l2_chain import L2Chain
from node.config import ChainConfig
from node.engine import Engine
from node.errors import CorruptStore, CriticalError, InvalidBlock, ResetError
from node.reader import Reader
from node.types.block import Block, BlockRef
from node.types.primitives import BlockNumber

_log = logging.getLogger(__name__)


class Deriver:
    """Advances the safe and the finalized head by what L1 says. `reset` comes first."""

    def __init__(
        self,
        config: RollupConfig,
        chain_config: ChainConfig,
        l1_chain_config: L1ChainConfig,
        l1: L1Source,
        blobs: BlobSource,
        l2: L2Chain,
        reader: Reader,
        gate: EngineGate,
    ) -> None:
        self._config = config
        self._chain_config = chain_config
        self._l1_chain_config = l1_chain_config
        self._l1 = l1
        self._blobs = blobs
        self._l2 = l2
        self._reader = reader
        self._gate = gate
        self._finality = FinalityTracker()
        self._pipeline: Pipeline | None = None

    @property
    def current_l1(self) -> L1BlockRef | None:
        """How far L1 has been read, None before the first reset."""
        return None if self._pipeline is None else self._pipeline.current_l1

    async def reset(self) -> None:
        """Set the heads to what L1 still supports, and start reading L1 from there.

        The safe head stands as long as the L1 block does that it came from: its number and hash
        were stored with it. Without that it goes back as the spec says.
        """
        start, derived_from = await self._starting_point()
        unsafe, safe = start.unsafe.ref, start.safe.ref
        heads = self._reader.heads()
        if (unsafe, safe) != (heads.unsafe, heads.safe):
            _log.warning(
                "heads go back: unsafe %d to %d, safe %d to %d",
                heads.unsafe.number,
                unsafe.number,
                heads.safe.number,
                safe.number,
            )
            await self._gate.run(lambda engine: engine.set_heads(unsafe=unsafe, safe=safe))
        self._finality.reset(safe, derived_from)
        if self._pipeline is None:
            self._pipeline = Pipeline(
                self._config,
                self._chain_config,
                self._l1_chain_config,
                self._l1,
                self._blobs,
                self._l2,
                start.pipeline,
            )
        else:
            self._pipeline.reset(start.pipeline)

    async def step(self) -> L2BlockRef | NeedsL1:
        """Derive the next safe block and return it, or tell that L1 has no more."""
        if self._pipeline is None:
            raise ResetError("derivation has not been started yet")
        outcome = await self._pipeline.next_attributes(await self._l2.safe())
        if isinstance(outcome, NeedsL1):
            return outcome
        try:
            block = await self._gate.run(partial(self._apply, outcome))
        except InvalidBlock as error:
            _log.warning("L2 block %d cannot be built: %s", outcome.parent.number + 1, error)
            # CriticalError if nothing of the block came from a batch.
            outcome = self._pipeline.invalidate_current()
            block = await self._replace(outcome)
        self._finality.record(block.header.ref, outcome.derived_from.ref)
        return self._l2.remember(block)

    async def finalize(self, l1_finalized: L1BlockRef) -> None:
        """Move the finalized head to the newest safe block that came from finalized L1 blocks."""
        derivation = self._finality.final(l1_finalized.ref)
        if derivation is None:
            return
        finalized = derivation.l2_block
        if finalized.number > self._reader.heads().finalized.number:
            await self._check_canonical(derivation.derived_from)
            await self._gate.run(lambda engine: engine.set_heads(finalized=finalized))

    async def _starting_point(self) -> tuple[SyncStart, BlockRef | None]:
        heads = self._reader.heads()
        unsafe, safe, finalized = [
            await self._l2.ref_by_hash(ref.hash)
            for ref in (heads.unsafe, heads.safe, heads.finalized)
        ]
        stored = await self._gate.run(lambda engine: engine.cursor)
        derived_from = None if stored is None else decode_cursor(stored).derived_from
        is_safe_standing = derived_from is not None and await self._is_canonical(derived_from)
        if is_safe_standing and await self._is_canonical(unsafe.l1_origin):
            pipeline = await pipeline_start(self._config, self._l1, self._l2, safe)
            return SyncStart(unsafe, safe, finalized, pipeline), derived_from
        start = await sync_start(self._config, self._l1, self._l2, unsafe, safe, finalized)
        if not is_safe_standing or start.unsafe.number < safe.number:
            return start, None
        pipeline = await pipeline_start(self._config, self._l1, self._l2, safe)
        return SyncStart(start.unsafe, safe, finalized, pipeline), derived_from

    async def _replace(self, derived: DerivedAttributes) -> Block:
        """Make the deposits-only block the safe head; CriticalError, for there is no other."""
        try:
            return await self._gate.run(partial(self._apply, derived))
        except InvalidBlock as error:
            raise CriticalError(
                f"L2 block {derived.parent.number + 1}: the block of L1's deposits alone is "
                f"invalid: {error}"
            ) from error

    def _apply(self, derived: DerivedAttributes, engine: Engine) -> Block:
        """Make the derived block the safe head, in one thread; InvalidBlock if there is none."""
        derived_from = derived.derived_from.ref
        cursor = Cursor(derived_from).encode()
        held = self._reader.block_by_number(BlockNumber(derived.parent.number + 1))
        if held is not None:
            differing = difference(held, derived.parent.hash, derived.attributes)
            if differing is None:
                engine.set_heads(safe=held.header.ref, cursor=cursor, derived_from=derived_from)
                return held
            _log.warning("L1 replaces unsafe block %d: its %s differs", held.number, differing)
        parent = self._reader.header_by_hash(derived.parent.hash)
        if parent is None:
            raise CorruptStore(f"L2 block {derived.parent.number}: its header is missing")
        executed = engine.build(parent, derived.attributes)
        safe = executed.block.header.ref
        engine.insert(executed, safe=safe, cursor=cursor, derived_from=derived_from)
        return executed.block

    async def _check_canonical(self, block: BlockRef) -> None:
        if not await self._is_canonical(block):
            raise ResetError(
                f"L1 block {block.number}: expected 0x{block.hash.hex()}, from which a safe block "
                "came; L1 has another block there"
            )

    async def _is_canonical(self, block: BlockRef) -> bool:
        try:
            found = await self._l1.block_ref_by_number(block.number)
        except L1NotFound:
            return False
        return found.hash == block.hash
