"""What it costs to fake the numbers that statistics show, at present prices."""

from collections.abc import Iterator
from dataclasses import dataclass

from attribution.gas_use import (
    FIRST_DEPOSIT,
    RECEIPT_GAS,
    RECEIPT_SIZE,
    TRANSFER,
    VOUCHER_GAS,
    VOUCHER_SIZE,
    TransactionUse,
    settle_use,
)
from attribution.prices import Prices

GATEWAY_WORD = (
    "Weights, amounts and commitments of receipts are the gateway's word, not the chain's proof: "
    "whoever holds a receipt's preimage can recompute it. See the unattributed share."
)


@dataclass(frozen=True, slots=True)
class FakingCost:
    """What one unit of some numbers costs whoever makes it up, in wei of OPEN; and how it is done.

    It is the cheapest way: a gateway that pays itself writes receipts which name a dataset of its
    own alone, so that nothing of the payment goes to others.
    """

    numbers: tuple[str, ...]
    wei: int
    means: str


def faking_costs(prices: Prices) -> Iterator[FakingCost]:
    """Yield the costs."""
    yield FakingCost(
        ("receipts", "amountGwei", "medianPriceGwei", "unattributedShare"),
        prices.fee(TransactionUse(RECEIPT_GAS, round(RECEIPT_SIZE))),
        "one more receipt in a large batch: it may say any amount and name any dataset",
    )
    yield FakingCost(
        ("volumeWei", "settlements", "settlementLagSeconds", "medianChargeWei"),
        prices.fee(settle_use(1, 1)),
        "a settlement of a payment to oneself, of any amount: all of it comes back where receipts "
        "name a dataset of one's own",
    )
    voucher = TransactionUse(VOUCHER_GAS, round(VOUCHER_SIZE))
    yield FakingCost(
        ("payers", "largestPayerShare", "largest5PayersShare", "selfDealtPayers"),
        sum(prices.fee(use) for use in (TRANSFER, FIRST_DEPOSIT, voucher)),
        "one more payer: funding it, a deposit, a voucher in a settlement; to pass for not known "
        "self-dealt, with money that is not from the model's own accounts within two hops",
    )
    yield FakingCost(
        ("repeatRate7d", "repeatRate30d"),
        prices.fee(voucher),
        "one more voucher of a payer, in another settlement",
    )
