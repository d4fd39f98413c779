"""Datasets, models and training runs: put on record, and changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from attribution.client.exchange import AskBlock, Included, Operation, Party, Pause, Send
from attribution.client.hub_views import read_dataset, read_dataset_count, read_model, stream_of
from attribution.client.unpaid import unpaid_datasets
from attribution.hub_calls import hub_call
from attribution.hub_events import DatasetRegistered, HubEvent, ModelRegistered, decode_hub_event
from attribution.refusals import DatasetNotSafe, NotSafeYet, UnknownDataset
from node.errors import DecodingError
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.primitives import ZERO_ADDRESS, ZERO_HASH, Hash32

_PAUSES = 600

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class RegisteredDataset:
    """A dataset's number, and the transaction that gave it."""

    id: int
    included: Included


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model's key, the stream of its receipts, and the transaction that registered it."""

    model_key: Hash32
    stream: int
    included: Included


def register_dataset(
    party: Party,
    content_hash: bytes,
    uri: str,
    payout: bytes | None = None,
    *,
    wait_until_safe: bool = False,
) -> Operation[RegisteredDataset]:
    """Register a dataset of the account, which is also paid for it unless `payout` is.

    `content_hash` is a commitment of 32 bytes to its content, `uri` where it is described. A reorg
    of L2 could give the number to somebody else's dataset: with `wait_until_safe` this returns once
    L1 has the block's data, and raises DatasetNotSafe if the number is not ours then. BadPayout.
    """
    paid = party.address if payout is None else payout
    yield from read_dataset_count()  # where there is no Hub, nothing would be registered
    data = hub_call("registerDataset", content_hash, uri, paid)
    included: Included = yield send_to_hub("registering a dataset", data)
    dataset = event_of(included, DatasetRegistered).id
    if wait_until_safe:
        yield from until_safe(party, included.block)
        yield from _check_safe(party, dataset, content_hash)
    return RegisteredDataset(dataset, included)


def register_model(
    party: Party,
    model_hash: bytes,
    uri: str,
    *,
    price_gwei: int,
    owner_bps: int,
    salt: bytes = ZERO_HASH,
    logger: bytes | None = None,
    payout: bytes | None = None,
    declared_datasets: Sequence[int] = (),
) -> Operation[RegisteredModel]:
    """Register a model of the account: its share and its declared datasets are for ever.

    `model_hash` is a commitment of 32 bytes to the model, `price_gwei` what an answer should cost
    (information only), `owner_bps` the owner's share in basis points, `logger` the address that
    writes its receipts (none yet if None), `payout` who gets the owner's share (the account by
    default). What no dataset is credited with goes to the declared datasets, at most 16 (to the
    owner if there are none). ModelExists, BadShare, BadPayout, UnknownDataset, DatasetNotSafe,
    TooManyDatasets, DatasetsNotAscending, LoggerNotFresh, LoggerAlreadyAppointed.
    """
    yield from read_dataset_count()
    yield from check_datasets(declared_datasets)
    data = hub_call(
        "registerModel",
        model_hash,
        uri,
        salt,
        logger or ZERO_ADDRESS,
        price_gwei,
        owner_bps,
        party.address if payout is None else payout,
        tuple(declared_datasets),
    )
    included: Included = yield send_to_hub("registering a model", data)
    key = event_of(included, ModelRegistered).model_key
    return RegisteredModel(key, stream_of(key), included)


def record_training(
    party: Party, model_key: bytes, dataset: int, run_hash: bytes
) -> Operation[Included]:
    """Say that a model of the account was trained on a dataset; the block gives the time.

    `run_hash` is a commitment of 32 bytes to the run. UnknownModel, NotOwner, UnknownDataset,
    DatasetNotSafe.
    """
    yield from check_datasets([dataset])
    data = hub_call("recordTraining", model_key, dataset, run_hash)
    included: Included = yield send_to_hub("recording a training run", data)
    return included


