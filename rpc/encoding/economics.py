"""What attribution_estimateEconomics answers. Dollars are decimal strings, to the millionth."""

from collections.abc import Sequence
from fractions import Fraction

from attribution.economics import Comparison, Cost, Data, Outcome, Plan
from attribution.prices import Prices
from rpc.encoding.hexadecimal import Json, JsonObject, quantity

_MICRO = 10**6


def show_economics(
    plan: Plan,
    prices: Prices,
    outcomes: Sequence[Outcome],
    others: Sequence[Sequence[Comparison]],
) -> JsonObject:
    """Return a month under all outcomes, and in words whether it closes.

    `others` is the month at the named prices, for each worth of OPEN.
    """
    return {
        "prices": _show_prices(prices),
        "incomeUsd": dollars(plan.income_usd),
        "outcomes": [_show_outcome(outcome) for outcome in outcomes],
        "verdict": [verdict(plan, outcome) for outcome in outcomes],
        "atOtherPrices": [_show_comparison(row) for rows in others for row in rows],
        "otherPricesVerdict": [other_prices_verdict(rows) for rows in others],
        "assumptions": [
            "The owner and the datasets share the income equally; every answer names all datasets.",
            "One append, then one settlement with the vouchers of all payers; each payer deposits "
            "and each payee claims once a month.",
            "asCharged: data at the chain's present scalars. blobs, calldata: at L1's present "
            "prices, blobs being full, calldata at the 40 gas of EIP-7623 for each byte.",
        ],
    }


def verdict(plan: Plan, outcome: Outcome) -> str:
    """Return whether a month closes, in a sentence."""
    where = {
        Data.AS_CHARGED: "as the chain charges for data now",
        Data.BLOBS: "on blobs",
        Data.CALLDATA: "on calldata",
    }[outcome.data]
    result = "closes" if outcome.closes else "is a loss"
    enough = outcome.break_even_queries
    even = "it never breaks even" if enough is None else f"it breaks even at {_queries(enough)}"
    left = dollars(abs(outcome.together_usd))
    money = f"${left} left after all costs" if outcome.closes else f"${left} more than comes in"
    return (
        f"{_queries(plan.queries_per_month)} a month at ${dollars(plan.price_usd)}, OPEN at "
        f"${dollars(outcome.rates.open_usd)} and ETH at ${dollars(outcome.rates.eth_usd)}: it "
        f"{result} {where} ({money}); {even}"
    )


def other_prices_verdict(rows: Sequence[Comparison]) -> str:
    """Return at which of the named prices a month pays, in a sentence."""
    rates = rows[0].blobs.rates
    blobs = _where_it_pays([(row.named.name, row.blobs.closes) for row in rows])
    calldata = _where_it_pays([(row.named.name, row.calldata.closes) for row in rows])
    return (
        f"OPEN at ${dollars(rates.open_usd)} and ETH at ${dollars(rates.eth_usd)}: in blobs it "
        f"{blobs}; in calldata it {calldata}"
    )


def _where_it_pays(found: Sequence[tuple[str, bool]]) -> str:
    pays = [name for name, closes in found if closes]
    loses = [name for name, closes in found if not closes]
    if not loses:
        return "pays at each of these prices"
    if not pays:
        return "is a loss at each of these prices"
    return f"pays at {' and '.join(pays)} prices and is a loss at {' and '.join(loses)} ones"


def _queries(number: int) -> str:
    return f"{number:,} {'query' if number == 1 else 'queries'}"


def dollars(amount: Fraction) -> str:
    """Return an amount to the millionth, rounded half to even, without zeros at the end."""
    micros = round(amount * _MICRO)
    sign, whole, part = "-" if micros < 0 else "", *divmod(abs(micros), _MICRO)
    decimals = f"{part:06}".rstrip("0")
    return f"{sign}{whole}" + (f".{decimals}" if decimals else "")


def _show_prices(prices: Prices) -> JsonObject:
    return {
        "baseFeeWei": quantity(prices.base_fee),
        "priorityFeeWei": quantity(prices.priority_fee),
        "l1BaseFeeWei": quantity(prices.l1.l1_base_fee),
        "l1BlobBaseFeeWei": quantity(prices.l1.l1_blob_base_fee),
        "baseFeeScalar": quantity(prices.l1.base_fee_scalar),
        "blobBaseFeeScalar": quantity(prices.l1.blob_base_fee_scalar),
        "operatorFeeScalar": quantity(prices.l1.operator_fee_scalar),
        "operatorFeeConstant": quantity(prices.l1.operator_fee_constant),
    }


def _show_outcome(outcome: Outcome) -> JsonObject:
    enough = outcome.break_even_queries
    each: Json = None if outcome.dataset_usd is None else dollars(outcome.dataset_usd)
    return {
        "data": outcome.data.value,
        "openUsd": dollars(outcome.rates.open_usd),
        "ethUsd": dollars(outcome.rates.eth_usd),
        "closes": outcome.closes,
        "leftUsd": dollars(outcome.together_usd),
        "leftToOwnerUsd": dollars(outcome.owner_usd),
        "leftToEachDatasetUsd": each,
        "paidByPayersUsd": dollars(outcome.payers_usd),
        "breakEvenQueries": None if enough is None else quantity(enough),
        "setupUsd": dollars(outcome.setup_usd),
        "costs": [_show_cost(cost) for cost in outcome.costs],
        "setup": [_show_cost(cost) for cost in outcome.setup],
    }


def _show_comparison(row: Comparison) -> JsonObject:
    return {
        "name": row.named.name,
        "openUsd": dollars(row.blobs.rates.open_usd),
        "ethUsd": dollars(row.blobs.rates.eth_usd),
        "gasPriceWei": quantity(row.named.prices.gas_price),
        "l1BaseFeeWei": quantity(row.named.prices.l1.l1_base_fee),
        "l1BlobBaseFeeWei": quantity(row.named.prices.l1.l1_blob_base_fee),
        **{outcome.data.value: _show_left(outcome) for outcome in (row.blobs, row.calldata)},
    }


def _show_left(outcome: Outcome) -> JsonObject:
    enough = outcome.break_even_queries
    return {
        "closes": outcome.closes,
        "leftUsd": dollars(outcome.together_usd),
        "breakEvenQueries": None if enough is None else quantity(enough),
    }


def _show_cost(cost: Cost) -> JsonObject:
    return {
        "name": cost.item.name,
        "paidBy": cost.item.payer.value,
        "transactions": quantity(cost.item.transactions),
        "gas": quantity(cost.item.gas),
        "bytes": quantity(cost.item.size),
        "gasUsd": dollars(cost.gas_usd),
        "dataUsd": dollars(cost.data_usd),
    }
