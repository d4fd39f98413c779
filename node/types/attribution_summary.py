"""What the records of a batch say together: their amounts in order, and what each dataset got.

A summary is a small part of its records' size, since commitments are left out and equal amounts in
a row are one entry. It survives where old blocks are pruned.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.types.attribution_record import commitment_end, read_head, read_influences
from node.types.rlp_codec import Decoded, RlpItem, as_list, as_uint, decode, encode, encode_uint

Runs = tuple[tuple[int, int], ...]
"""Pairs of an amount in gwei and how many receipts in a row have it."""


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """What one dataset got of a batch: `credit` in gwei x basis points.

    `prices` counts the receipts that name it by their whole amount in gwei, ascending.
    """

    credit: int
    prices: Runs

    @property
    def receipts(self) -> int:
        """How many receipts name the dataset."""
        return sum(count for _, count in self.prices)


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """The amounts of a batch's receipts in order, and what its datasets got, by their ids."""

    amounts: Runs
    datasets: Mapping[int, DatasetSummary]


def summarise(records: bytes) -> BatchSummary:
    """Read encoded records; DecodingError if they are malformed (those of a log never are)."""
    runs: list[tuple[int, int]] = []
    sums: dict[int, int] = {}
    named: dict[tuple[int, int], int] = {}
    cursor, limit, previous, length = 0, len(records), -1, 0
    while cursor < limit:
        amount, count, cursor = read_head(records, cursor, limit)
        if count:
            pairs, cursor = read_influences(records, cursor, limit, count)
            for dataset, weight in pairs:
                sums[dataset] = sums.get(dataset, 0) + amount * weight
                named[dataset, amount] = named.get((dataset, amount), 0) + 1
        cursor = commitment_end(cursor, limit)
        if amount != previous:
            if length:
                runs.append((previous, length))
            previous, length = amount, 0
        length += 1
    runs.append((previous, length))
    return BatchSummary(tuple(runs), _datasets(sums, named))


def _datasets(
    sums: Mapping[int, int], named: Mapping[tuple[int, int], int]
) -> dict[int, DatasetSummary]:
    """Put together credit by dataset, and receipts by dataset and amount."""
    prices: dict[int, list[tuple[int, int]]] = {dataset: [] for dataset in sorted(sums)}
    for (dataset, amount), count in sorted(named.items()):
        prices[dataset].append((amount, count))
    return {
        dataset: DatasetSummary(sums[dataset], tuple(entries))
        for dataset, entries in prices.items()
    }


def encode_summary(summary: BatchSummary) -> bytes:
    """Return the stored form."""
    datasets: list[RlpItem] = [
        [encode_uint(dataset), encode_uint(entry.credit), _runs_item(entry.prices)]
        for dataset, entry in summary.datasets.items()
    ]
    return encode([_runs_item(summary.amounts), datasets])


def decode_summary(raw: bytes) -> BatchSummary:
    """Read the stored form; DecodingError if it is none."""
    amounts, datasets = as_list(decode(raw, 5), "summary", 2)
    entries: dict[int, DatasetSummary] = {}
    for item in as_list(datasets, "datasets"):
        dataset, credit, prices = as_list(item, "dataset", 3)
        entries[as_uint(dataset, "dataset")] = DatasetSummary(
            as_uint(credit, "credit"), _runs(prices)
        )
    return BatchSummary(_runs(amounts), entries)


def _runs_item(runs: Runs) -> RlpItem:
    return [item for amount, count in runs for item in (encode_uint(amount), encode_uint(count))]


def _runs(item: Decoded) -> Runs:
    numbers = [as_uint(entry, "amount or count") for entry in as_list(item, "runs")]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))
