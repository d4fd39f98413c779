"""What a node's index says of models, datasets, receipts and payments, decoded.

The index is the node's own and was checked when its blocks were: an event in it that cannot be read
is no bad input.
"""

from itertools import islice, takewhile

from attribution.hub_events import decode_hub_event, event_topic
from attribution.registry import Dataset, HubFact, Model, read_dataset, read_model
from attribution.settlements import Settlement, read_settlements
from attribution.use import DatasetUse, ModelUse
from node.attribution_entries import Batch, HubLog, Place
from node.attribution_index import check_indexed
from node.attribution_lookup import batches, fundings, hub_logs, streams_naming
from node.block_store import get_header
from node.chain import read_heads
from node.errors import CriticalError, DecodingError, PrunedHistory
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.storage.database import Snapshot
from node.types.block import Header
from node.types.primitives import Address, Hash32
from node.types.receipt import Log

_MODEL_EVENTS = (
    "ModelRegistered",
    "ModelTerms",
    "PriceChanged",
    "ModelPayoutChanged",
    "LoggerAppointed",
    "LoggerRetired",
    "LoggerAbandoned",
)
_SETTLEMENT_EVENTS = ("VoucherCharged", "DatasetPaid", "Settled")
_DATASET_EVENTS = ("DatasetRegistered", "DatasetPayoutChanged")


class ChainFacts:
    """Reads one snapshot of a chain's store, whose index must be there (CriticalError).

    `head` is the newest block, `first_block` the one from which on the index is whole.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.first_block = check_indexed(snapshot)
        self.head = _head(snapshot)

    def model(self, key: Hash32) -> Model | None:
        """Return a model, None if there is none with this key.

        PrunedHistory if it was registered before the index begins.
        """
        return read_model(self._life(_MODEL_EVENTS, key))

    def dataset(self, dataset_id: int) -> Dataset | None:
        """Return a dataset, None if there is none with this id; PrunedHistory as for models."""
        return read_dataset(self._life(_DATASET_EVENTS, _word(dataset_id)))

    def model_keys(self, after: Place | None, limit: int) -> list[Hash32]:
        """Return keys of models in the order of registration, those behind a place."""
        logs = hub_logs(self._snapshot, event_topic("ModelRegistered"), after=after)
        return [log.topics[1] for log in islice(logs, limit)]

    def dataset_count(self) -> int:
        """Return how many datasets there are: their ids are 1 to this."""
        event = event_topic("DatasetRegistered")
        newest = next(hub_logs(self._snapshot, event, newest_first=True), None)
        return 0 if newest is None else int.from_bytes(newest.topics[1], "big")

    def trainings(self, key: Hash32, limit: int) -> list[HubFact]:
        """Return the newest records of what a model was trained on, newest first."""
        logs = hub_logs(self._snapshot, event_topic("TrainingRecorded"), 1, key, newest_first=True)
        return [_fact(log) for log in islice(logs, limit)]

    def settlements(self, key: Hash32) -> list[Settlement]:
        """Return all settlements of a model, in order."""
        return read_settlements(self._facts(_SETTLEMENT_EVENTS, key))

    def settlements_after(self, key: Hash32, after: Place | None, limit: int) -> list[Settlement]:
        """Return a model's settlements behind the place of one of them."""
        ends = hub_logs(self._snapshot, event_topic("Settled"), 1, key, after=after)
        places = [log.place for log in islice(ends, limit)]
        if not places:
            return []
        return read_settlements(self._facts(_SETTLEMENT_EVENTS, key, after, places[-1]))

    def receipts(self, model: Model) -> dict[Address, list[Batch]]:
        """Return a model's batches by logger, in order: what loggers wrote while appointed."""
        return {
            appointment.logger: [
                batch
                for batch in batches(self._snapshot, appointment.logger, model.stream)
                if appointment.covers(batch.place)
            ]
            for appointment in model.appointments
        }

    def model_use(self, model: Model) -> ModelUse:
        """Return all that a model's statistics are made of."""
        batches = self.receipts(model)
        return ModelUse(model, batches, self.settlements(model.key), self.dataset_count())

    def dataset_use(self, dataset: Dataset) -> DatasetUse:
        """Return all that a dataset's statistics are made of."""
        models = self.models_naming(dataset.id)
        return DatasetUse(dataset, [self.model_use(model) for model in models])

    def models_naming(self, dataset_id: int) -> list[Model]:
        """Return the models with receipts that name a dataset, or that have paid for it."""
        keys = dict.fromkeys(
            log.topics[1]
            for log in hub_logs(self._snapshot, event_topic("DatasetPaid"), 2, _word(dataset_id))
        )
        for logger, stream in streams_naming(self._snapshot, dataset_id):
            appointed = hub_logs(
                self._snapshot, event_topic("LoggerAppointed"), 2, logger.rjust(32, b"\x00")
            )
            keys.update(
                (log.topics[1], None)
                for log in appointed
                if log.topics[1][:8] == stream.to_bytes(8, "big")
            )
        found = [self.model(key) for key in keys]
        return [model for model in found if model is not None]

    def funders(self, account: Address) -> list[Address]:
        """Return who gave an account most of what it has or had, as far as the index tells."""
        return [found.funder for found in fundings(self._snapshot, account)]

    def _life(self, names: tuple[str, ...], argument: bytes) -> list[HubFact]:
        """Return the events of something from its registration, the first of the kinds, on."""
        facts = self._facts(names, argument)
        if facts and self.first_block > 1 and type(facts[0].event).__name__ != names[0]:
            raise PrunedHistory(
                f"what was registered before block {self.first_block} is not known here: the "
                "attribution index was made after older blocks had been pruned"
            )
        return facts

    def _facts(
        self,
        names: tuple[str, ...],
        argument: bytes,
        after: Place | None = None,
        until: Place | None = None,
    ) -> list[HubFact]:
        """Return the events of some kinds with a first argument, in order, up to a place."""
        found: list[HubFact] = []
        for name in names:
            logs = hub_logs(self._snapshot, event_topic(name), 1, argument, after)
            found += map(_fact, takewhile(lambda log: until is None or log.place <= until, logs))
        return sorted(found, key=lambda fact: fact.place)


def _head(snapshot: Snapshot) -> Header:
    heads = read_heads(snapshot)
    header = None if heads is None else get_header(snapshot, heads.unsafe.hash)
    if header is None:
        raise CriticalError("the store has no chain: initialise it with a genesis first")
    return header


def _fact(log: HubLog) -> HubFact:
    try:
        event = decode_hub_event(Log(ATTRIBUTION_HUB_ADDRESS, log.topics, log.data))
    except DecodingError as error:
        raise CriticalError(f"index: event of block {log.place.block}: {error}") from error
    return HubFact(log.place, log.timestamp, log.is_deposit, event)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
