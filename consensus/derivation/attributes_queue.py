"""Last stage: turns batches into payload attributes."""

import logging
from dataclasses import replace

from consensus.attributes import AttributesBuilder
from consensus.block_refs import L1BlockRef, L2BlockRef
from consensus.codec.batch import SingularBatch
from consensus.config import RollupConfig
from consensus.derivation.batch_validator import BatchValidator
from consensus.derivation.derived_attributes import DerivedAttributes
from consensus.derivation.l1_traversal import PipelineStart
from consensus.derivation.outcomes import Drained
from consensus.l2_source import L2Source
from node.errors import CriticalError, DecodingError, ResetError
from node.types.transaction import decode_signed_transaction

_log = logging.getLogger(__name__)


class AttributesQueue:
    """Yields the attributes of one L2 block after the other."""

    def __init__(
        self,
        config: RollupConfig,
        attributes: AttributesBuilder,
        l2: L2Source,
        previous: BatchValidator,
    ) -> None:
        self._config = config
        self._attributes = attributes
        self._l2 = l2
        self._previous = previous
        self._batch: SingularBatch | None = None
        self._current: DerivedAttributes | None = None

    @property
    def current_l1(self) -> L1BlockRef:
        """The L1 block that derivation is at."""
        return self._previous.current_l1

    async def next_attributes(self, parent: L2BlockRef) -> DerivedAttributes | Drained:
        """Return the attributes of the child of `parent`.

        A batch with bytes that are no transaction can only make an invalid block: it gets what an
        invalid block gets, the deposits alone and the rest of the channel dropped.
        """
        if self._batch is None:
            batch = await self._previous.next_batch(parent)
            if isinstance(batch, Drained):
                return batch
            # Kept until its attributes exist: a temporary failure must not lose the batch.
            self._batch = batch
        derived = await self._derive(self._batch, parent)
        self._batch = None
        self._current = derived
        return derived

    def invalidate(self) -> DerivedAttributes:
        """Drop the channel of the last attributes, whose block was invalid; return the fallback.

        CriticalError if the block had nothing but deposits: L1 forces them, there is no fallback.
        """
        if self._current is None or self._batch is not None:
            raise CriticalError("derivation: expected attributes to be invalidated, there are none")
        parent = self._current.parent
        if self._current.is_deposits_only:
            raise CriticalError(
                f"L2 block {parent.number + 1}: the block of L1's deposits alone is invalid"
            )
        _log.warning("L2 block %d is invalid: building its deposits only", parent.number + 1)
        self._previous.flush()
        self._current = self._current.deposits_only()
        return self._current

    def reset(self, start: PipelineStart) -> None:
        """Forget the batch in the making and the last attributes."""
        self._batch = None
        self._current = None
        self._previous.reset(start)

    async def _derive(self, batch: SingularBatch, parent: L2BlockRef) -> DerivedAttributes:
        expected = parent.timestamp + self._config.block_time
        if batch.parent_hash != parent.hash or batch.timestamp != expected:
            raise ResetError(
                f"batch for L2 block {parent.number + 1}: expected parent 0x{parent.hash.hex()} "
                f"and timestamp {expected}, got 0x{batch.parent_hash.hex()} and {batch.timestamp}"
            )
        attributes = await self._attributes.build(
            parent, await self._l2.system_config(parent.hash), batch.epoch, batch.timestamp
        )
        derived = DerivedAttributes(attributes, parent, batch.epoch, self.current_l1)
        try:
            transactions = [decode_signed_transaction(raw) for raw in batch.transactions]
        except DecodingError as error:
            _log.warning("L2 block %d: building deposits only: %s", parent.number + 1, error)
            self._previous.flush()
            return derived
        attributes = replace(attributes, transactions=(*attributes.transactions, *transactions))
        return replace(derived, attributes=attributes)
