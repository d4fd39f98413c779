"""What consensus reads from L1, whoever serves it."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from consensus.block_refs import L1BlockRef
from node.errors import ResetError, TemporaryError
from node.types.block import Block, Header
from node.types.primitives import Hash32
from node.types.receipt import Receipt

Label: TypeAlias = Literal["latest", "safe", "finalized"]


class L1NotFound(TemporaryError):
    """L1 has no block of this number (or label) yet."""


class L1BlockGone(ResetError):
    """L1 does not know a block hash that it once gave us: it was reorged away."""


class OriginSource(Protocol):
    """What payload attributes need of an L1 block; checked as L1Source says."""

    async def header(self, block_hash: Hash32) -> Header:
        """Return a header; L1BlockGone if the hash is unknown."""
        ...

    async def receipts(self, block_hash: Hash32) -> tuple[Receipt, ...]:
        """Return a block's receipts in transaction order; L1BlockGone if the hash is unknown."""
        ...


class BlobSource(Protocol):
    """What carries the data of L1's blob transactions."""

    async def blobs(self, block: L1BlockRef, names: Sequence[Hash32]) -> tuple[bytes, ...]:
        """Return blobs of an L1 block by their versioned hashes, in the order that these have.

        Each is checked against its hash. Failures to answer are TemporaryError.
        """
        ...


class L1Source(OriginSource, Protocol):
    """Read access to an L1 chain.

    Answers are checked before they are returned: a header hashes to the hash asked for, and
    transactions and receipts hash to the roots in that header. Failures to answer are
    TemporaryError.
    """

    async def chain_id(self) -> int:
        """Return the chain id that L1 reports."""
        ...

    async def block_ref_by_number(self, number: int) -> L1BlockRef:
        """Return the canonical block of this number; L1NotFound beyond the head."""
        ...

    async def block_ref_by_label(self, label: Label) -> L1BlockRef:
        """Return the head, or the newest safe or finalized block; L1NotFound if there is none."""
        ...

    async def block(self, block_hash: Hash32) -> Block:
        """Return a header with its transactions; L1BlockGone if the hash is unknown."""
        ...
