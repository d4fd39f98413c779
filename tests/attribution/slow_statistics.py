"""The numbers once more, receipt by receipt and payer by payer, however long it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from node.types.attribution_record import Record
from node.types.primitives import Address

DAYS = {"7d": 7 * 86_400, "30d": 30 * 86_400}


@dataclass(frozen=True, slots=True)
class Append:
    """Receipts of one transaction."""

    logger: Address
    timestamp: int
    records: tuple[Record, ...]
    is_hidden: bool
    is_deposit: bool


@dataclass(frozen=True, slots=True)
class Settle:
    """Gwei by payer, in order (a payer may come twice); wei by dataset, credited or declared."""

    logger: Address
    timestamp: int
    charges: tuple[tuple[Address, int], ...]
    payments: tuple[tuple[int, bool, int], ...]
    is_deposit: bool

    @property
    def charged(self) -> int:
        return sum(gwei for _, gwei in self.charges)


def middle(values: list[int]) -> int | None:
    """Return the lower median."""
    return sorted(values)[(len(values) - 1) // 2] if values else None


def part(share: int, whole: int) -> Fraction | None:
    return Fraction(share, whole) if whole else None


def receipt_numbers(
    appends: list[Append], settles: list[Settle], dataset_count: int
) -> dict[str, Any]:
    """Return a model's ReceiptNumbers as a mapping."""
    used = [append for append in appends if not append.is_deposit]
    shown = [record for append in used if not append.is_hidden for record in append.records]
    credit = sum(
        record.amount * entry.weight
        for record in shown
        for entry in record.influences
        if 1 <= entry.dataset <= dataset_count
    )
    worth = sum(record.amount for record in shown) * 10_000
    lags = [lag for lag, append in waits(appends, settles) if not append.is_deposit]
    return {
        "receipts": sum(len(append.records) for append in used),
        "amount_gwei": sum(record.amount for append in used for record in append.records),
        "median_price_gwei": middle([record.amount for record in shown]),
        "settlement_lag_s": middle(lags),
        "settled_receipts": len(lags),
        "unattributed_share": part(worth - credit, worth),
        "hidden_receipts": sum(len(append.records) for append in used if append.is_hidden),
        "deposited_receipts": sum(len(append.records) for append in appends if append.is_deposit),
    }


def waits(appends: list[Append], settles: list[Settle]) -> list[tuple[int, Append]]:
    """Return how long each covered receipt of something waited."""
    found: list[tuple[int, Append]] = []
    for append in appends:
        for index, record in enumerate(append.records):
            if append.is_hidden:
                worth = worth_up_to(appends, append, len(append.records) - 1)
                if not sum(entry.amount for entry in append.records):
                    continue
            else:
                worth = worth_up_to(appends, append, index)
                if not record.amount:
                    continue
            paid_at = covered_at(settles, append.logger, worth)
            if paid_at is not None:
                found.append((paid_at - append.timestamp, append))
    return found


def worth_up_to(appends: list[Append], append: Append, index: int) -> int:
    """Return what a logger's receipts are worth up to one of them."""
    total = 0
    for other in appends:
        if other is append:
            return total + sum(record.amount for record in append.records[: index + 1])
        if other.logger == append.logger:
            total += sum(record.amount for record in other.records)
    raise AssertionError("the append is one of them")


def covered_at(settles: list[Settle], logger: Address, worth: int) -> int | None:
    """Return when so much had been charged for a logger's receipts."""
    charged = 0
    for settle in settles:
        if settle.logger == logger:
            charged += settle.charged
            if charged >= worth:
                return settle.timestamp
    return None


def payment_numbers(
    settles: list[Settle], left_out: set[Address], now: int, dataset: int | None = None
) -> dict[str, Any]:
    """Return PaymentNumbers as a mapping, of a model or of a dataset."""
    charges: list[tuple[int, Settle, Address, int]] = []
    for number, settle in enumerate(settles):
        whole = sum(wei for named, _, wei in settle.payments if named == dataset)
        for payer, gwei in settle.charges:
            wei = gwei * 10**9 if dataset is None else gwei * whole // settle.charged
            if payer not in left_out and (dataset is None or whole):
                charges.append((number, settle, payer, wei))
    used = [charge for charge in charges if not charge[1].is_deposit]
    payers = {payer for _, _, payer, _ in used}
    paid = [sum(wei for _, _, other, wei in used if other == payer) for payer in payers]
    paid.sort(reverse=True)
    return {
        "volume_wei": sum(paid),
        "settlements": len({number for number, *_ in used}),
        "payers": len(payers),
        "repeat_rate_7d": repeat_rate(used, payers, now - DAYS["7d"]),
        "repeat_rate_30d": repeat_rate(used, payers, now - DAYS["30d"]),
        "largest_payer_share": part(sum(paid[:1]), sum(paid)),
        "largest_5_payers_share": part(sum(paid[:5]), sum(paid)),
        "median_charge_wei": middle([wei for *_, wei in used]),
        "deposited_wei": sum(wei for _, settle, _, wei in charges if settle.is_deposit),
    }


def repeat_rate(
    used: list[tuple[int, Settle, Address, int]], payers: set[Address], after: int
) -> Fraction | None:
    """Return the share of payers with two settlements in the window, of those with one."""
    counts = [
        len(
            {
                number
                for number, settle, other, _ in used
                if other == payer and settle.timestamp > after
            }
        )
        for payer in payers
    ]
    return part(sum(count >= 2 for count in counts), sum(count >= 1 for count in counts))


def self_dealt(
    payers: set[Address],
    insiders: set[Address],
    funders: Mapping[Address, list[Address]],
    no_funders: set[Address],
) -> set[Address]:
    """Return the payers that are insiders, or have money from one in one or two steps."""
    found = set()
    for payer in payers:
        first = [one for one in funders.get(payer, []) if one not in no_funders]
        second = [two for one in first for two in funders.get(one, []) if two not in no_funders]
        if insiders.intersection([payer, *first, *second]):
            found.add(payer)
    return found
