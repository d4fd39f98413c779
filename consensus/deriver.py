"""The safe chain of a node: what derivation yields becomes blocks, heads and finality."""

import logging
from functools import partial

from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.config import RollupConfig
from consensus.consolidation import difference
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.derivation.outcomes import NeedsL1
from consensus.derivation.pipeline import Pipeline
from consensus.engine_gate import EngineGate
from consensus.finality import FinalityTracker
from consensus.l1.chain_config import L1ChainConfig
from consensus.l1.source import BlobSource, L1Source
from consensus.l2_chain import L2Chain
from consensus.resumption import Resumer
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
        self._resumer = Resumer(config, l1, l2, reader)
        self._parent: L2BlockRef | None = None
        self._pipeline: Pipeline | None = None

    @property
    def current_l1(self) -> L1BlockRef | None:
        """How far L1 has been read, None before the first reset."""
        return None if self._pipeline is None else self._pipeline.current_l1

    async def reset(self) -> None:
        """Set the heads to what L1 still supports, and start reading L1 from there.

        The safe head stands as long as the L1 block does that it came from.
        """
        start = await self._resumer.resume()
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
        self._parent = start.parent
        self._finality.reset(safe, start.derived_from)
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
        """Derive the next safe block and return it, or tell that L1 has no more.

        What came out before a reset comes out again first, which is not told.
        """
        while True:
            safe = self._reader.heads().safe
            outcome = await self._next()
            if isinstance(outcome, NeedsL1) or outcome.number > safe.number:
                return outcome

    async def _next(self) -> L2BlockRef | NeedsL1:
        if self._pipeline is None:
            raise ResetError("derivation has not been started yet")
        outcome = await self._pipeline.next_attributes(await self._pipeline_parent())
        if isinstance(outcome, NeedsL1):
            return outcome
        self._parent = await self._advance(outcome)
        return self._parent

    async def _pipeline_parent(self) -> L2BlockRef:
        """Return the last block that was derived, which after a reset is not the safe head yet."""
        safe = await self._l2.safe()
        parent = self._parent
        return safe if parent is None or parent.number >= safe.number else parent

    async def _advance(self, derived: DerivedAttributes) -> L2BlockRef:
        number, before = BlockNumber(derived.parent.number + 1), self._reader.heads()
        if number <= before.finalized.number:
            # It may be pruned, and could not be replaced.
            return await self._l2.ref_by_number(number)
        assert self._pipeline is not None, "it yielded these attributes"
        try:
            block = await self._gate.run(partial(self._apply, derived))
        except InvalidBlock as error:
            _log.warning("L2 block %d cannot be built: %s", number, error)
            # CriticalError if nothing of the block came from a batch.
            derived = self._pipeline.invalidate_current()
            block = await self._replace(derived)
        if self._reader.heads().safe == block.header.ref:
            if number <= before.safe.number:
                self._finality.reset(derived.parent.ref, None)
            self._finality.record(block.header.ref, derived.derived_from.ref)
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
        held = self._reader.block_by_number(BlockNumber(derived.parent.number + 1))
        if held is not None:
            differing = difference(held, derived.parent.hash, derived.attributes)
            if differing is None and held.number <= engine.heads.safe.number:
                return held
            if differing is None:
                engine.set_heads(safe=held.header.ref, derived_from=derived_from)
                return held
            _log.warning("L1 replaces unsafe block %d: its %s differs", held.number, differing)
        parent = self._reader.header_by_hash(derived.parent.hash)
        if parent is None:
            raise CorruptStore(f"L2 block {derived.parent.number}: its header is missing")
        executed = engine.build(parent, derived.attributes)
        safe = executed.block.header.ref
        engine.insert(executed, safe=safe, derived_from=derived_from)
        return executed.block

    async def _check_canonical(self, block: BlockRef) -> None:
        if not await self._resumer.is_canonical(block):
            raise ResetError(
                f"L1 block {block.number}: expected 0x{block.hash.hex()}, from which a safe block "
                "came; L1 has another block there"
            )
