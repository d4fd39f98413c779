"""Receipts of a stream, read from the chain by way of the index."""

from collections.abc import Iterator
from dataclasses import dataclass

from attribution.calldata import decode_append
from attribution.records import Record
from node.attribution_entries import Batch
from node.attribution_lookup import batches
from node.errors import CriticalError
from node.indices import canonical_hash
from node.reader import Reader
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, Hash32


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Receipts of one batch, from number `first_seq` of the stream on.

    `records` is None if a contract wrote them: then no transaction's data are theirs.
    """

    batch: Batch
    transaction_hash: Hash32
    first_seq: int
    records: tuple[Record, ...] | None


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Receipts in order; `next_seq` is where to go on, None at the stream's end."""

    batches: tuple[BatchPage, ...]
    next_seq: int | None


def read_receipts(
    reader: Reader, logger: Address, stream: int, from_seq: int, limit: int
) -> ReceiptPage:
    """Read up to `limit` receipts; batches of contracts count as one, however large.

    PrunedHistory if the node no longer has their data.
    """
    found: list[tuple[Batch, Hash32]] = []
    left, next_seq = limit, None
    with reader.snapshot() as snapshot:
        for batch in batches(snapshot, logger, stream, from_seq):
            if left <= 0:
                next_seq = batch.from_seq
                break
            block_hash = canonical_hash(snapshot, batch.place.block)
            if block_hash is None:
                raise CriticalError(f"index: block {batch.place.block} is not there")
            found.append((batch, block_hash))
            start = max(from_seq, batch.from_seq)
            left -= 1 if batch.summary is None else batch.from_seq + batch.count - start
    pages = tuple(_pages(reader, found, from_seq, limit))
    # The last batch may hold more than was asked for.
    if left < 0 and pages:
        last = pages[-1]
        next_seq = last.first_seq + len(last.records or ())
    return ReceiptPage(pages, next_seq)


def _pages(
    reader: Reader, found: list[tuple[Batch, Hash32]], from_seq: int, limit: int
) -> Iterator[BatchPage]:
    left = limit
    for batch, block_hash in found:
        block = reader.block_by_hash(block_hash)
        if block is None:
            raise CriticalError(f"index: block 0x{block_hash.hex()} is not there")
        transaction = block.transactions[batch.place.transaction_index]
        first = max(from_seq, batch.from_seq)
        if batch.summary is None:
            left -= 1
            yield BatchPage(batch, transaction.hash, first, None)
            continue
        assert transaction.to == ATTRIBUTION_ADDRESS, "only such a batch has a summary"
        records = decode_append(transaction.data)[2][first - batch.from_seq :][:left]
        left -= len(records)
        yield BatchPage(batch, transaction.hash, first, records)
