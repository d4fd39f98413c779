"""`openrollup attribution economics`: whether a model pays for its attribution."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openrollup.attribution.asking import ask
from openrollup.bridge.result import show

_NAME, _COLUMN = 30, 14


@dataclass(frozen=True, slots=True)
class EconomicsOptions:
    """The plan of a month; amounts of dollars are decimal strings."""

    l2_url: str
    json: bool
    price: str
    queries: int
    payers: int
    payees: int
    settlements: int
    open_usd: list[str]
    eth_usd: str | None = None


async def run_economics(options: EconomicsOptions) -> int:
    """Print the month under each price of OPEN and each way of posting data; 0 once it is done."""
    worth = options.open_usd if len(options.open_usd) != 1 else options.open_usd * 2
    answer = await ask(
        options.l2_url,
        "attribution_estimateEconomics",
        options.price,
        options.queries,
        options.payers,
        options.payees,
        options.settlements,
        list(worth),
        options.eth_usd,
    )
    show(answer, list(_lines(options, answer)), json=options.json)
    return 0


def _lines(options: EconomicsOptions, answer: dict[str, Any]) -> Iterator[str]:
    prices = answer["prices"]
    yield (
        f"a month: {options.queries:,} queries at ${options.price} from {options.payers:,} payers, "
        f"shared by {options.payees:,}, settled {options.settlements:,} times: "
        f"${answer['incomeUsd']} come in"
    )
    gas_price = int(prices["baseFeeWei"], 16) + int(prices["priorityFeeWei"], 16)
    yield (
        f"prices now: {gas_price / 10**9:g} gwei of OPEN for gas; on L1 "
        f"{int(prices['l1BaseFeeWei'], 16) / 10**9:g} gwei, "
        f"{int(prices['l1BlobBaseFeeWei'], 16) / 10**9:g} gwei for blobs"
    )
    worths = list(dict.fromkeys(outcome["openUsd"] for outcome in answer["outcomes"]))
    for worth in worths:
        outcomes = [entry for entry in answer["outcomes"] if entry["openUsd"] == worth]
        yield ""
        yield from _table(worth, outcomes)
    yield ""
    yield from answer["verdict"]
    for worth, verdict in zip(worths, answer["otherPricesVerdict"], strict=True):
        yield ""
        yield from _other_prices(
            [row for row in answer["atOtherPrices"] if row["openUsd"] == worth]
        )
        yield verdict
    yield ""
    yield from answer["assumptions"]


def _table(worth: str, outcomes: list[dict[str, Any]]) -> Iterator[str]:
    yield _row(f"US dollars, OPEN at ${worth}", *(entry["data"] for entry in outcomes))
    for place, cost in enumerate(outcomes[0]["costs"]):
        name = f"{cost['name']} ({int(cost['transactions'], 16):,})"
        yield _row(name, *(_total(entry["costs"][place]) for entry in outcomes))
    for name, key in (
        ("left together", "leftUsd"),
        ("left to the owner", "leftToOwnerUsd"),
        ("left to each dataset", "leftToEachDatasetUsd"),
        ("paid by payers", "paidByPayersUsd"),
        ("once, before", "setupUsd"),
    ):
        yield _row(name, *(entry[key] or "-" for entry in outcomes))
    yield _row("breaks even at queries", *(_queries(entry) for entry in outcomes))


def _other_prices(rows: list[dict[str, Any]]) -> Iterator[str]:
    worth = f"OPEN at ${rows[0]['openUsd']}, ETH at ${rows[0]['ethUsd']}"
    yield f"at other prices, in gwei: US dollars left together, {worth}"
    head = ("L2 gas", "L1 gas", "blob gas", "in blobs", "even at", "in calldata", "even at")
    yield _other_row("prices", *head)
    for row in rows:
        yield _other_row(
            row["name"],
            *(_gwei(row[key]) for key in ("gasPriceWei", "l1BaseFeeWei", "l1BlobBaseFeeWei")),
            *(row["blobs"]["leftUsd"], _queries(row["blobs"])),
            *(row["calldata"]["leftUsd"], _queries(row["calldata"])),
        )


def _other_row(name: str, *values: str) -> str:
    return f"{name:<8}" + "".join(f"{value:>12}" for value in values)


def _gwei(wei: str) -> str:
    return f"{int(wei, 16) / 10**9:g}"


def _total(cost: dict[str, Any]) -> str:
    return f"{float(cost['gasUsd']) + float(cost['dataUsd']):.6f}"


def _queries(outcome: dict[str, Any]) -> str:
    enough = outcome["breakEvenQueries"]
    return "never" if enough is None else f"{int(enough, 16):,}"


def _row(name: str, *values: str) -> str:
    return f"{name:<{_NAME}}" + "".join(f"{value:>{_COLUMN}}" for value in values)
