"""Does a model pay for its attribution? Income and costs of a month, and where it breaks even.

Nothing but numbers goes in. Money is in US dollars, as exact fractions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from attribution.gas_use import (
    CLAIM,
    DEPOSIT,
    FIRST_DEPOSIT,
    MAX_RECEIPTS_AN_APPEND,
    NEW_SLOT_GAS,
    REGISTER_DATASET,
    REGISTER_MODEL,
    TransactionUse,
    append_use,
    settle_use,
)
from attribution.prices import NAMED_PRICES, NamedPrices, Prices
from node.errors import InvalidInput
from node.types.attribution_record import MAX_INFLUENCES

MAX_QUERIES = 10**9
_MAX_COUNT = 10**6
_WEI = 10**18
USUAL_ETH_USD = Fraction(3_000)
"""What an ETH is worth at the named prices, unless somebody says otherwise."""


class Payer(StrEnum):
    """Who pays for a transaction."""

    OWNER = "owner"
    DATASETS = "datasets"
    PAYERS = "payers"


class Data(StrEnum):
    """What L2's data costs: as the chain charges now, or as L1 does for one way of posting it."""

    AS_CHARGED = "asCharged"
    BLOBS = "blobs"
    CALLDATA = "calldata"


@dataclass(frozen=True, slots=True)
class Plan:
    """A month of a model. `price_usd` is that of a query.

    `payees` share the income equally: the owner, and datasets that every answer names. There is one
    append (or more, at 1,000 receipts) and one settlement with vouchers of all `payers` for each of
    `settlements_per_month`; each payer deposits, and each payee claims, once a month. InvalidInput
    names what is out of its range.
    """

    price_usd: Fraction
    queries_per_month: int
    payers: int
    payees: int
    settlements_per_month: int

    def __post_init__(self) -> None:
        if not 0 < self.price_usd <= 10**6:
            raise InvalidInput("price: expected above 0 and at most 1000000 dollars a query")
        _check("queriesPerMonth", self.queries_per_month, 1, MAX_QUERIES)
        _check("payers", self.payers, 1, _MAX_COUNT)
        _check("payees", self.payees, 1, MAX_INFLUENCES + 1)
        _check("settlementsPerMonth", self.settlements_per_month, 1, _MAX_COUNT)

    @property
    def datasets(self) -> int:
        """How many payees are datasets."""
        return self.payees - 1

    @property
    def income_usd(self) -> Fraction:
        """What payers pay in a month."""
        return self.price_usd * self.queries_per_month


@dataclass(frozen=True, slots=True)
class Item:
    """Transactions of one kind: how many, who pays for them, and their gas and bytes together."""

    name: str
    payer: Payer
    transactions: int
    gas: int
    size: int


@dataclass(frozen=True, slots=True)
class Rates:
    """What one OPEN and one ETH are worth in dollars."""

    open_usd: Fraction
    eth_usd: Fraction


@dataclass(frozen=True, slots=True)
class Cost:
    """What an item costs, in dollars: its gas, and its data on L1."""

    item: Item
    gas_usd: Fraction
    data_usd: Fraction

    @property
    def usd(self) -> Fraction:
        """Both together."""
        return self.gas_usd + self.data_usd


@dataclass(frozen=True, slots=True)
class Outcome:
    """A month under one set of prices, in dollars.

    `owner_usd` and `dataset_usd` (each) are what the shares leave after what they pay for;
    `together_usd` is the income after all costs, the payers' included. `break_even_queries` a month
    cover them, one less would not; None if 10^9 do not. `setup_usd` is paid once, before, and in no
    other number.
    """

    data: Data
    rates: Rates
    costs: tuple[Cost, ...]
    setup: tuple[Cost, ...]
    income_usd: Fraction
    owner_usd: Fraction
    dataset_usd: Fraction | None
    payers_usd: Fraction
    together_usd: Fraction
    setup_usd: Fraction
    break_even_queries: int | None

    @property
    def closes(self) -> bool:
        """Whether the income is at least what everybody pays for its attribution."""
        return self.together_usd >= 0


