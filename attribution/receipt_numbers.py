"""Numbers from receipts: how many, worth what, credited to whom, and how soon they were paid."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from attribution.median import median, share
from attribution.settlement_lag import Lags, settlement_lags
from attribution.use import DatasetUse, ModelUse
from node.attribution_entries import Batch
from node.types.attribution_record import FULL_WEIGHT


@dataclass(frozen=True, slots=True)
class ReceiptNumbers:
    """What receipts say.

    `amount_gwei` is their worth. `median_price_gwei` is the lower one of the two in the middle.
    `settlement_lag_s` is the median from a receipt's block to the settlement that covered it, over
    `settled_receipts`. `hidden_receipts` were written by contracts: they are counted, but what they
    say is in no transaction, so that price and attribution leave them out. `deposited_receipts`
    came by deposits from L1 and are not counted.
    """

    receipts: int
    amount_gwei: int
    median_price_gwei: int | None
    settlement_lag_s: int | None
    settled_receipts: int
    unattributed_share: Fraction | None
    hidden_receipts: int
    deposited_receipts: int


def model_receipts(use: ModelUse) -> ReceiptNumbers:
    """Return what a model's receipts say."""
    batches = [batch for stream in use.batches.values() for batch in stream]
    counted = [batch for batch in batches if not batch.is_deposit]
    prices: Counter[int] = Counter()
    for batch in counted:
        for amount, count in () if batch.summary is None else batch.summary.amounts:
            prices[amount] += count
    worth = sum(amount * count for amount, count in prices.items()) * FULL_WEIGHT
    credit = sum(_known_credit(batch, use.dataset_count) for batch in counted)
    lags: Lags = Counter()
    for logger, stream in use.batches.items():
        lags += settlement_lags(stream, use.settlements_of(logger))
    return ReceiptNumbers(
        receipts=sum(batch.count for batch in counted),
        amount_gwei=sum(batch.amount for batch in counted),
        median_price_gwei=median(prices),
        settlement_lag_s=median(lags),
        settled_receipts=lags.total(),
        unattributed_share=share(worth - credit, worth),
        hidden_receipts=sum(batch.count for batch in counted if batch.summary is None),
        deposited_receipts=sum(batch.count for batch in batches if batch.is_deposit),
    )


def _known_credit(batch: Batch, dataset_count: int) -> int:
    """Return what a batch credits to datasets that exist."""
    datasets = () if batch.summary is None else batch.summary.datasets.items()
    return sum(entry.credit for dataset, entry in datasets if 1 <= dataset <= dataset_count)


def dataset_receipts(use: DatasetUse) -> ReceiptNumbers:
    """Return what the receipts say that name a dataset; what they credit it with is their amount.

    The unattributed share is that of its payments which no receipt credits it with.
    """
    prices: Counter[int] = Counter()
    lags: Lags = Counter()
    credit = deposited = 0
    for entry in use.uses:
        for logger, stream in entry.batches.items():
            lags += settlement_lags(stream, entry.settlements_of(logger), use.dataset.id)
            for batch in stream:
                named = batch.summary and batch.summary.datasets.get(use.dataset.id)
                if named and batch.is_deposit:
                    deposited += named.receipts
                elif named:
                    credit += named.credit
                    for amount, count in named.prices:
                        prices[amount] += count
    paid = list(_payments(use))
    unattributed = sum(wei for wei, is_credited in paid if not is_credited)
    return ReceiptNumbers(
        receipts=prices.total(),
        amount_gwei=credit // FULL_WEIGHT,
        median_price_gwei=median(prices),
        settlement_lag_s=median(lags),
        settled_receipts=lags.total(),
        unattributed_share=share(unattributed, sum(wei for wei, _ in paid)),
        hidden_receipts=0,
        deposited_receipts=deposited,
    )


def _payments(use: DatasetUse) -> Iterator[tuple[int, bool]]:
    """Yield what settlements paid to a dataset, in wei, and whether receipts credit it so."""
    for entry in use.uses:
        for settlement in entry.settlements:
            for payment in () if settlement.is_deposit else settlement.payments:
                if payment.dataset == use.dataset.id:
                    yield payment.wei, payment.credit > 0
