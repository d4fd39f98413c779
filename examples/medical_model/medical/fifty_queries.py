"""Does attribution pay at fifty questions a month, at a cent each?

Gas on L2 costs what the node says. The dev chain's L1 is nearly free, so its prices are replaced by
some that Ethereum has had; the sums are those of `openrollup attribution economics`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from web3 import Web3

from attribution.economics import Data, Outcome, Plan, Rates, estimate
from attribution.prices import Prices
from node.execution.l1_fees import L1FeeParameters

GWEI = 10**9
PLAN = Plan(
    price_usd=Fraction(1, 100), queries_per_month=50, payers=10, payees=4, settlements_per_month=1
)
RATES = Rates(open_usd=Fraction(1), eth_usd=Fraction(3_000))
L1_PRICES_GWEI = ((1, "0.001"), (10, "1"), (30, "10"))
"""What gas costs on L1, and what a unit of blob gas costs."""


@dataclass(frozen=True)
class Month:
    """A month at these prices on L1: with L2's data in blobs, and in calldata."""

    gas_gwei: int
    blob_gas_gwei: str
    outcomes: tuple[Outcome, Outcome]


def months_of(w3: Web3) -> Iterator[Month]:
    """Yield a month for each of the prices, with the price of gas that the L2 node asks now."""
    here = _prices_of(w3)
    for gas, blob_gas in L1_PRICES_GWEI:
        fees = L1FeeParameters(gas * GWEI, int(Fraction(blob_gas) * GWEI), 0, 0)
        prices = replace(here, l1=fees)
        blobs = estimate(PLAN, prices, RATES, Data.BLOBS)
        yield Month(gas, blob_gas, (blobs, estimate(PLAN, prices, RATES, Data.CALLDATA)))


def _prices_of(w3: Web3) -> Prices:
    block = w3.eth.get_block("latest")
    return Prices(
        base_fee=block["baseFeePerGas"],
        priority_fee=w3.eth.max_priority_fee,
        l1=L1FeeParameters(0, 0, 0, 0),
        is_jovian=False,
    )
