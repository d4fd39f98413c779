"""Reading the attribution index."""

from collections.abc import Iterator

from node.attribution_entries import (
    FUNDING,
    HUB_LOG,
    Batch,
    Funding,
    HubLog,
    Place,
    argument_prefix,
    batch_key,
    decode_batch,
    decode_funding,
    decode_hub_log,
    named_prefix,
    stream_prefix,
)
from node.errors import CorruptStore
from node.storage.database import Snapshot
from node.storage.schema import Table
from node.storage.seal import unseal
from node.types.primitives import Address, Hash32

_PLACE_SIZE = 16


def batches(snapshot: Snapshot, logger: Address, stream: int, from_seq: int = 0) -> Iterator[Batch]:
    """Yield the batches of a stream in order, from the one that holds receipt `from_seq` on."""
    prefix = stream_prefix(logger, stream)
    start = batch_key(logger, stream, from_seq)
    for key, stored in snapshot.items(Table.ATTRIBUTION, start, prefix=prefix, reverse=True):
        batch = decode_batch(key, stored)
        if batch.from_seq + batch.count > from_seq:
            start = key
        break
    for key, stored in snapshot.items(Table.ATTRIBUTION, start, prefix=prefix):
        yield decode_batch(key, stored)


def streams_naming(snapshot: Snapshot, dataset: int) -> Iterator[tuple[Address, int]]:
    """Yield the streams with receipts that name a dataset, each once, by logger and stream."""
    prefix = start = named_prefix(dataset)
    while True:
        item = next(snapshot.items(Table.ATTRIBUTION, start, prefix=prefix), None)
        if item is None:
            return
        stream_key = item[0][len(prefix) : -8]
        yield Address(stream_key[:20]), int.from_bytes(stream_key[20:], "big")
        start = prefix + stream_key + b"\xff" * 9  # behind all of its sequence numbers


def hub_logs(
    snapshot: Snapshot,
    event: Hash32,
    position: int = 0,
    argument: bytes = b"",
    after: Place | None = None,
    *,
    newest_first: bool = False,
) -> Iterator[HubLog]:
    """Yield the Hub's events of a kind, its first topic, in the chain's order.

    With a `position` (1 to 3) only those with `argument` as this topic; with `after` only later
    ones, or earlier ones if the `newest_first`.
    """
    prefix = argument_prefix(event, position, argument)
    limit = b"" if after is None else prefix + after.encode()
    items = snapshot.items(Table.ATTRIBUTION, limit, prefix=prefix, reverse=newest_first)
    for key, stored in items:
        if key == limit:
            continue
        unseal(Table.ATTRIBUTION, key, stored)
        yield decode_hub_log(*_entry(snapshot, HUB_LOG + key[-_PLACE_SIZE:]))


def hub_logs_from(snapshot: Snapshot, block: int, to_block: int) -> Iterator[HubLog]:
    """Yield all of the Hub's events of a range of blocks, both ends included."""
    start = HUB_LOG + block.to_bytes(8, "big")
    for key, stored in snapshot.items(Table.ATTRIBUTION, start, prefix=HUB_LOG):
        log = decode_hub_log(key, stored)
        if log.place.block > to_block:
            return
        yield log


def fundings(snapshot: Snapshot, account: Address) -> Iterator[Funding]:
    """Yield who gave an account more than it had, or created it, in order."""
    for key, stored in snapshot.items(Table.ATTRIBUTION, prefix=FUNDING + account):
        yield decode_funding(key, stored)


def _entry(snapshot: Snapshot, key: bytes) -> tuple[bytes, bytes]:
    """Return an entry that another one points to."""
    stored = snapshot.get(Table.ATTRIBUTION, key)
    if stored is None:
        raise CorruptStore(f"{Table.ATTRIBUTION}: entry 0x{key.hex()} is missing")
    return key, stored
