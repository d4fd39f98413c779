"""`openrollup attribution stats`: the numbers of a model or a dataset, as a node has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openrollup.attribution.asking import ask
from openrollup.bridge.arguments import open_text
from openrollup.bridge.result import show

_NAME, _COLUMN = 28, 26
_GWEI = 10**9


@dataclass(frozen=True, slots=True)
class StatsOptions:
    """Of which model, by its key as 0x..., or of which dataset."""

    l2_url: str
    json: bool
    model: str | None = None
    dataset: int | None = None


async def run_stats(options: StatsOptions) -> int:
    """Print the numbers; 0 once it is done."""
    if options.model is not None:
        answer = await ask(options.l2_url, "attribution_getModelStats", options.model)
        title = f"model {options.model}"
    else:
        number = options.dataset or 0
        answer = await ask(options.l2_url, "attribution_getDatasetStats", hex(number))
        title = f"dataset {number}"
    show(answer, list(_lines(title, answer)), json=options.json)
    return 0


def _lines(title: str, answer: dict[str, Any]) -> Iterator[str]:
    receipts, payments = answer["receipts"], answer["payments"]
    yield f"{title}, as of L2 block {_int(answer['blockNumber'])}"
    yield ""
    yield from _receipts(receipts)
    yield ""
    yield _row("", "raw", "not known self-dealt")
    raw, organic = payments["raw"], payments["notKnownSelfDealt"]
    for name, key, show_value in _PAYMENTS:
        yield _row(name, show_value(raw[key]), show_value(organic[key]))
    yield _row("known self-dealt payers", _count(payments["selfDealtPayers"]))
    yield ""
    yield "what it costs to fake one more of them, at present prices:"
    for cost in answer["fakingCosts"]:
        names = ", ".join(_NAMES.get(number, number) for number in cost["numbers"])
        yield f"  {names}: {_wei(cost['costWei'])}"
        yield f"    {cost['means']}"
    yield ""
    yield f"rules, version {answer['ruleSet']}:"
    yield from (f"  {rule}" for rule in answer["rules"])
    yield ""
    yield answer["caution"]


def _receipts(receipts: dict[str, Any]) -> Iterator[str]:
    yield _row("receipts", _count(receipts["receipts"]))
    yield _row("worth", _gwei(receipts["amountGwei"]))
    yield _row("median price", _gwei(receipts["medianPriceGwei"]))
    lag = receipts["settlementLagSeconds"]
    waited = (
        _none() if lag is None else f"{_int(lag):,} s, of {_count(receipts['settledReceipts'])}"
    )
    yield _row("median settlement lag", waited)
    yield _row("unattributed share", _percent(receipts["unattributedShare"]))
    for name, key in (("by contracts", "hiddenReceipts"), ("by deposits", "depositedReceipts")):
        if _int(receipts[key]):
            yield _row(name, _count(receipts[key]))


def _row(name: str, *values: str) -> str:
    return (f"{name:<{_NAME}}" + "".join(f"{value:<{_COLUMN}}" for value in values)).rstrip()


def _int(value: str) -> int:
    return int(value, 16)


def _none() -> str:
    return "-"


def _count(value: str) -> str:
    return f"{_int(value):,}"


def _wei(value: str | None) -> str:
    return _none() if value is None else f"{open_text(_int(value))} OPEN"


def _gwei(value: str | None) -> str:
    return _none() if value is None else f"{open_text(_int(value) * _GWEI)} OPEN"


def _percent(value: float | None) -> str:
    return _none() if value is None else f"{100 * value:.1f} %"


_PAYMENTS = (
    ("settled volume", "volumeWei", _wei),
    ("settlements", "settlements", _count),
    ("paying addresses", "payers", _count),
    ("repeat rate, 7 days", "repeatRate7d", _percent),
    ("repeat rate, 30 days", "repeatRate30d", _percent),
    ("share of the largest payer", "largestPayerShare", _percent),
    ("share of the largest 5", "largest5PayersShare", _percent),
    ("median charge", "medianChargeWei", _wei),
)
_NAMES = {
    "amountGwei": "worth",
    "medianPriceGwei": "median price",
    "settlementLagSeconds": "median settlement lag",
    "unattributedShare": "unattributed share",
    "selfDealtPayers": "known self-dealt payers",
} | {key: name for name, key, _ in _PAYMENTS}