def set_price(party: Party, model_key: bytes, price_gwei: int) -> Operation[Included]:
    """Change what an answer of a model of the account should cost. UnknownModel, NotOwner."""
    data = hub_call("setPrice", model_key, price_gwei)
    included: Included = yield send_to_hub("changing a model's price", data)
    return included


def set_model_payout(party: Party, model_key: bytes, payout: bytes) -> Operation[Included]:
    """Change who gets the owner's share from now on. UnknownModel, NotOwner, BadPayout."""
    data = hub_call("setModelPayout", model_key, payout)
    included: Included = yield send_to_hub("changing a model's payout", data)
    return included


def set_dataset_payout(party: Party, dataset: int, payout: bytes) -> Operation[Included]:
    """Change who is paid for a dataset from now on. UnknownDataset, NotOwner, BadPayout."""
    data = hub_call("setDatasetPayout", dataset, payout)
    included: Included = yield send_to_hub("changing a dataset's payout", data)
    return included


def appoint_logger(party: Party, model_key: bytes, logger: bytes | None) -> Operation[Included]:
    """Appoint who writes a model's receipts from now on (nobody if None).

    What the present logger has written so far stays payable, and nothing that it writes later.
    UnknownModel, NotOwner, NoLogger, LoggerAlreadyAppointed, LoggerNotFresh.
    """
    model = yield from read_model(model_key)
    datasets: tuple[int, ...] = ()
    if model.logger is not None:
        datasets = yield from unpaid_datasets(Hash32(model_key), model.logger)
    data = hub_call("appointLogger", model_key, logger or ZERO_ADDRESS, datasets)
    included: Included = yield send_to_hub("appointing a logger", data)
    return included


def abandon_logger(party: Party, model_key: bytes) -> Operation[Included]:
    """End the present logger's work and give up what is unpaid of it.

    UnknownModel, NotOwner, NoLogger.
    """
    data = hub_call("abandonLogger", model_key)
    included: Included = yield send_to_hub("abandoning a logger", data)
    return included


def check_datasets(datasets: Sequence[int]) -> Operation[None]:
    """Raise UnknownDataset for a number that does not exist, DatasetNotSafe for one that might
    become another dataset's."""
    for dataset in datasets:
        try:
            yield from read_dataset(dataset, at="safe")
        except UnknownDataset:
            yield from read_dataset(dataset)
            raise DatasetNotSafe(dataset=dataset) from None


def until_safe(party: Party, block: int) -> Operation[None]:
    """Return once a block is safe; NotSafeYet if that takes too long (600 pauses)."""
    for _ in range(_PAUSES):
        if (yield AskBlock("safe")).number >= block:
            return
        yield Pause()
    raise NotSafeYet(block=block)


def send_to_hub(what: str, data: bytes, value: int = 0) -> Send:
    """Return the request of a transaction to the Hub; `value` is in wei."""
    return Send(what, ATTRIBUTION_HUB_ADDRESS, data, value)


def hub_events(included: Included) -> tuple[HubEvent, ...]:
    """Return what the Hub says about a transaction, in order."""
    logs = [log for log in included.logs if log.address == ATTRIBUTION_HUB_ADDRESS]
    return tuple(map(decode_hub_event, logs))


def event_of(included: Included, kind: type[E]) -> E:
    """Return the first event of a kind; DecodingError if the node shows none."""
    for event in hub_events(included):
        if isinstance(event, kind):
            return event
    raise DecodingError(
        f"transaction 0x{included.transaction.hex()}: expected the event {kind.__name__}"
    )


def _check_safe(party: Party, dataset: int, content_hash: bytes) -> Operation[None]:
    try:
        found = yield from read_dataset(dataset, at="safe")
    except UnknownDataset:
        raise DatasetNotSafe("a reorg took it back", dataset=dataset) from None
    if (found.owner, found.content_hash) != (party.address, content_hash):
        raise DatasetNotSafe("after a reorg it is another one", dataset=dataset)
