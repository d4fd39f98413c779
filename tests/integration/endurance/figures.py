"""What happened in a run, the demands on it, and the table that tells both."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.integration.endurance.ledger import Ledger, TakenBack

MOST_L1_BLOCKS_BEHIND = 10
MOST_MEMORY_MIB = 1024
LONGEST_PAUSE_S = 30.0
_MOST_PROBLEMS_SHOWN = 20


@dataclass(slots=True)
class Figures:
    """The record of a run. Settled: neither a restart nor a reorg shortly before."""

    ledger: Ledger = field(default_factory=Ledger)
    most_lag_disturbed: int | None = None
    """How far the safe head may be behind right after a reorg or restart; None: no matter.

    What the reorg itself takes counts: a depth of 8 on the embedded L1 makes it 8 to 10.
    """
    settled_lag: list[int] = field(default_factory=list)
    """L1's head minus the safe head's L1 origin, in L1 blocks, a reading a second."""
    disturbed_lag: list[int] = field(default_factory=list)
    longest_pause_s: float = 0.0
    """Longest time without a new unsafe block, while settled."""
    memory_mib: list[int] = field(default_factory=list)
    """Resident, file pages (the stores') included."""
    anonymous_mib: list[int] = field(default_factory=list)
    """Resident, without them."""
    recovery_s: dict[str, list[float]] = field(default_factory=dict)
    """By disturbance: seconds until the safe head was past where it had been."""
    events: Counter[str] = field(default_factory=Counter)
    reorg_depths: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    """Transactions whose receipts came, by kind."""
    deposits: set[str] = field(default_factory=set)
    """Hashes on L2 of the deposits among them."""
    unlike_meant: int = 0
    """Receipts with another status than meant: after a reorg state may be gone."""
    refused: int = 0
    unanswered: int = 0
    """Sent transactions that were in no block half a minute later."""
    reorged: list[TakenBack] = field(default_factory=list)
    compared: int = 0
    """The highest safe block that was seen to be the same at verifier and sequencer."""
    l1_blocks: int = 0
    duration_s: float = 0.0
    is_complete: bool = False
    derived_again: int | None = None
    """The height up to which a fresh verifier derived the chain from L1 alone."""
    problems: list[str] = field(default_factory=list)

    def add_problem(self, text: str) -> None:
        """Note something that must not be; the same thing once."""
        if text not in self.problems:
            self.problems.append(text)

    def lost_transactions(self) -> frozenset[str]:
        """Return what a reorg took back, what is in no block, and what no restart explains.

        A deposit whose L1 block is replaced has another hash afterwards.
        """
        return self.ledger.lost - self.deposits

    def broken_demands(self) -> list[str]:
        """Return what was demanded and does not hold; empty if all is well."""
        broken = list(self.problems)
        lag = max(self.settled_lag, default=0)
        if lag > MOST_L1_BLOCKS_BEHIND:
            broken.append(
                f"the safe head was {lag} L1 blocks behind, at most {MOST_L1_BLOCKS_BEHIND} "
                "demanded"
            )
        disturbed, most = max(self.disturbed_lag, default=0), self.most_lag_disturbed
        if most is not None and disturbed > most:
            broken.append(
                f"the safe head was {disturbed} L1 blocks behind after a reorg or restart, at most "
                f"{most} demanded"
            )
        memory = max(self.memory_mib, default=0)
        if memory >= MOST_MEMORY_MIB:
            broken.append(f"{memory} MiB resident, less than {MOST_MEMORY_MIB} demanded")
        if self.longest_pause_s > LONGEST_PAUSE_S:
            broken.append(
                f"no new unsafe block for {self.longest_pause_s:.0f} s, at most "
                f"{LONGEST_PAUSE_S:.0f} demanded"
            )
        return broken

    def table(self) -> str:
        """Return all figures, then whether the demands hold."""
        rows = [*self._run_rows(), *self._health_rows(), *self._loss_rows()]
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        broken = self.broken_demands()
        if broken:
            lines += ["", "BROKEN:", *(f"- {text}" for text in broken[:_MOST_PROBLEMS_SHOWN])]
            if len(broken) > _MOST_PROBLEMS_SHOWN:
                lines.append(f"- and {len(broken) - _MOST_PROBLEMS_SHOWN} more")
        elif self.is_complete:
            lines += ["", "All demands hold."]
        else:
            lines += ["", "Not finished; all demands hold so far."]
        return "\n".join(lines)

    def _run_rows(self) -> list[tuple[str, str]]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
        depths = ", ".join(map(str, self.reorg_depths)) or "none"
        again = "no" if self.derived_again is None else f"yes, to block {self.derived_again}"
        return [
            ("duration", f"{self.duration_s / 60:.1f} min"),
            ("L1 blocks", str(self.l1_blocks)),
            ("L2 blocks", str(self.ledger.blocks)),
            ("transactions on L2", str(self.ledger.transactions)),
            ("receipts", f"{sum(self.kinds.values())} ({kinds})"),
            ("status other than meant", str(self.unlike_meant)),
            ("refused; in no block for 30 s", f"{self.refused}; {self.unanswered}"),
            ("L1 reorgs survived, depths", f"{len(self.reorg_depths)}: {depths}"),
            ("restarts", ", ".join(f"{n} {name}" for name, n in self.events.items()) or "0"),
            ("verifier agrees, to block", str(self.compared)),
            ("derived again by a fresh verifier", again),
        ]

    def _health_rows(self) -> list[tuple[str, str]]:
        both = [*self.settled_lag, *self.disturbed_lag]
        rows = [
            ("safe head behind L1, L1 blocks, settled", _spread(self.settled_lag)),
            ("the same, always", _spread(both)),
            ("longest pause of the unsafe head, settled", f"{self.longest_pause_s:.1f} s"),
            ("resident memory, MiB", _spread(self.memory_mib)),
            ("of it anonymous, MiB", f"{_spread(self.anonymous_mib)}, {_growth(self)}"),
        ]
        for name, times in self.recovery_s.items():
            rows.append((f"safe head past its old height after a {name}, s", _spread(times)))
        return rows

    def _loss_rows(self) -> list[tuple[str, str]]:
        unsafe = sum(entry.unsafe_blocks for entry in self.reorged)
        safe = sum(entry.safe_blocks for entry in self.reorged)
        homeless, returned = self.ledger.homeless, self.ledger.returned
        deposits = len(homeless & self.deposits)
        return [
            ("blocks taken back by reorgs", f"{unsafe} unsafe, {safe} safe"),
            (
                "transactions taken back by reorgs",
                f"{len(homeless) + returned}: {returned} came back, {deposits} were deposits "
                f"(new L1 block, new hash), {len(homeless) - deposits} are in no block, "
                f"{len(self.lost_transactions())} of these without a restart of the pool",
            ),
            (
                "final and still there",
                f"{len(self.ledger.final_blocks)} blocks, "
                f"{len(self.ledger.final_transactions)} transactions",
            ),
        ]


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "not measured"
    return f"max {_number(max(values))}, median {_number(statistics.median(values))}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _growth(figures: Figures) -> str:
    """Tell how memory at the end compares with the beginning: a tenth of the readings each."""
    values = figures.anonymous_mib
    part = len(values) // 10
    if not part:
        return "too short to see growth"
    return f"from {_mean(values[:part])} to {_mean(values[-part:])}"


def _mean(values: Iterable[int]) -> str:
    return f"{statistics.fmean(values):.0f}"
