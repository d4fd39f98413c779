"""Random traffic, blocks and reorgs, against a pool that is a list and judges everything anew."""

import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from node.errors import (
    FeeCapTooLow,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
)
from node.execution.fees import next_base_fee
from node.head_change import HeadChange
from node.mempool import AlreadyKnown, PoolLimits, ReplacementUnderpriced
from node.types.transaction import Transaction
from tests.node.execution.signing import GWEI
from tests.node.pooled_chain import USERS, ethereum_genesis, open_pool

SENDERS = USERS[:3]
FUNDS = 21_000 * 40 * GWEI
LIMITS = PoolLimits(max_nonce_gap=4)


def cost(tx: Transaction) -> int:
    return tx.gas * tx.max_fee_per_gas + tx.value


class PoolMachine(RuleBasedStateMachine):
    """The model is `entries`: what should be in the pool, in the order of arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        genesis = ethereum_genesis(dict.fromkeys(SENDERS, FUNDS))
        self.chain = self.stack.enter_context(open_pool(genesis, LIMITS))
        self.chain.engine.subscribe(self.follow)
        self.entries: list[Transaction] = []
        self.salt = 0

    def teardown(self) -> None:
        self.stack.close()

    def base_fee(self) -> int:
        return next_base_fee(self.chain.genesis.config, self.chain.head())

    def refusal(self, tx: Transaction) -> type[Exception] | None:
        """Why the pool should refuse a transaction, whatever its fee cap is."""
        if tx in self.entries:
            return AlreadyKnown
        own = {entry.nonce: entry for entry in self.entries if entry.sender == tx.sender}
        nonce, old = self.chain.nonce(tx.sender), own.pop(tx.nonce, None)
        if tx.nonce < nonce:
            return NonceTooLow
        if tx.nonce > nonce + 4:
            return NonceTooHigh
        if old is not None and not (
            tx.max_fee_per_gas * 10 >= old.max_fee_per_gas * 11
            and tx.max_priority_fee_per_gas * 10 >= old.max_priority_fee_per_gas * 11
        ):
            return ReplacementUnderpriced
        if cost(tx) + sum(map(cost, own.values())) > self.chain.balance(tx.sender):
            return InsufficientFunds
        return None

    def keep(self, tx: Transaction) -> None:
        self.entries = [
            entry for entry in self.entries if (entry.sender, entry.nonce) != (tx.sender, tx.nonce)
        ]
        self.entries.append(tx)

    def follow(self, change: HeadChange) -> None:
        self.entries = [
            tx
            for tx in self.entries
            if tx.nonce >= self.chain.nonce(tx.sender) and cost(tx) <= self.chain.balance(tx.sender)
        ]
        for block in reversed(change.removed):
            for tx in block.transactions:
                assert isinstance(tx, Transaction)
                if self.refusal(tx) is None:
                    self.keep(tx)

    @rule(
        user=st.integers(0, 2),
        ahead=st.integers(-1, 5),
        tip=st.integers(1, 4),
        cap=st.sampled_from([1, 5, 12]),
        share=st.sampled_from([0, 5, 20, 50, 90]),
    )
    def add(self, user: int, ahead: int, tip: int, cap: int, share: int) -> None:
        sender = SENDERS[user]
        tx = self.chain.transfer(
            user,
            max(self.chain.nonce(sender) + ahead, 0),
            tip=min(tip, cap) * GWEI,
            cap=cap * GWEI,
            value=FUNDS * share // 100,
            to=SENDERS[(user + 1) % 3],
        )
        expected = self.refusal(tx)
        if expected is not AlreadyKnown and tx.max_fee_per_gas < self.base_fee():
            expected = FeeCapTooLow
        actual = None
        try:
            self.chain.mempool.add(tx.raw)
        except Exception as error:  # noqa: BLE001 - which one it is gets compared
            actual = type(error)
        assert actual is expected
        if expected is None:
            self.keep(tx)

    @rule()
    def mine(self) -> None:
        self.salt += 1
        parent = self.chain.head()
        runnable = self.runnable()
        executed = self.chain.mine(salt=self.salt)
        # What the block could pay for in order, it has; everything else is still there or hopeless.
        assert set(executed.block.transactions) <= set(runnable)
        assert executed.block.header.parent_hash == parent.hash

    @precondition(lambda self: self.chain.head().number > 0)
    @rule(back=st.integers(1, 3))
    def unwind(self, back: int) -> None:
        number = max(self.chain.head().number - back, 0)
        header = self.chain.reader.header_by_number(number)
        assert header is not None
        self.chain.engine.set_heads(unsafe=header.ref)

    @precondition(lambda self: self.chain.head().number > 0)
    @rule(back=st.integers(1, 3), with_transfer=st.booleans())
    def reorganise(self, back: int, with_transfer: bool) -> None:
        self.salt += 1
        parent = self.chain.reader.header_by_number(max(self.chain.head().number - back, 0))
        assert parent is not None
        account = self.chain.reader.account(SENDERS[0], parent)
        nonce = account.nonce if account else 0
        other = self.chain.transfer(0, nonce, cap=5 * GWEI, value=self.salt)
        affordable = account is not None and account.balance >= cost(other)
        transactions = (other,) if with_transfer and affordable else ()
        self.chain.insert(*transactions, parent=parent, salt=self.salt)

    def runnable(self) -> list[Transaction]:
        """What can be offered to a builder one after the other, by the rules of `best`."""
        base_fee = self.base_fee()
        waiting = list(self.entries)
        nonces = {sender: self.chain.nonce(sender) for sender in SENDERS}
        order = []
        while True:
            candidates = [
                tx
                for tx in waiting
                if tx.nonce == nonces[tx.sender] and tx.max_fee_per_gas >= base_fee
            ]
            if not candidates:
                return order
            # `min` takes the first of equals: the one that came first.
            chosen = min(candidates, key=lambda tx: base_fee - tx.effective_gas_price(base_fee))
            order.append(chosen)
            waiting.remove(chosen)
            nonces[chosen.sender] += 1

    @invariant()
    def the_pool_is_the_models(self) -> None:
        content = self.chain.mempool.content()
        pending, queued = set(), set()
        for sender in SENDERS:
            own = {tx.nonce: tx for tx in self.entries if tx.sender == sender}
            nonce = self.chain.nonce(sender)
            while nonce in own:
                pending.add(own.pop(nonce))
                nonce += 1
            queued |= set(own.values())
            assert self.chain.mempool.pending_nonce(sender) == nonce
        assert {tx for own in content.pending.values() for tx in own} == pending
        assert {tx for own in content.queued.values() for tx in own} == queued
        assert len(self.chain.mempool) == len(self.entries)

    @invariant()
    def the_order_is_the_models(self) -> None:
        best = self.chain.mempool.best(self.base_fee())
        offered = []
        for tx in best:
            offered.append(tx)
            best.accept(tx.sender)
        assert offered == self.runnable()


PoolMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestPool = PoolMachine.TestCase


def test_money_that_comes_later_in_the_same_block() -> None:
    """An unwound payment is what a pending transaction lives on; it comes back behind that one."""
    machine = PoolMachine()

    def add(user: int, share: int, ahead: int = 0, cap: int = 1) -> None:
        machine.add(user=user, ahead=ahead, tip=1, cap=cap, share=share)
        check()

    def check() -> None:
        machine.the_pool_is_the_models()
        machine.the_order_is_the_models()

    with contextlib.closing(machine.stack):
        add(0, share=5)
        for _ in range(3):
            machine.mine()
            check()
        machine.unwind(back=2)
        add(0, share=0)
        add(0, share=0)
        add(1, share=20)
        add(1, share=50, ahead=1, cap=12)
        machine.unwind(back=1)
        check()
        machine.mine()
        check()
        # Too dear when its turn came; once the payment had come in, it is good for the next block.
        (waiting,) = machine.entries
        assert (waiting.sender, waiting.nonce) == (SENDERS[1], 1)
        machine.mine()
        check()
        assert machine.entries == []
