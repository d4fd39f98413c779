"""The receipts that are measured: the same in each run, and not kinder than real ones.

Amounts have four bytes and none is twice the same, commitments are hashes, weights differ from
receipt to receipt, and datasets are those of a registry with seventy thousand of them.
"""

from collections.abc import Sequence

from attribution.records import Influence, Record
from node.types.primitives import keccak256

DATASETS = tuple(70_000 + number for number in range(10))
_LEAST_AMOUNT = 1 << 21
"""In gwei: what takes four bytes, 0.002 to 0.27 OPEN."""
_AMOUNTS = (1 << 28) - _LEAST_AMOUNT


def plain(count: int, seed: int) -> list[Record]:
    """Return receipts without influences."""
    return [_record(seed, index, ()) for index in range(count)]


def shaped(
    count: int, seed: int, datasets: Sequence[int] = DATASETS, influences: int = 2
) -> list[Record]:
    """Return receipts with influences of random datasets, and weights of their own."""
    return [
        _record(seed, index, _influences(seed, index, datasets, influences))
        for index in range(count)
    ]


def _record(seed: int, index: int, influences: tuple[Influence, ...]) -> Record:
    amount = _LEAST_AMOUNT + _random(seed, index, 0) % _AMOUNTS
    return Record(amount, influences, keccak256(b"commitment %d %d" % (seed, index)))


def _influences(
    seed: int, index: int, datasets: Sequence[int], count: int
) -> tuple[Influence, ...]:
    ranked = sorted(datasets, key=lambda dataset: _random(seed, index, dataset))
    most = 10_000 // count
    return tuple(
        Influence(dataset, 1 + _random(seed, index, dataset, b"weight") % most)
        for dataset in sorted(ranked[:count])
    )


def _random(seed: int, index: int, number: int, purpose: bytes = b"") -> int:
    return int.from_bytes(keccak256(b"%d %d %d %b" % (seed, index, number, purpose)), "big")
