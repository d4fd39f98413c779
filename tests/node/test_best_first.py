from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from node.best_first import BestFirst
from node.types.primitives import UINT64_MAX
from node.types.transaction import Transaction
from tests.node.pending_model import NEXT_NONCES, OFFERS, fill
from tests.node.pooled_chain import USERS


@given(
    OFFERS,
    NEXT_NONCES,
    st.integers(0, 9),
    st.sampled_from([49_999, 50_000, UINT64_MAX]),
    st.integers(0, 3),
    st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_best_first(
    offers: list[Transaction],
    next_nonces: tuple[int, ...],
    base_fee: int,
    light_gas: int,
    last: int,
    verdicts: list[bool],
) -> None:
    pending, _ = fill(offers, next_nonces)

    def rank(tx: Transaction) -> int:
        return 2 if tx.sender == USERS[last] else 1 if tx.gas > light_gas else 0

    ready = {user: pending.ready(user) for user in pending.senders()}
    best = BestFirst(ready, base_fee, rank)
    offered: list[Transaction] = []
    accepted = iter(verdicts)
    expected: list[Transaction] = []
    queues = defaultdict(list, {user: list(pending.ready(user)) for user in USERS[:3]})
    for tx in best:
        offered.append(tx)
        # The plain way: the best of all that come next for their senders.
        candidates = [
            queue[0] for queue in queues.values() if queue and queue[0].tip(base_fee) >= 0
        ]
        expected.append(
            min(
                candidates,
                key=lambda item: (rank(item.tx), -item.tip(base_fee), item.arrival),
            ).tx
        )
        queue = queues[tx.sender]
        queue.pop(0)
        if next(accepted):
            best.accept(tx.sender)
        else:
            queue.clear()
    assert offered == expected
    assert not [queue for queue in queues.values() if queue and queue[0].tip(base_fee) >= 0]
    assert len(set(offered)) == len(offered)
