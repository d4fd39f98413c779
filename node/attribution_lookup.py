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
        log_key = HUB_LOG + key[-_PLACE_SIZE:]
        raw = snapshot.get(Table.ATTRIBUTION, log_key)
        if raw is None:
            raise CorruptStore(f"{Table.ATTRIBUTION}: entry 0x{log_key.hex()} is missing")
        yield decode_hub_log(log_key, raw)


def hub_logs_from(snapshot: Snapshot, block: int, to_block: int) -> Iterator[HubLog]:
    """Yield all of the Hub's events of a range of blocks, both ends included."""
    start = HUB_LOG + block.to_bytes(8, "big")
    for key, stored in snapshot.items(Table.ATTRIBUTION, start, prefix=HUB_LOG):
        log = decode_hub_log(key, stored)
        if log.place.block > to_block:
            return
        yield log


def funding(snapshot: Snapshot, account: Address) -> Funding | None:
    """Return who gave an account its first OPEN; None if no transaction of its own did."""
    key = FUNDING + account
    stored = snapshot.get(Table.ATTRIBUTION, key)
    return None if stored is None else decode_funding(key, stored)
