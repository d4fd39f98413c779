"""What settlements of a model have credited to whom."""

from collections.abc import Iterable
from dataclasses import dataclass

from attribution.settlements import Settlement
from node.types.primitives import Address


@dataclass(frozen=True, slots=True)
class Payee:
    """An account, and what it may claim or has claimed: as the owner's payout, and for datasets."""

    account: Address
    owner_wei: int
    datasets_wei: int


def payees(settlements: Iterable[Settlement]) -> list[Payee]:
    """Add up what each account was credited with, most first."""
    owner: dict[Address, int] = {}
    datasets: dict[Address, int] = {}
    for settlement in settlements:
        owner[settlement.payout] = owner.get(settlement.payout, 0) + settlement.owner_wei
        for payment in settlement.payments:
            datasets[payment.payout] = datasets.get(payment.payout, 0) + payment.wei
    found = [
        Payee(account, owner.get(account, 0), datasets.get(account, 0))
        for account in owner.keys() | datasets.keys()
    ]
    return sorted(found, key=lambda payee: (-payee.owner_wei - payee.datasets_wei, payee.account))
