"""The order in which a block builder is offered the pool's transactions."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence

from node.pending import Pending
from node.types.primitives import Address
from node.types.transaction import Transaction


class BestFirst:
    """Runnable transactions by tip, the earlier first among equals, each sender's in nonce order.

    A sender's next transaction competes once `accept` was called for the one before it. Without
    the call the sender is set aside: what follows could not run either. A transaction comes behind
    all with a lower `rank`, whatever it offers.
    """

    def __init__(
        self,
        by_sender: Mapping[Address, Sequence[Pending]],
        base_fee: int,
        rank: Callable[[Transaction], int],
    ) -> None:
        self._base_fee = base_fee
        self._rank = rank
        self._queues = {sender: iter(ready) for sender, ready in by_sender.items()}
        self._heap: list[tuple[int, int, int, Transaction]] = []
        for sender in by_sender:
            self.accept(sender)

    def __iter__(self) -> Iterator[Transaction]:
        while self._heap:
            yield heapq.heappop(self._heap)[3]

    def accept(self, sender: Address) -> None:
        """Let the sender's next transaction compete, if its fee cap reaches the base fee."""
        item = next(self._queues[sender], None)
        if item is not None and (tip := item.tip(self._base_fee)) >= 0:
            heapq.heappush(self._heap, (self._rank(item.tx), -tip, item.arrival, item.tx))
