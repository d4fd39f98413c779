"""What a chain has shown, and what of it was taken back. Pure: it is told, it asks nobody."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """A block as an RPC answer showed it; the deposit that opens it is not among `transactions`."""

    number: int
    hash: str
    parent_hash: str
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownHeads:
    """Heights of the three heads."""

    unsafe: int
    safe: int
    finalized: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a look at the chain no longer found. Empty: nothing."""

    unsafe_blocks: int = 0
    safe_blocks: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether everything shown before is still there."""
        return not (self.unsafe_blocks or self.safe_blocks)


class TornRead(Exception):
    """The chain changed while it was read; look again."""


class Ledger:
    """Keeps what has been shown. What was final once is kept for good."""

    def __init__(self) -> None:
        self.final_blocks: dict[int, str] = {}
        self.final_transactions: dict[str, str] = {}
        """Transaction hash -> hash of the final block that has it."""
        self.returned = 0
        """Transactions that were taken back and then came into another block."""
        self._heads = ShownHeads(0, 0, 0)
        self._open: dict[int, ShownBlock] = {}
        self._homeless: set[str] = set()
        self._pool_went_with: set[str] = set()
        self._is_restarted = False

    @property
    def first_open(self) -> int:
        """The lowest height that is not final yet: what to read from."""
        return self._heads.finalized + 1

    @property
    def blocks(self) -> int:
        """How many blocks the chain that was shown last has."""
        return self._heads.unsafe

    @property
    def transactions(self) -> int:
        """How many transactions the chain that was shown last has, deposits included."""
        return len(self.final_transactions) + sum(
            len(block.transactions) for block in self._open.values()
        )

    @property
    def homeless(self) -> frozenset[str]:
        """Transactions that were in a block once and are in none now."""
        return frozenset(self._homeless)

    @property
    def lost(self) -> frozenset[str]:
        """Those of the homeless that no restart explains."""
        return frozenset(self._homeless - self._pool_went_with)

    def note_restart(self) -> None:
        """Note that the process has ended, and its pool with it.

        What it took back from a block after the last look went there, too.
        """
        self._pool_went_with |= self._homeless
        self._is_restarted = True

    def block_hash(self, number: int) -> str | None:
        """Return the hash shown last at a height."""
        block = self._open.get(number)
        return self.final_blocks.get(number) if block is None else block.hash

    def see(self, blocks: Sequence[ShownBlock], heads: ShownHeads) -> TakenBack:
        """Note all blocks from `first_open` to the unsafe head; TornRead if they are no chain.

        Heights up to the finalized head become final.
        """
        self._check(blocks, heads)
        found = {block.number: block for block in blocks}
        gone = [
            block
            for number, block in self._open.items()
            if number not in found or found[number].hash != block.hash
        ]
        lost = {entry for block in gone for entry in block.transactions}
        there = {entry for block in blocks for entry in block.transactions}
        self._homeless |= lost
        if self._is_restarted:
            self._pool_went_with |= lost
            self._is_restarted = False
        self.returned += len(self._homeless & there)
        self._homeless -= there
        self._pool_went_with &= self._homeless
        safe_blocks = sum(block.number <= self._heads.safe for block in gone)
        self._open = found
        self._heads = heads
        self._settle()
        return TakenBack(len(gone) - safe_blocks, safe_blocks)

    def _check(self, blocks: Sequence[ShownBlock], heads: ShownHeads) -> None:
        numbers = [block.number for block in blocks]
        if numbers != list(range(self.first_open, heads.unsafe + 1)):
            raise TornRead(f"expected blocks {self.first_open} to {heads.unsafe}, got {numbers}")
        if not self._heads.finalized <= heads.finalized <= heads.safe <= heads.unsafe:
            raise TornRead(f"expected heads in order, after {self._heads}, got {heads}")
        parent = self.final_blocks.get(self._heads.finalized)
        for block in blocks:
            if parent not in (None, block.parent_hash):
                raise TornRead(f"block {block.number}: expected parent {parent}")
            parent = block.hash

    def _settle(self) -> None:
        for number in sorted(self._open):
            if number > self._heads.finalized:
                return
            block = self._open.pop(number)
            self.final_blocks[number] = block.hash
            self.final_transactions.update(dict.fromkeys(block.transactions, block.hash))
