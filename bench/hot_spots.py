"""Where the time of our side goes: the functions that take most, and the modules they are in."""

import cProfile
import pstats
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_PACKAGES = "site-packages"


class Spot(NamedTuple):
    """A function, or a module in `place`: seconds in it without what it calls, and calls."""

    seconds: float
    calls: int
    place: str


class HotSpots:
    """A profile of what ran inside `measured`."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile()

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Profile what happens inside."""
        self._profile.enable()
        try:
            yield
        finally:
            self._profile.disable()

    def report(self, functions: int = 25, modules: int = 15) -> str:
        """Return two tables: modules, then functions, both by their own time."""
        spots = [
            (module, Spot(seconds, calls, f"{module}:{line} {name}" if line else name))
            for module, line, name, seconds, calls in self._rows()
        ]
        totals: defaultdict[str, list[Spot]] = defaultdict(list)
        for module, spot in spots:
            totals[module].append(spot)
        by_module = [
            Spot(sum(s.seconds for s in found), sum(s.calls for s in found), module)
            for module, found in totals.items()
        ]
        total = sum(spot.seconds for spot in by_module)
        return "\n\n".join(
            [
                _table("module", by_module, total, modules),
                _table("function", [spot for _, spot in spots], total, functions),
            ]
        )

    def _rows(self) -> Iterator[tuple[str, int, str, float, int]]:
        stats = pstats.Stats(self._profile).stats  # type: ignore[attr-defined]
        for (file, line, name), (_, calls, seconds, _, _) in stats.items():
            yield _module(file), line, name, seconds, calls


def _module(file: str) -> str:
    """Shorten a path: from the package's folder on, or from the checkout's."""
    if file == "~":
        return "built in"
    parts = Path(file).parts
    if _PACKAGES in parts:
        return str(Path(*parts[parts.index(_PACKAGES) + 1 :]))
    root = Path(__file__).parents[1]
    return str(Path(file).relative_to(root)) if Path(file).is_relative_to(root) else Path(file).name


def _table(title: str, spots: list[Spot], total: float, rows: int) -> str:
    lines = [f"  {'own time':>9} {'share':>6} {'calls':>9}  {title}"]
    for spot in sorted(spots, reverse=True)[:rows]:
        share = spot.seconds / total if total else 0.0
        lines.append(f"  {spot.seconds * 1e3:6.1f} ms {share:6.1%} {spot.calls:9}  {spot.place}")
    return "\n".join(lines)
