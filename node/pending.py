"""The pool's transactions by sender and nonce: a plain data structure, without checks or locks."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from node.types.primitives import Address, Hash32
from node.types.transaction import BLOB, Transaction

Rank: TypeAlias = tuple[bool, int, int]
"""Who keeps a place in a full pool: the runnable first, then the higher tip, then the earlier.

A tip counts no more than those of the sender's transactions before it, which must run first.
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """A transaction in the pool, what its sender must own for it (wei), and its place in line."""

    tx: Transaction
    cost: int
    arrival: int

    def tip(self, base_fee: int) -> int:
        """Return the tip per gas at a base fee; below zero if the fee cap does not reach it."""
        return self.tx.effective_gas_price(base_fee) - base_fee


@dataclass(slots=True)
class _Sender:
    """One sender's transactions by nonce; `next_nonce` is the account's, none is below it."""

    next_nonce: int
    cost: int = 0
    by_nonce: dict[int, Pending] = field(default_factory=dict)

    def ready(self) -> Iterator[Pending]:
        """Return those without a nonce gap before them, in order."""
        nonce = self.next_nonce
        while (item := self.by_nonce.get(nonce)) is not None:
            yield item
            nonce += 1

    def ranked(self, base_fee: int) -> list[tuple[Rank, Transaction]]:
        """Return all in nonce order, with their ranks."""
        ranked: list[tuple[Rank, Transaction]] = []
        tip, expected = None, self.next_nonce
        for nonce in sorted(self.by_nonce):
            item = self.by_nonce[nonce]
            own = item.tip(base_fee)
            tip = own if tip is None else min(tip, own)
            ranked.append(((nonce == expected, tip, -item.arrival), item.tx))
            expected += 1
        return ranked


class PendingTransactions:
    """Keeps what it is given. `size` is the sum of the transactions with blobs, in bytes."""

    def __init__(self) -> None:
        self._senders: dict[Address, _Sender] = {}
        self._by_hash: dict[Hash32, Transaction] = {}
        self._floor: tuple[int, Rank] | None = None
        self.size = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    def senders(self) -> tuple[Address, ...]:
        """Return everybody with a transaction here."""
        return tuple(self._senders)

    def get(self, tx_hash: Hash32) -> Transaction | None:
        """Return a transaction by hash."""
        return self._by_hash.get(tx_hash)

    def at(self, sender: Address, nonce: int) -> Pending | None:
        """Return the transaction with a nonce."""
        owned = self._senders.get(sender)
        return None if owned is None else owned.by_nonce.get(nonce)

    def count(self, sender: Address) -> int:
        """Return how many transactions a sender has."""
        owned = self._senders.get(sender)
        return 0 if owned is None else len(owned.by_nonce)

    def blob_count(self, sender: Address) -> int:
        """Return how many of a sender's transactions have blobs."""
        owned = self._senders.get(sender)
        items = () if owned is None else owned.by_nonce.values()
        return sum(item.tx.type == BLOB for item in items)

    def cost(self, sender: Address) -> int:
        """Return what all transactions of a sender cost together, in wei."""
        owned = self._senders.get(sender)
        return 0 if owned is None else owned.cost

    def next_free_nonce(self, sender: Address, nonce: int) -> int:
        """Return the lowest nonce from `nonce` on that no transaction has."""
        owned = self._senders.get(sender)
        while owned is not None and nonce in owned.by_nonce:
            nonce += 1
        return nonce

    def ready(self, sender: Address) -> tuple[Pending, ...]:
        """Return the transactions that can run one after the other, beginning now."""
        owned = self._senders.get(sender)
        return () if owned is None else tuple(owned.ready())

    def waiting(self, sender: Address) -> tuple[Pending, ...]:
        """Return the transactions behind the first nonce gap, in order."""
        owned = self._senders.get(sender)
        if owned is None:
            return ()
        gap = self.next_free_nonce(sender, owned.next_nonce)
        return tuple(owned.by_nonce[nonce] for nonce in sorted(owned.by_nonce) if nonce > gap)

    def put(self, item: Pending, next_nonce: int) -> None:
        """Keep a transaction, in the place of the one with its nonce if there is one."""
        tx = item.tx
        replaced = self.at(tx.sender, tx.nonce)
        if replaced is not None:
            self.remove(replaced.tx)
        owned = self._senders.setdefault(tx.sender, _Sender(next_nonce))
        owned.next_nonce = next_nonce
        owned.by_nonce[tx.nonce] = item
        owned.cost += item.cost
        self._by_hash[tx.hash] = tx
        self.size += tx.size
        self._floor = None

    def remove(self, tx: Transaction) -> None:
        """Forget a transaction; nothing happens if it is not here (any more)."""
        if self._by_hash.pop(tx.hash, None) is None:
            return
        owned = self._senders[tx.sender]
        item = owned.by_nonce.pop(tx.nonce)
        owned.cost -= item.cost
        if not owned.by_nonce:
            del self._senders[tx.sender]
        self.size -= tx.size
        self._floor = None

    def follow_account(self, sender: Address, nonce: int, balance: int) -> None:
        """Take note of an account: forget what has an old nonce or costs more than it owns."""
        owned = self._senders.get(sender)
        if owned is None:
            return
        owned.next_nonce = nonce
        self._floor = None
        for used, item in list(owned.by_nonce.items()):
            if used < nonce or item.cost > balance:
                self.remove(item.tx)

    def rank(self, item: Pending, next_nonce: int, base_fee: int) -> Rank:
        """Return the rank that a newcomer would have."""
        sender, nonce = item.tx.sender, item.tx.nonce
        owned = self._senders.get(sender)
        before = () if owned is None else owned.by_nonce.values()
        tips = (other.tip(base_fee) for other in before if other.tx.nonce < nonce)
        is_ready = self.next_free_nonce(sender, next_nonce) >= nonce
        return is_ready, min((item.tip(base_fee), *tips)), -item.arrival

    def worse_than(
        self, rank: Rank, base_fee: int, count: int, size: int, spare: int
    ) -> tuple[Transaction, ...]:
        """Return the worst transactions, each ranked below `rank`; nothing is removed.

        Without any of them no sender has a new nonce gap. There are as many as free `count` places
        and `size` bytes, and `spare` more (so that the next newcomers need no search); none at all
        if so much cannot be freed.
        """
        if self._floor is not None and self._floor[0] == base_fee and rank <= self._floor[1]:
            return ()
        tails = [owned.ranked(base_fee) for owned in self._senders.values()]
        heap = [(ranked[-1][0], index) for index, ranked in enumerate(tails)]
        heapq.heapify(heap)
        # Until something changes, newcomers that do not even rank above this need no search.
        self._floor = (base_fee, heap[0][0]) if heap else None
        found: list[Transaction] = []
        while heap and heap[0][0] < rank and (len(found) < count + spare or size > 0):
            index = heap[0][1]
            tx = tails[index].pop()[1]
            found.append(tx)
            size -= tx.size
            if tails[index]:
                heapq.heapreplace(heap, (tails[index][-1][0], index))
            else:
                heapq.heappop(heap)
        return tuple(found) if len(found) >= count and size <= 0 else ()
