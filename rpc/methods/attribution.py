"""The attribution namespace: receipts, and the registry of models and datasets.

Answers come from the node's index. Lists are bounded: they say where they go on, and take that as
`after`, or as the next number. Proofs and statistics are in modules of their own.
"""

from attribution.chain_facts import ChainFacts
from attribution.hub_events import TrainingRecorded
from attribution.receipt_pages import BatchPage, read_receipts
from attribution.records import stream_slot, unpack_stream
from attribution.registry import HubFact
from node.attribution_entries import Place
from node.reader import Reader
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, Hash32
from rpc.dispatcher import Method
from rpc.encoding.attribution import (
    show_batch,
    show_cursor,
    show_dataset,
    show_head,
    show_model,
    show_record,
    show_training,
)
from rpc.encoding.hexadecimal import Json, JsonObject, quantity
from rpc.errors import not_found
from rpc.paging import MAX_ENTRIES, cursor, dataset_id, entry_limit, receipt_limit
from rpc.params import address, hash32, optional, required, uint64
from rpc.slow_reads import SlowReads


class AttributionMethods:
    """What was written and registered, as of the newest block."""

    def __init__(self, reader: Reader, slow_reads: SlowReads) -> None:
        self._reader = reader
        self._slow_reads = slow_reads

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        stream = (required(address), required(uint64))
        receipts = (optional(uint64, 0), optional(receipt_limit, MAX_ENTRIES))
        entries = optional(entry_limit, MAX_ENTRIES)
        return (
            Method("attribution_getHead", self._get_head, stream),
            Method("attribution_getReceipts", self._get_receipts, (*stream, *receipts)),
            Method("attribution_listModels", self._list_models, (optional(cursor), entries)),
            Method("attribution_getModel", self._get_model, (required(hash32),)),
            Method(
                "attribution_listDatasets", self._list_datasets, (optional(dataset_id), entries)
            ),
            Method("attribution_getDataset", self._get_dataset, (required(dataset_id),)),
        )

    async def _get_head(self, logger: Address, stream: int) -> Json:
        slot = stream_slot(logger, stream)
        head = self._reader.head_header()
        return show_head(unpack_stream(self._reader.storage(ATTRIBUTION_ADDRESS, slot, head)))

    async def _get_receipts(self, logger: Address, stream: int, from_seq: int, limit: int) -> Json:
        page = await self._slow_reads.run(
            read_receipts, self._reader, logger, stream, from_seq, limit
        )
        return {
            "batches": [_show_page(entry) for entry in page.batches],
            "nextSeq": None if page.next_seq is None else quantity(page.next_seq),
        }

    async def _list_models(self, after: Place | None, limit: int) -> Json:
        return await self._slow_reads.run(self._models, after, limit)

    def _models(self, after: Place | None, limit: int) -> Json:
        with self._reader.snapshot() as snapshot:
            facts = ChainFacts(snapshot)
            keys = facts.model_keys(after, limit + 1)
            found = (facts.model(key) for key in keys[:limit])
            models = [model for model in found if model is not None]
        more = len(keys) > limit
        return {
            "models": [show_model(model) for model in models],
            "next": show_cursor(models[-1].registered) if more else None,
        }

    async def _get_model(self, key: Hash32) -> Json:
        return await self._slow_reads.run(self._model, key)

    def _model(self, key: Hash32) -> Json:
        with self._reader.snapshot() as snapshot:
            facts = ChainFacts(snapshot)
            model = facts.model(key)
            if model is None:
                raise unknown_model(key)
            trainings = facts.trainings(key, MAX_ENTRIES)
        return {**show_model(model), "trainings": [_show_training(fact) for fact in trainings]}

    async def _list_datasets(self, after: int | None, limit: int) -> Json:
        return await self._slow_reads.run(self._datasets, after or 0, limit)

    def _datasets(self, after: int, limit: int) -> Json:
        with self._reader.snapshot() as snapshot:
            facts = ChainFacts(snapshot)
            count = facts.dataset_count()
            last = min(after + limit, count)
            found = (facts.dataset(number) for number in range(after + 1, last + 1))
            datasets = [dataset for dataset in found if dataset is not None]
        return {
            "datasets": [show_dataset(dataset) for dataset in datasets],
            "next": quantity(last) if after < last < count else None,
        }

    async def _get_dataset(self, number: int) -> Json:
        return await self._slow_reads.run(self._dataset, number)

    def _dataset(self, number: int) -> Json:
        with self._reader.snapshot() as snapshot:
            facts = ChainFacts(snapshot)
            dataset = facts.dataset(number)
            if dataset is None:
                raise unknown_dataset(number, facts)
        return show_dataset(dataset)


def unknown_model(key: Hash32) -> Exception:
    """Return the error for a model that is not registered."""
    return not_found(f"UnknownModel: there is no model 0x{key.hex()}")


def unknown_dataset(number: int, facts: ChainFacts) -> Exception:
    """Return the error for a dataset that is not registered."""
    count = facts.dataset_count()
    return not_found(
        f"UnknownDataset: there is no dataset {number}, there are {count}, with ids from 1 on"
    )


def _show_page(page: BatchPage) -> JsonObject:
    shown = None
    if page.records is not None:
        shown = [show_record(page.first_seq + at, record) for at, record in enumerate(page.records)]
    return show_batch(page.batch, page.transaction_hash, shown)


def _show_training(fact: HubFact) -> JsonObject:
    event = fact.event
    assert isinstance(event, TrainingRecorded), "it was asked for by this name"
    return show_training(fact, event.dataset, event.run_hash)
