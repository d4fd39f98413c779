"""Finding the batch of a receipt on a node's chain."""

from attribution.records import stream_slot, unpack_stream
from node.attribution_entries import Place
from node.attribution_lookup import batches
from node.reader import Reader
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address


def find_batch(reader: Reader, logger: Address, stream: int, seq: int) -> Place | None:
    """Return where the batch of a receipt is, None if the stream does not have it (yet)."""
    with reader.snapshot() as snapshot:
        batch = next(batches(snapshot, logger, stream, seq), None)
    if batch is None or not batch.from_seq <= seq < batch.from_seq + batch.count:
        return None
    return batch.place


def receipt_count(reader: Reader, logger: Address, stream: int) -> int:
    """Return how many receipts a stream has at the unsafe head."""
    slot = stream_slot(logger, stream)
    return unpack_stream(reader.storage(ATTRIBUTION_ADDRESS, slot, reader.head_header())).count