def estimate(plan: Plan, prices: Prices, rates: Rates, data: Data) -> Outcome:
    """Work a plan out under prices."""
    costs = _costs(monthly_items(plan), prices, rates, data)
    setup = _costs(setup_items(plan), prices, rates, data)
    paid = {payer: _total(costs, payer) for payer in Payer}
    part = plan.income_usd / plan.payees
    return Outcome(
        data=data,
        rates=rates,
        costs=costs,
        setup=setup,
        income_usd=plan.income_usd,
        owner_usd=part - paid[Payer.OWNER],
        dataset_usd=part - paid[Payer.DATASETS] / plan.datasets if plan.datasets else None,
        payers_usd=plan.income_usd + paid[Payer.PAYERS],
        together_usd=plan.income_usd - sum(paid.values()),
        setup_usd=sum((cost.usd for cost in setup), Fraction(0)),
        break_even_queries=break_even(plan, prices, rates, data),
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A month at named prices, with L2's data in blobs and in calldata."""

    named: NamedPrices
    blobs: Outcome
    calldata: Outcome


def compare(plan: Plan, rates: Rates) -> tuple[Comparison, ...]:
    """Work a plan out under each of the named prices, from the lowest to the highest."""
    return tuple(
        Comparison(
            named,
            estimate(plan, named.prices, rates, Data.BLOBS),
            estimate(plan, named.prices, rates, Data.CALLDATA),
        )
        for named in NAMED_PRICES
    )


def monthly_items(plan: Plan) -> Iterator[Item]:
    """Yield the transactions of a month, with storage that is in use."""
    yield from _appends(plan)
    settlements = plan.settlements_per_month
    yield _item("settlements", Payer.OWNER, settlements, settle_use(plan.payers, plan.datasets))
    yield _item("owner's claim", Payer.OWNER, 1, CLAIM)
    if plan.datasets:
        yield _item("datasets' claims", Payer.DATASETS, plan.datasets, CLAIM)
    yield _item("deposits", Payer.PAYERS, plan.payers, DEPOSIT)


def setup_items(plan: Plan) -> Iterator[Item]:
    """Yield what happens once: registration, and slots that are written for the first time."""
    yield _item("registration of the model", Payer.OWNER, 1, REGISTER_MODEL)
    if plan.datasets:
        use = REGISTER_DATASET
        yield _item("registration of datasets", Payer.DATASETS, plan.datasets, use)
    # The stream and what the owner has earned; of a dataset its credit, what of it was paid, and
    # what it has earned.
    slots = 2 + 3 * plan.datasets
    yield Item("first use of storage", Payer.OWNER, 0, slots * NEW_SLOT_GAS, 0)
    first = plan.payers * (FIRST_DEPOSIT.gas - DEPOSIT.gas)
    yield Item("first deposits", Payer.PAYERS, 0, first, 0)


def _appends(plan: Plan) -> Iterator[Item]:
    """Yield the appends: whole ones of the greatest size, and the rest."""
    batches = min(plan.settlements_per_month, plan.queries_per_month)
    small, larger = divmod(plan.queries_per_month, batches)
    transactions = gas = size = 0
    for receipts, times in ((small, batches - larger), (small + 1, larger)):
        full, rest = divmod(receipts, MAX_RECEIPTS_AN_APPEND)
        for count, repeats in ((MAX_RECEIPTS_AN_APPEND, full * times), (rest, times)):
            if count and repeats:
                use = append_use(count, plan.datasets, plan.datasets)
                transactions += repeats
                gas += use.gas * repeats
                size += use.size * repeats
    yield Item("appends", Payer.OWNER, transactions, gas, size)


def break_even(plan: Plan, prices: Prices, rates: Rates, data: Data) -> int | None:
    """Return the number of queries a month that cover all costs, as one less does not."""

    def closes(queries: int) -> bool:
        tried = replace(plan, queries_per_month=queries)
        costs = _costs(monthly_items(tried), prices, rates, data)
        return tried.income_usd >= sum(cost.usd for cost in costs)

    if not closes(MAX_QUERIES):
        return None
    below, enough = 0, MAX_QUERIES
    while enough - below > 1:
        middle = (below + enough) // 2
        if closes(middle):
            enough = middle
        else:
            below = middle
    return enough


def _costs(items: Iterable[Item], prices: Prices, rates: Rates, data: Data) -> tuple[Cost, ...]:
    byte_usd = {
        Data.AS_CHARGED: lambda: prices.charged_byte() * rates.open_usd,
        Data.BLOBS: lambda: prices.blob_byte() * rates.eth_usd,
        Data.CALLDATA: lambda: prices.calldata_byte() * rates.eth_usd,
    }[data]() / _WEI
    return tuple(
        Cost(
            item,
            Fraction(prices.gas_fee(item.gas, item.transactions), _WEI) * rates.open_usd,
            item.size * byte_usd,
        )
        for item in items
    )


def _total(costs: Iterable[Cost], payer: Payer) -> Fraction:
    return sum((cost.usd for cost in costs if cost.item.payer is payer), Fraction(0))


def _item(name: str, payer: Payer, times: int, use: TransactionUse) -> Item:
    return Item(name, payer, times, use.gas * times, use.size * times)


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput(f"{name}: expected {least} to {most}, got {value}")
