"""Receipts on their way to the chain: each is logged once, whatever happens in between.

A batch keeps its records from its first try on. The precompile takes it only at the place that it
was written for, and its event has the Merkle root of exactly these records at exactly that place.
So a batch whose fate is unknown (a timeout, a crash, a reorg) is looked up before it is sent again.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from attribution.calldata import decode_appended, encode_append
from attribution.client.exchange import AskBlock, Included, Operation, Party, Send
from attribution.client.hub_views import read_head, read_model, stream_of
from attribution.client.registration import check_datasets
from attribution.client.unpaid import appended_logs, batches_before, root_of
from attribution.records import Record, decode_records, encode_records
from attribution.refusals import AlreadyLogged, BadSequence, BatchTooLarge, WrongLogger
from node.errors import InvalidInput
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, Hash32

MAX_CALL_DATA = 128 * 1024
"""Bytes of call data that a transaction to the precompile may have."""

_OVERHEAD = 4 + 4 * 32
_LOST_RACES = 8


@dataclass(slots=True)
class Batch:
    """Records of one transaction, and the places of the stream for which it has been written.

    No event of it is in a block before `since`. `included` is where it is as far as known; until
    that block is safe, a reorg can take it back.
    """

    records: tuple[Record, ...]
    since: int
    places: set[int] = field(default_factory=set)
    included: int | None = None


class ReceiptLog:
    """Receipts of one model that wait for the chain, and those that are there but not yet safe.

    Give each record to one log only, and each stream one log only. `limit` bounds a transaction's
    call data in bytes. `to_json` is what a gateway writes to its disk before and after each
    `flush`, to go on after a crash with `from_json`.

    >>> log = ReceiptLog(bytes([1]) * 32, Address(bytes([2]) * 20))
    >>> log.add(Record(1_000, (), Hash32(bytes(32))))
    >>> log.waiting
    1
    """

    def __init__(self, model_key: bytes, logger: Address, limit: int = MAX_CALL_DATA) -> None:
        self.model_key = Hash32(model_key)
        self.logger = logger
        self.stream = stream_of(model_key)
        self._limit = limit
        self._records: deque[Record] = deque()
        self._batches: list[Batch] = []

    def add(self, record: Record) -> None:
        """Let a receipt be logged with the next batch."""
        if call_size([record]) > self._limit:
            raise BatchTooLarge(size=call_size([record]), limit=self._limit)
        self._records.append(record)

    def remove(self, record: Record) -> None:
        """Forget a receipt that was not sent yet, as one for a dataset that does not exist.

        InvalidInput if there is no such receipt, or it may be on its way.
        """
        queues = [self._records, *(batch.records for batch in self._batches if not batch.places)]
        if not any(record in queue for queue in queues):
            raise InvalidInput("receipt log: there is no such record that was not sent")
        unsent = [batch for batch in self._batches if not batch.places]
        self._batches = [batch for batch in self._batches if batch.places]
        left = [entry for batch in unsent for entry in batch.records] + list(self._records)
        left.remove(record)
        self._records = deque(left)

    @property
    def waiting(self) -> int:
        """How many receipts are not known to be in a block."""
        open_batches = (batch for batch in self._batches if batch.included is None)
        return len(self._records) + sum(len(batch.records) for batch in open_batches)

    @property
    def unsafe(self) -> int:
        """How many receipts are in a block that a reorg can still take back."""
        return sum(len(batch.records) for batch in self._batches if batch.included is not None)

    def next_batch(self, since: int) -> Batch | None:
        """Return the oldest batch that is in no block, perhaps a new one; None if all are."""
        for batch in self._batches:
            if batch.included is None:
                return batch
        records = self._take()
        if not records:
            return None
        self._batches.append(Batch(records, since))
        return self._batches[-1]

    def note_events(self, events: Iterable[tuple[int, Hash32, int]], safe: int) -> None:
        """Compare with the chain: events are (first number, root, block), the safe block's number.

        A batch without an event is in no block; one in a safe block is done with.
        """
        found = {(place, root): block for place, root, block in events}
        kept = []
        for batch in self._batches:
            batch.included = self._block_of(batch, found)
            if batch.included is None or batch.included > safe:
                kept.append(batch)
        self._batches = kept

    @property
    def since(self) -> int | None:
        """The first block in which a batch could be; None if there is no batch to look for."""
        return min((batch.since for batch in self._batches), default=None)

    def to_json(self) -> dict[str, Any]:
        """Return all that has to survive a crash."""
        return {
            "modelKey": "0x" + self.model_key.hex(),
            "logger": "0x" + self.logger.hex(),
            "limit": self._limit,
            "records": "0x" + encode_records(self._records).hex(),
            "batches": [
                {
                    "records": "0x" + encode_records(batch.records).hex(),
                    "since": batch.since,
                    "places": sorted(batch.places),
                }
                for batch in self._batches
            ],
        }

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Go on where `to_json` was; InvalidInput if this is none of it."""
        try:
            key, logger, limit = (content[name] for name in ("modelKey", "logger", "limit"))
            log = cls(bytes.fromhex(key[2:]), Address(bytes.fromhex(logger[2:])), int(limit))
            if content["records"] != "0x":
                log._records.extend(decode_records(bytes.fromhex(content["records"][2:])))
            for entry in content["batches"]:
                records = decode_records(bytes.fromhex(entry["records"][2:]))
                log._batches.append(Batch(records, int(entry["since"]), set(entry["places"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"receipt log: expected what to_json gave: {error!r}") from error
        return log

    def _take(self) -> tuple[Record, ...]:
        taken: list[Record] = []
        size = _OVERHEAD
        while self._records:
            size += len(self._records[0].encode())
            if taken and size + 31 > self._limit:
                break
            taken.append(self._records.popleft())
        return tuple(taken)

    def _block_of(self, batch: Batch, found: dict[tuple[int, Hash32], int]) -> int | None:
        for place in batch.places:
            root = root_of(self.logger, self.stream, place, batch.records)
            if (place, root) in found:
                return found[place, root]
        return None


def flush(party: Party, log: ReceiptLog) -> Operation[tuple[Included, ...]]:
    """Log all receipts that wait, in as many transactions as that takes; return these.

    Can be called again after any error, and after reorgs: nothing is logged twice or left out.
    WrongLogger, UnknownModel, UnknownDataset, DatasetNotSafe, and BadSequence if somebody else
    keeps writing into the stream.
    """
    if party.address != log.logger:
        raise WrongLogger(logger=party.address, appointed=log.logger)
    done: list[Included] = []
    lost = 0
    yield from recheck(log)
    final = (yield AskBlock("finalized")).number
    while (batch := log.next_batch(final)) is not None:
        yield from check_batch(party, log.model_key, batch.records)
        place = (yield from read_head(log.logger, log.stream)).count
        batch.places.add(place)
        try:
            included: Included = yield send_batch(log.stream, place, batch.records)
        except BadSequence:
            lost += 1
            if lost == _LOST_RACES:
                raise
            yield from recheck(log)
            continue
        batch.included = included.block
        done.append(included)
    return tuple(done)


def recheck(log: ReceiptLog) -> Operation[None]:
    """Find out what has become of the batches that were sent, after a reorg for example."""
    if log.since is None:
        return
    safe = (yield AskBlock("safe")).number
    latest = (yield AskBlock("latest")).number
    logs = yield from appended_logs(log.logger, log.stream, log.since, latest)
    events = ((decode_appended(found.log), found.block) for found in logs)
    log.note_events(((said.from_seq, said.batch_root, block) for said, block in events), safe)


def append(
    party: Party, model_key: bytes, records: Iterable[Record], from_seq: int | None = None
) -> Operation[Included]:
    """Log records in one transaction, whose place in the stream is `from_seq` (its end if None).

    With `from_seq` a repetition is refused by the chain. BadSequence, BatchTooLarge, WrongLogger,
    UnknownModel, UnknownDataset, DatasetNotSafe.
    """
    batch = tuple(records)
    if (size := call_size(batch)) > MAX_CALL_DATA:
        raise BatchTooLarge(size=size, limit=MAX_CALL_DATA)
    yield from check_batch(party, model_key, batch)
    stream = stream_of(model_key)
    if from_seq is None:
        from_seq = (yield from read_head(party.address, stream)).count
    included: Included = yield send_batch(stream, from_seq, batch)
    return included


def check_batch(party: Party, model_key: bytes, records: Iterable[Record]) -> Operation[None]:
    """Check that receipts would be paid: who writes them, and for datasets that exist."""
    model = yield from read_model(model_key)
    if model.logger != party.address:
        raise WrongLogger(logger=party.address, appointed=model.logger or "nobody")
    datasets = {influence.dataset for record in records for influence in record.influences}
    yield from check_datasets(sorted(datasets))


def call_size(records: Iterable[Record]) -> int:
    """Return the bytes of call data that a batch makes."""
    size = sum(len(record.encode()) for record in records)
    return _OVERHEAD + (size + 31) // 32 * 32


def check_new(party: Party, model_key: bytes, records: Iterable[Record]) -> Operation[None]:
    """Raise AlreadyLogged if one of the records is in the stream's latest 10,000 blocks."""
    wanted = {record.commitment for record in records}
    latest = (yield AskBlock("latest")).number
    batches, _ = yield from batches_before(party.address, stream_of(model_key), latest)
    for batch in batches:
        for index, record in enumerate(batch.records or ()):
            if record.commitment in wanted:
                seq = batch.appended.from_seq + index
                raise AlreadyLogged(seq=seq, commitment=record.commitment)


def send_batch(stream: int, from_seq: int, records: tuple[Record, ...]) -> Send:
    """Return the request of the transaction that appends a batch."""
    what = f"logging {len(records)} receipts"
    return Send(what, ATTRIBUTION_ADDRESS, encode_append(stream, from_seq, records))
