"""What the pool keeps, as a plain list that is searched from end to end."""

from collections.abc import Sequence

from hypothesis import strategies as st

from node.pending import Pending, PendingTransactions
from node.types.transaction import Transaction
from tests.node.execution.signing import sign
from tests.node.pooled_chain import KEYS, USERS

BASE_FEE = 4


def signed(user: int, nonce: int, tip: int, cap: int, size: int, gas: int) -> Transaction:
    return sign(key=KEYS[user], nonce=nonce, tip=min(tip, cap), cap=cap, data=bytes(size), gas=gas)


TRANSACTIONS = st.builds(
    signed,
    st.integers(0, 2),
    st.integers(0, 5),
    tip=st.integers(0, 4),
    cap=st.integers(1, 9),
    size=st.sampled_from([0, 50]),
    gas=st.sampled_from([50_000, 50_001]),
)
OFFERS = st.lists(TRANSACTIONS, max_size=14, unique_by=lambda tx: tx.hash)
NEXT_NONCES = st.tuples(*[st.integers(0, 3)] * 3)


class Model:
    """All transactions in one list; `next_nonces` by user."""

    def __init__(self, next_nonces: Sequence[int]) -> None:
        self.items: list[Pending] = []
        self.next_nonces = dict(zip(USERS, next_nonces, strict=False))

    def put(self, new: Pending) -> None:
        place = (new.tx.sender, new.tx.nonce)
        self.items = [i for i in self.items if (i.tx.sender, i.tx.nonce) != place] + [new]

    def of(self, sender: bytes) -> list[Pending]:
        own = [item for item in self.items if item.tx.sender == sender]
        return sorted(own, key=lambda item: item.tx.nonce)

    def is_ready(self, item: Pending) -> bool:
        nonces = {other.tx.nonce for other in self.of(item.tx.sender)}
        first = self.next_nonces[item.tx.sender]
        return nonces >= set(range(first, item.tx.nonce))

    def rank(self, item: Pending) -> tuple[bool, int, int]:
        before = [o for o in self.of(item.tx.sender) if o.tx.nonce < item.tx.nonce]
        tips = [o.tx.effective_gas_price(BASE_FEE) - BASE_FEE for o in [item, *before]]
        return self.is_ready(item), min(tips), -item.arrival


def fill(
    offers: Sequence[Transaction], next_nonces: Sequence[int]
) -> tuple[PendingTransactions, Model]:
    pending, model = PendingTransactions(), Model(next_nonces)
    for arrival, tx in enumerate(offers):
        if tx.nonce >= model.next_nonces[tx.sender]:
            item = Pending(tx, 100 + tx.value + len(tx.data), arrival)
            pending.put(item, model.next_nonces[tx.sender])
            model.put(item)
    return pending, model
