"""The month of a model that is asked fifty times for a cent: what everybody pays and has left."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from attribution.economics import MAX_QUERIES, Data, Outcome, Plan, Rates, estimate
from attribution.prices import Prices
from node.execution.l1_fees import L1FeeParameters

PLAN = Plan(
    price_usd=Fraction(1, 100),
    queries_per_month=50,
    payers=10,
    payees=4,
    settlements_per_month=1,
)
RATES = Rates(open_usd=Fraction(1), eth_usd=Fraction(3_000))
_GWEI = 10**9
_MOST_QUERIES = 10**6


@dataclass(frozen=True, slots=True)
class Weather:
    """Prices in wei: of L2's gas in OPEN, of L1's gas and blob gas in ETH."""

    name: str
    gas: int
    l1_gas: int
    blob_gas: int

    @property
    def prices(self) -> Prices:
        """The same as the economics take it."""
        return Prices(self.gas, 0, L1FeeParameters(self.l1_gas, self.blob_gas, 0, 0), False)


WEATHERS = (
    Weather("quiet", _GWEI // 1_000, _GWEI // 5, 1),
    Weather("usual", _GWEI // 20, _GWEI, _GWEI // 1_000),
    Weather("dear", _GWEI, 20 * _GWEI, _GWEI),
)


@dataclass(frozen=True, slots=True)
class Month:
    """A month in one weather. `first_month_queries` would cover the start, too."""

    weather: Weather
    outcome: Outcome
    first_month_queries: int | None

    @property
    def data_usd(self) -> Fraction:
        """What the month's data costs on L1."""
        return sum((cost.data_usd for cost in self.outcome.costs), Fraction(0))

    @property
    def gas_usd(self) -> Fraction:
        """What the month's gas costs."""
        return sum((cost.gas_usd for cost in self.outcome.costs), Fraction(0))

    @property
    def months_to_cover_setup(self) -> int | None:
        """How many months like this pay for the start; None if none leaves anything."""
        left = self.outcome.together_usd
        return ceil(self.outcome.setup_usd / left) if left > 0 else None


def months() -> Iterator[Month]:
    """Yield each weather, with L1's data in blobs and in calldata."""
    for weather in WEATHERS:
        for data in (Data.BLOBS, Data.CALLDATA):
            outcome = estimate(PLAN, weather.prices, RATES, data)
            yield Month(weather, outcome, _first_month(weather, data))


def _first_month(weather: Weather, data: Data) -> int | None:
    def covers(queries: int) -> bool:
        plan = replace(PLAN, queries_per_month=queries)
        outcome = estimate(plan, weather.prices, RATES, data)
        return outcome.together_usd >= outcome.setup_usd

    most = min(MAX_QUERIES, _MOST_QUERIES)
    if not covers(most):
        return None
    below, enough = 0, most
    while enough - below > 1:
        middle = (below + enough) // 2
        if covers(middle):
            enough = middle
        else:
            below = middle
    return enough
