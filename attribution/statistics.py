"""Numbers about the use of a model or a dataset, from what the chain says: nothing else goes in.

Amounts of receipts are in gwei of OPEN, payments in wei, times in seconds; shares are fractions of
1. None stands for a number that needs at least one receipt or payment.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from attribution.median import median, share
from attribution.receipt_numbers import ReceiptNumbers, dataset_receipts, model_receipts
from attribution.self_dealing import Funders, is_known_self_dealt
from attribution.settlements import WEI_PER_GWEI
from attribution.use import DatasetUse, ModelUse
from node.types.primitives import Address

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class PaymentNumbers:
    """What payments say.

    A `repeat_rate` is, of the payers charged in the last 7 or 30 days, the share charged in at
    least two settlements of that time. A `largest` share is that of the payers who paid most.
    `deposited_wei` was settled by deposits from L1 and is not counted.
    """

    volume_wei: int
    settlements: int
    payers: int
    repeat_rate_7d: Fraction | None
    repeat_rate_30d: Fraction | None
    largest_payer_share: Fraction | None
    largest_5_payers_share: Fraction | None
    median_charge_wei: int | None
    deposited_wei: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Receipts name no payer: what is not known to be self-dealt shows in payments alone."""

    receipts: ReceiptNumbers
    raw: PaymentNumbers
    organic: PaymentNumbers
    self_dealt_payers: int


@dataclass(frozen=True, slots=True)
class _Charge:
    payer: Address
    wei: int
    settlement: int
    timestamp: int
    is_deposit: bool
    is_self_dealt: bool


def model_statistics(use: ModelUse, funders: Funders, now: int) -> Statistics:
    """Return a model's numbers; `now` is the time of the newest block."""
    is_self_dealt = _judge(use.model.insiders, funders)
    charges = [
        _Charge(
            charge.payer,
            charge.gwei * WEI_PER_GWEI,
            number,
            settlement.timestamp,
            settlement.is_deposit,
            is_self_dealt(charge.payer),
        )
        for number, settlement in enumerate(use.settlements)
        for charge in settlement.charges
    ]
    return _statistics(model_receipts(use), charges, now)


def dataset_statistics(use: DatasetUse, funders: Funders, now: int) -> Statistics:
    """Return a dataset's numbers; `now` is the time of the newest block.

    Its receipts are those that name it, with what they credit it as their amount. Its payments are
    its parts of settlements; a payer's part of them is as its part of what was charged, rounded
    down. The unattributed share is that of its payments which no receipt credits it with.
    """
    charges: list[_Charge] = []
    number = 0
    for entry in use.uses:
        is_self_dealt = _judge(entry.model.insiders | use.dataset.insiders, funders)
        for settlement in entry.settlements:
            paid = sum(
                payment.wei for payment in settlement.payments if payment.dataset == use.dataset.id
            )
            if not paid:
                continue
            charges += (
                _Charge(
                    charge.payer,
                    charge.gwei * paid // settlement.charged_gwei,
                    number,
                    settlement.timestamp,
                    settlement.is_deposit,
                    is_self_dealt(charge.payer),
                )
                for charge in settlement.charges
            )
            number += 1
    return _statistics(dataset_receipts(use), charges, now)


def _judge(insiders: frozenset[Address], funders: Funders) -> Callable[[Address], bool]:
    known: dict[Address, bool] = {}

    def is_self_dealt(payer: Address) -> bool:
        if payer not in known:
            known[payer] = is_known_self_dealt(payer, insiders, funders)
        return known[payer]

    return is_self_dealt


def _statistics(receipts: ReceiptNumbers, charges: Sequence[_Charge], now: int) -> Statistics:
    counted = [charge for charge in charges if not charge.is_deposit]
    organic = [charge for charge in charges if not charge.is_self_dealt]
    self_dealt = {charge.payer for charge in counted if charge.is_self_dealt}
    return Statistics(receipts, _payments(charges, now), _payments(organic, now), len(self_dealt))


def _payments(charges: Sequence[_Charge], now: int) -> PaymentNumbers:
    counted = [charge for charge in charges if not charge.is_deposit]
    by_payer: Counter[Address] = Counter()
    for charge in counted:
        by_payer[charge.payer] += charge.wei
    total = sum(by_payer.values())
    largest = sorted(by_payer.values(), reverse=True)
    return PaymentNumbers(
        volume_wei=total,
        settlements=len({charge.settlement for charge in counted}),
        payers=len(by_payer),
        repeat_rate_7d=_repeat_rate(counted, now - 7 * DAY_S),
        repeat_rate_30d=_repeat_rate(counted, now - 30 * DAY_S),
        largest_payer_share=share(sum(largest[:1]), total),
        largest_5_payers_share=share(sum(largest[:5]), total),
        median_charge_wei=median(Counter(charge.wei for charge in counted)),
        deposited_wei=sum(charge.wei for charge in charges if charge.is_deposit),
    )


def _repeat_rate(charges: Iterable[_Charge], after: int) -> Fraction | None:
    settlements: dict[Address, set[int]] = defaultdict(set)
    for charge in charges:
        if charge.timestamp > after:
            settlements[charge.payer].add(charge.settlement)
    return share(sum(len(seen) > 1 for seen in settlements.values()), len(settlements))
