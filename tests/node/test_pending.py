"""The data structure against plain lists that are searched from end to end."""

from hypothesis import given
from hypothesis import strategies as st

from node.pending import Pending, PendingTransactions
from node.types.transaction import Transaction
from tests.node.pending_model import (
    BASE_FEE,
    NEXT_NONCES,
    OFFERS,
    TRANSACTIONS,
    Model,
    fill,
)
from tests.node.pooled_chain import USERS


def check(pending: PendingTransactions, model: Model) -> None:
    assert len(pending) == len(model.items)
    assert pending.size == sum(len(item.tx.raw) for item in model.items)
    assert set(pending.senders()) == {item.tx.sender for item in model.items}
    assert all(pending.get(item.tx.hash) is item.tx for item in model.items)
    for user in USERS[:3]:
        own = model.of(user)
        assert pending.count(user) == len(own)
        assert pending.cost(user) == sum(item.cost for item in own)
        ready = [item for item in own if model.is_ready(item)]
        assert [*pending.ready(user)] == ready
        assert [*pending.waiting(user)] == [item for item in own if item not in ready]
        free = model.next_nonces[user] + len(ready)
        assert pending.next_free_nonce(user, model.next_nonces[user]) == free
        for item in own:
            assert pending.at(user, item.tx.nonce) is item
            assert pending.rank(item, model.next_nonces[user], BASE_FEE) == model.rank(item)


@given(OFFERS, NEXT_NONCES, st.data())
def test_bookkeeping(
    offers: list[Transaction], next_nonces: tuple[int, ...], data: st.DataObject
) -> None:
    pending, model = fill(offers, next_nonces)
    check(pending, model)
    for user in USERS[:3]:
        nonce, balance = data.draw(st.integers(0, 6)), data.draw(st.sampled_from([120, 200]))
        pending.follow_account(user, nonce, balance)
        model.next_nonces[user] = nonce
        model.items = [
            item
            for item in model.items
            if item.tx.sender != user or (item.tx.nonce >= nonce and item.cost <= balance)
        ]
    check(pending, model)
    for item in list(model.items):
        if data.draw(st.booleans()):
            pending.remove(item.tx)
            pending.remove(item.tx)
            model.items.remove(item)
    check(pending, model)


@given(
    OFFERS, NEXT_NONCES, TRANSACTIONS, st.integers(0, 3), st.integers(-9, 400), st.integers(0, 2)
)
def test_who_gives_way(
    offers: list[Transaction],
    next_nonces: tuple[int, ...],
    newcomer: Transaction,
    count: int,
    size: int,
    spare: int,
) -> None:
    pending, model = fill(offers, next_nonces)
    item = Pending(newcomer, 0, len(offers))
    rank = pending.rank(item, model.next_nonces[newcomer.sender], BASE_FEE)
    given_up = pending.worse_than(rank, BASE_FEE, count, size, spare)
    # The plain way: again and again the worst of all that nothing stands on.
    expected: list[Transaction] = []
    left = Model(next_nonces)
    left.items = list(model.items)
    while len(expected) < count + spare or sum(len(tx.raw) for tx in expected) < size:
        tails = [left.of(user)[-1] for user in USERS[:3] if left.of(user)]
        if not tails or left.rank(worst := min(tails, key=left.rank)) >= rank:
            break
        left.items.remove(worst)
        expected.append(worst.tx)
    is_enough = len(expected) >= count and sum(len(tx.raw) for tx in expected) >= size
    assert list(given_up) == (expected if is_enough else [])
    # Asking changes nothing, and a second answer is the first.
    check(pending, model)
    assert pending.worse_than(rank, BASE_FEE, count, size, spare) == given_up


@given(OFFERS, NEXT_NONCES, st.lists(TRANSACTIONS, max_size=5), st.integers(0, 9))
def test_a_search_that_was_saved_would_have_found_nothing(
    offers: list[Transaction],
    next_nonces: tuple[int, ...],
    newcomers: list[Transaction],
    base_fee: int,
) -> None:
    pending, model = fill(offers, next_nonces)
    for newcomer in newcomers:
        fresh, _ = fill([item.tx for item in model.items], next_nonces)
        next_nonce = model.next_nonces[newcomer.sender]
        rank = pending.rank(Pending(newcomer, 0, 99), next_nonce, base_fee)
        assert bool(pending.worse_than(rank, base_fee, 1, 0, 0)) == bool(
            fresh.worse_than(rank, base_fee, 1, 0, 0)
        )
