"""How much gas attribution's transactions take, and how large they are on L1.

Measured on this node under its present rules, with storage that is in use, and tested against it.
Sizes are bytes as the Fjord formula estimates them (FastLZ); compressed together, transactions take
less of L1.
"""

from dataclasses import dataclass

MAX_RECEIPTS_AN_APPEND = 1_000
MIN_SIZE = 100

NEW_SLOT_GAS = 17_100
"""A slot that is written for the first time costs so much more than one in use (EIP-2200)."""


@dataclass(frozen=True, slots=True)
class TransactionUse:
    """Gas and estimated bytes of one transaction."""

    gas: int
    size: int


TRANSFER = TransactionUse(21_000, MIN_SIZE)
CLAIM = TransactionUse(35_948, MIN_SIZE)
DEPOSIT = TransactionUse(32_641, MIN_SIZE)
FIRST_DEPOSIT = TransactionUse(52_346, MIN_SIZE)
REGISTER_DATASET = TransactionUse(99_039, 152)
REGISTER_MODEL = TransactionUse(148_220, 159)
"""With an URI of some 45 characters, and no declared datasets."""

RECEIPT_GAS = 244
INFLUENCE_GAS = 32
CREDIT_GAS = 5_000
"""A receipt without influences; an influence in it; a dataset that the batch credits."""
RECEIPT_SIZE = 29.2
INFLUENCE_SIZE = 2.5

VOUCHER_GAS = 15_335
PAID_DATASET_GAS = 21_560
VOUCHER_SIZE = 83.5
"""A voucher in a settlement; a dataset that it pays."""


def append_use(receipts: int, influences: int, datasets: int) -> TransactionUse:
    """Return the use of an `append`: so many influences in each receipt, of so many datasets."""
    gas = 29_812 + receipts * (RECEIPT_GAS + INFLUENCE_GAS * influences) + CREDIT_GAS * datasets
    size = 85 + receipts * (RECEIPT_SIZE + INFLUENCE_SIZE * influences)
    return TransactionUse(gas, round(size))


def settle_use(vouchers: int, datasets: int) -> TransactionUse:
    """Return the use of a `settle` that charges vouchers and pays datasets for their credit."""
    gas = 51_530 + VOUCHER_GAS * vouchers + PAID_DATASET_GAS * datasets
    return TransactionUse(gas, round(125 + VOUCHER_SIZE * vouchers + 7 * datasets))
