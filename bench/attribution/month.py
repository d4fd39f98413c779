"""The month of a model that is asked fifty times for a cent: what everybody pays and has left."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from attribution.economics import MAX_QUERIES, USUAL_ETH_USD, Data, Outcome, Plan, Rates, estimate
from attribution.prices import NAMED_PRICES, NamedPrices

PLAN = Plan(
    price_usd=Fraction(1, 100),
    queries_per_month=50,
    payers=10,
    payees=4,
    settlements_per_month=1,
)
RATES = Rates(open_usd=Fraction(1), eth_usd=USUAL_ETH_USD)
_MOST_QUERIES = 10**6


@dataclass(frozen=True, slots=True)
class Month:
    """A month at named prices. `first_month_queries` would cover the start, too."""

    named: NamedPrices
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
    """Yield a month at each of the prices, with L1's data in blobs and in calldata."""
    for named in NAMED_PRICES:
        for data in (Data.BLOBS, Data.CALLDATA):
            outcome = estimate(PLAN, named.prices, RATES, data)
            yield Month(named, outcome, _first_month(named, data))


def _first_month(named: NamedPrices, data: Data) -> int | None:
    def covers(queries: int) -> bool:
        plan = replace(PLAN, queries_per_month=queries)
        outcome = estimate(plan, named.prices, RATES, data)
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
