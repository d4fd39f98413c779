"""How long receipts waited for the settlement that covered them.

A stream's receipts are paid in their order: one is covered once as much has been charged for the
stream as the receipts up to it are worth. Receipts of nothing are left out.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

from attribution.settlements import Settlement
from node.attribution_entries import Batch
from node.types.attribution_summary import Runs

Lags: TypeAlias = "Counter[int]"
"""How many receipts waited so many seconds."""


def settlement_lags(
    batches: Sequence[Batch], settlements: Sequence[Settlement], dataset: int | None = None
) -> Lags:
    """Count the covered receipts of a logger's stream, all in order; or those naming a `dataset`.

    Of a batch that a contract wrote, and of receipts that name a dataset, the order is not known:
    they count as covered with their whole batch. Receipts by deposits are not counted.
    """
    walk = _Walk(settlements)
    for batch in batches:
        if dataset is not None:
            named = None if batch.summary is None else batch.summary.datasets.get(dataset)
            prices = () if named is None else named.prices
            walk.cover_whole(batch, sum(count for price, count in prices if price))
        elif batch.summary is None:
            walk.cover_whole(batch, batch.count)
        else:
            walk.cover_each(batch, batch.summary.amounts)
    return walk.lags


class _Walk:
    """Goes along a stream and its settlements; `lags` has what was covered so far."""

    def __init__(self, settlements: Sequence[Settlement]) -> None:
        self.lags: Lags = Counter()
        self._times = [settlement.timestamp for settlement in settlements]
        self._charged = list(accumulate(settlement.charged_gwei for settlement in settlements))
        self._next = 0
        self._worth = 0

    def cover_whole(self, batch: Batch, receipts: int) -> None:
        """Go on by a batch, of which so many receipts count."""
        self._worth += batch.amount
        if batch.amount and self._reach(self._worth):
            self._note(batch, receipts)

    def cover_each(self, batch: Batch, amounts: Runs) -> None:
        """Go on by a batch, receipt by receipt."""
        for amount, count in amounts:
            left = count if amount else 0
            while left and self._reach(self._worth + amount):
                covered = min(left, (self._charged[self._next] - self._worth) // amount)
                self._note(batch, covered)
                self._worth += covered * amount
                left -= covered
            self._worth += left * amount

    def _reach(self, worth: int) -> bool:
        """Go to the settlement that covers so much; whether there is one."""
        while self._next < len(self._charged) and self._charged[self._next] < worth:
            self._next += 1
        return self._next < len(self._charged)

    def _note(self, batch: Batch, receipts: int) -> None:
        if receipts and not batch.is_deposit:
            self.lags[self._times[self._next] - batch.timestamp] += receipts
