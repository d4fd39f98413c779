"""A figure with its bound, and whether it is kept."""

from dataclasses import dataclass
from enum import Enum


class Bound(Enum):
    """On which side of its bound a figure has to be."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured. `is_timing`: it depends on the machine, and on what else runs there.

    `detail` says how it came about.
    """

    what: str
    bound: Bound
    demanded: float
    measured: float
    detail: str = ""
    is_timing: bool = False

    @property
    def passed(self) -> bool:
        """Whether the bound is kept."""
        if self.bound is Bound.AT_MOST:
            return self.measured <= self.demanded
        return self.measured >= self.demanded
