"""Which datasets have unpaid credit in a logger's receipts, and the receipts themselves.

Read from the chain alone: the precompile's events lead to the transactions that hold the records.
"""

from dataclasses import dataclass

from attribution.calldata import Appended, decode_append, decode_appended
from attribution.client.exchange import AskBlock, AskCallData, AskLogs, FoundLog, Operation
from attribution.client.hub_views import read_unsettled, read_unsettled_credit, stream_of
from attribution.records import Record, batch_root, leaf_hash
from attribution.refusals import DatasetsIncomplete
from node.errors import DecodingError
from node.types.attribution_call import APPENDED_TOPIC, ATTRIBUTION_ADDRESS
from node.types.primitives import Address, Hash32

# What public nodes answer at once.
_WINDOW = 10_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that were appended together; None if a contract did it, whose call hides them."""

    appended: Appended
    block: int
    records: tuple[Record, ...] | None


def unpaid_datasets(model_key: Hash32, logger: Address) -> Operation[tuple[int, ...]]:
    """Return the datasets with unpaid credit, ascending: what `settle` has to be given.

    Looks at the newest receipts first, and no further than it has to. DatasetsIncomplete if not
    all receipts can be read, as those that a contract appended.
    """
    owing = (yield from read_unsettled(model_key, logger)).credit
    covered, seen, found = 0, set[int](), []
    if owing == 0:
        return ()
    last: int | None = (yield AskBlock("latest")).number
    while last is not None:
        batches, last = yield from batches_before(logger, stream_of(model_key), last)
        for batch in batches:
            datasets = {
                influence.dataset
                for record in batch.records or ()
                for influence in record.influences
            }
            for dataset in sorted(datasets - seen):
                credit = yield from read_unsettled_credit(model_key, logger, dataset)
                covered += credit
                if credit:
                    found.append(dataset)
            seen |= datasets
            if covered >= owing:  # more, if receipts have come meanwhile
                return tuple(sorted(found))
    raise DatasetsIncomplete(
        "some receipts were appended by a contract, or a reorg has changed them",
        covered_credit=covered,
        unsettled_credit=owing,
    )


def batches_before(
    logger: Address, stream: int, last: int
) -> Operation[tuple[tuple[Batch, ...], int | None]]:
    """Return batches of the newest blocks up to `last`, newest first, and where to go on.

    That is None when there is nothing before.
    """
    first = max(0, last - _WINDOW + 1)
    logs = yield from appended_logs(logger, stream, first, last)
    batches: list[Batch] = []
    for found in reversed(logs):
        batch = yield from _read_batch(found)
        batches.append(batch)
    is_all = first == 0 or any(batch.appended.from_seq == 0 for batch in batches)
    return tuple(batches), None if is_all else first - 1


def appended_logs(
    logger: Address, stream: int, first: int, last: int
) -> Operation[tuple[FoundLog, ...]]:
    """Return the events of a stream's batches in the blocks `first` to `last`."""
    topics = (APPENDED_TOPIC, logger.rjust(32, b"\x00"), stream.to_bytes(32, "big"))
    logs: tuple[FoundLog, ...] = yield AskLogs(ATTRIBUTION_ADDRESS, topics, first, last)
    return logs


def _read_batch(found: FoundLog) -> Operation[Batch]:
    appended = decode_appended(found.log)
    data: bytes | None = yield AskCallData(found.transaction)
    records: tuple[Record, ...] | None = None
    try:
        stream, from_seq, told = decode_append(data or b"")
        if (stream, from_seq, len(told)) == (appended.stream, appended.from_seq, appended.count):
            records = told
    except DecodingError:
        pass  # a contract's call, in which the records are somewhere
    if records is not None and root_of(appended.logger, stream, from_seq, records) != (
        appended.batch_root
    ):
        raise DecodingError(
            f"transaction 0x{found.transaction.hex()}: its records are not those of its event"
        )
    return Batch(appended, found.block, records)


def root_of(logger: Address, stream: int, from_seq: int, records: tuple[Record, ...]) -> Hash32:
    """Return the Merkle root that a batch gets at this place of a stream."""
    leaves = [
        leaf_hash(logger, stream, from_seq + index, record.encode())
        for index, record in enumerate(records)
    ]
    return batch_root(leaves)
