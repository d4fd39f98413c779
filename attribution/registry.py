"""Models and datasets as the AttributionHub's events tell them, in the chain's order."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from attribution.hub_events import (
    DatasetPayoutChanged,
    DatasetRegistered,
    HubEvent,
    LoggerAbandoned,
    LoggerAppointed,
    LoggerRetired,
    ModelPayoutChanged,
    ModelRegistered,
    ModelTerms,
    PriceChanged,
)
from node.attribution_entries import Place
from node.errors import CriticalError
from node.types.primitives import Address, Hash32


@dataclass(frozen=True, slots=True)
class HubFact:
    """An event of the Hub and its place; `timestamp` is the block's, in seconds.

    `is_deposit`: a deposit from L1 caused it, not a transaction of L2.
    """

    place: Place
    timestamp: int
    is_deposit: bool
    event: HubEvent


@dataclass(frozen=True, slots=True)
class Appointment:
    """From when until when a logger wrote a model's receipts; None: to this day.

    `is_abandoned`: what it had written and was not paid is given up.
    """

    logger: Address
    since: Place
    until: Place | None = None
    is_abandoned: bool = False

    def covers(self, place: Place) -> bool:
        """Whether receipts that were written there are the model's."""
        return self.since < place and (self.until is None or place < self.until)


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model; prices are in gwei. `payouts` are all accounts that it ever paid."""

    key: Hash32
    stream: int
    owner: Address
    model_hash: Hash32
    salt: Hash32
    uri: str
    price_gwei: int
    owner_bps: int
    payouts: tuple[Address, ...]
    declared_datasets: tuple[int, ...]
    appointments: tuple[Appointment, ...]
    registered: Place
    registered_at: int

    @property
    def payout(self) -> Address:
        """Who is paid the owner's share."""
        return self.payouts[-1]

    @property
    def insiders(self) -> frozenset[Address]:
        """Whose payments to the model are payments to oneself: owner, payouts and loggers."""
        loggers = (appointment.logger for appointment in self.appointments)
        return frozenset({self.owner, *self.payouts, *loggers})


@dataclass(frozen=True, slots=True)
class Dataset:
    """A registered dataset. `payouts` are all accounts that were ever paid for it."""

    id: int
    owner: Address
    payouts: tuple[Address, ...]
    content_hash: Hash32
    uri: str
    registered: Place
    registered_at: int

    @property
    def payout(self) -> Address:
        """Who is paid for it."""
        return self.payouts[-1]

    @property
    def insiders(self) -> frozenset[Address]:
        """Whose payments for it are payments to oneself: owner and payouts."""
        return frozenset({self.owner, *self.payouts})


def read_model(facts: Iterable[HubFact]) -> Model | None:
    """Put together a model from its events; None if there are none.

    Events that do not begin with the two of a registration are no work of the Hub: CriticalError.
    """
    start: HubFact | None = None
    model: Model | None = None
    for fact in facts:
        if isinstance(fact.event, ModelRegistered):
            start = fact
        elif isinstance(fact.event, ModelTerms) and start is not None:
            model = _registered(start, fact.event)
        elif model is not None:
            model = _changed(model, fact)
        else:
            raise CriticalError(f"model: expected its registration first, got {fact.event}")
    return model


def read_dataset(facts: Iterable[HubFact]) -> Dataset | None:
    """Put together a dataset from its events; None if there are none."""
    dataset: Dataset | None = None
    for fact in facts:
        event = fact.event
        if isinstance(event, DatasetRegistered):
            dataset = Dataset(
                id=event.id,
                owner=event.owner,
                payouts=(event.payout,),
                content_hash=event.content_hash,
                uri=event.uri,
                registered=fact.place,
                registered_at=fact.timestamp,
            )
        elif isinstance(event, DatasetPayoutChanged) and dataset is not None:
            dataset = replace(dataset, payouts=_added(dataset.payouts, event.payout))
        else:
            raise CriticalError(f"dataset: expected its registration first, got {event}")
    return dataset


def _registered(start: HubFact, terms: ModelTerms) -> Model:
    event = start.event
    assert isinstance(event, ModelRegistered), "the caller has looked"
    return Model(
        key=event.model_key,
        stream=terms.stream,
        owner=event.owner,
        model_hash=event.model_hash,
        salt=event.salt,
        uri=event.uri,
        price_gwei=terms.price_gwei,
        owner_bps=terms.owner_bps,
        payouts=(terms.payout,),
        declared_datasets=terms.declared_datasets,
        appointments=(),
        registered=start.place,
        registered_at=start.timestamp,
    )


def _changed(model: Model, fact: HubFact) -> Model:
    match fact.event:
        case PriceChanged(price_gwei=price):
            return replace(model, price_gwei=price)
        case ModelPayoutChanged(payout=payout):
            return replace(model, payouts=_added(model.payouts, payout))
        case LoggerAppointed(logger=logger):
            added = Appointment(logger, fact.place)
            return replace(model, appointments=(*model.appointments, added))
        case LoggerRetired() | LoggerAbandoned():
            ended = replace(
                model.appointments[-1],
                until=fact.place,
                is_abandoned=isinstance(fact.event, LoggerAbandoned),
            )
            return replace(model, appointments=(*model.appointments[:-1], ended))
        case event:
            raise CriticalError(f"model: {event} does not change one")


def _added(payouts: tuple[Address, ...], payout: Address) -> tuple[Address, ...]:
    """Put a payout last, each account once."""
    return (*(known for known in payouts if known != payout), payout)
