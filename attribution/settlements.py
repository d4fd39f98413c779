"""Settlements as the AttributionHub's events tell them: who was charged, who was paid."""

from collections.abc import Iterable
from dataclasses import dataclass

from attribution.hub_events import DatasetPaid, Settled, VoucherCharged
from attribution.registry import HubFact
from node.attribution_entries import Place
from node.errors import CriticalError
from node.types.primitives import Address, Hash32

WEI_PER_GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Charge:
    """What a payer's voucher has cost it in one settlement."""

    payer: Address
    gwei: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A dataset's part of a settlement; `credit` (gwei x basis points) is 0 for a declared part."""

    dataset: int
    payout: Address
    credit: int
    wei: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """One `settle`, of `logger`'s receipts. `place` is that of the event that ends it."""

    model_key: Hash32
    logger: Address
    place: Place
    timestamp: int
    is_deposit: bool
    charges: tuple[Charge, ...]
    payments: tuple[Payment, ...]
    charged_gwei: int
    unsettled_gwei: int
    payout: Address
    owner_wei: int


def read_settlements(facts: Iterable[HubFact]) -> list[Settlement]:
    """Put together a model's settlements from its charges, payments and settlements, in order.

    CriticalError if the charges are not those that the settlement says.
    """
    settlements: list[Settlement] = []
    charges: list[Charge] = []
    payments: list[Payment] = []
    for fact in facts:
        match fact.event:
            case VoucherCharged(payer=payer, amount_gwei=gwei):
                charges.append(Charge(payer, gwei))
            case DatasetPaid(dataset=dataset, payout=payout, credit=credit, amount_wei=wei):
                payments.append(Payment(dataset, payout, credit, wei))
            case Settled() as event:
                settlements.append(_settlement(fact, event, charges, payments))
                charges, payments = [], []
            case event:
                raise CriticalError(f"settlement: {event} is no part of one")
    return settlements


def _settlement(
    fact: HubFact, event: Settled, charges: list[Charge], payments: list[Payment]
) -> Settlement:
    total = sum(charge.gwei for charge in charges)
    paid = sum(payment.wei for payment in payments) + event.owner_wei
    if total != event.charged_gwei or paid != event.charged_gwei * WEI_PER_GWEI:
        raise CriticalError(
            f"settlement of block {fact.place.block}: {event.charged_gwei} gwei were charged, the "
            f"vouchers say {total}, and {paid} wei were paid"
        )
    return Settlement(
        model_key=event.model_key,
        logger=event.logger,
        place=fact.place,
        timestamp=fact.timestamp,
        is_deposit=fact.is_deposit,
        charges=tuple(charges),
        payments=tuple(payments),
        charged_gwei=event.charged_gwei,
        unsettled_gwei=event.unsettled_gwei,
        payout=event.payout,
        owner_wei=event.owner_wei,
    )
