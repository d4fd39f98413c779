"""Medians and shares of what was counted."""

from collections.abc import Mapping
from fractions import Fraction


def median(counts: Mapping[int, int]) -> int | None:
    """Return the median of values by how often they come, the lower one of two; None of none."""
    middle = (sum(counts.values()) + 1) // 2
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= middle > 0:
            return value
    return None


def share(part: int, whole: int) -> Fraction | None:
    """Return a part as a fraction of the whole, None of nothing."""
    return Fraction(part, whole) if whole else None
