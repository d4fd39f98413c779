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

    `lost_bps`: the part of each payment to oneself that goes to others, in basis points.
    """

    numbers: tuple[str, ...]
    wei: int
    lost_bps: int
    means: str


def faking_costs(prices: Prices, datasets_bps: int) -> Iterator[FakingCost]:
    """Yield the costs; `datasets_bps` is the share that datasets of others get of payments."""
    yield FakingCost(
        ("receipts", "amountGwei", "medianPriceGwei", "unattributedShare"),
        prices.fee(TransactionUse(RECEIPT_GAS, round(RECEIPT_SIZE))),
        0,
        "one more receipt in a large batch: it may say any amount and name any dataset",
    )
    yield FakingCost(
        ("volumeWei", "settlements", "settlementLagSeconds", "medianChargeWei"),
        prices.fee(settle_use(1, 1)),
        datasets_bps,
        "a settlement of a payment to oneself, of any amount: what datasets of others get is lost",
    )
    voucher = TransactionUse(VOUCHER_GAS, round(VOUCHER_SIZE))
    yield FakingCost(
        ("payers", "largestPayerShare", "largest5PayersShare", "selfDealtPayers"),
        sum(prices.fee(use) for use in (TRANSFER, FIRST_DEPOSIT, voucher)),
        0,
        "one more payer: funding it, a deposit, a voucher in a settlement; to pass for not known "
        "self-dealt, with money that is not from the model's own accounts within two hops",
    )
    yield FakingCost(
        ("repeatRate7d", "repeatRate30d"),
        prices.fee(voucher),
        0,
        "one more voucher of a payer, in another settlement",
    )
