"""Money that comes and goes while transactions are pending: what the pool keeps, what it drops."""

import pytest

from node.builder import fill
from node.errors import InsufficientFunds
from node.execution.transition import ExecutedBlock
from node.types.block import Header
from node.types.deposit import DepositTransaction, make_deposit
from node.types.primitives import Address, Hash32
from node.types.transaction import Transaction
from tests.node.execution.signing import GWEI
from tests.node.pooled_chain import (
    ETHER,
    UNLIMITED,
    USERS,
    PooledChain,
    ethereum_genesis,
    open_pool,
    rollup_genesis,
)

CAP = 2 * GWEI
GAS = 21_000 * CAP


def pooled(chain: PooledChain) -> set[Transaction]:
    content = chain.mempool.content()
    return {tx for part in (content.pending, content.queued) for own in part.values() for tx in own}


def signed(executed: ExecutedBlock) -> list[Transaction]:
    return [tx for tx in executed.block.transactions if isinstance(tx, Transaction)]


def add_all(chain: PooledChain, *transactions: Transaction) -> None:
    for tx in transactions:
        chain.mempool.add(tx.raw)


def deposit_for(user: Address, mint: int) -> DepositTransaction:
    """Return a payment from L1 by somebody else: the user's own would take a nonce on L2 too."""
    return make_deposit(
        source_hash=Hash32(b"\x5d" * 32),
        sender=Address(b"\xd0" * 20),
        to=user,
        mint=mint,
        value=mint,
        gas=100_000,
        is_system_transaction=False,
        data=b"",
    )


def insert_with(
    chain: PooledChain, deposit: DepositTransaction, *transactions: Transaction
) -> ExecutedBlock:
    """Insert a rollup's block with a user's deposit and then exactly these transactions."""
    with chain.begin() as execution:
        execution.apply(deposit)
        for tx in transactions:
            execution.apply(tx)
        executed = execution.seal()
    chain.engine.insert(executed)
    return executed


def test_what_the_block_itself_has_taken_drops_nothing() -> None:
    """A block may pay a sender after all, or be abandoned."""
    with open_pool(ethereum_genesis({USERS[0]: ETHER, USERS[1]: ETHER})) as chain:
        genesis = chain.head()
        payment = chain.transfer(1, 0, value=ETHER // 2, to=USERS[0], cap=CAP)
        add_all(chain, payment)
        chain.mine()
        first = chain.transfer(0, 0, value=ETHER - 2 * GAS, cap=CAP, tip=CAP)
        second = chain.transfer(0, 1, value=ETHER // 4, cap=CAP, tip=CAP)
        add_all(chain, first, second)
        chain.engine.set_heads(unsafe=genesis.ref)
        assert pooled(chain) == {first, second, payment}
        with chain.begin() as execution:
            assert fill(execution, chain.mempool, UNLIMITED) == (first, payment)
        assert pooled(chain) == {first, second, payment}
        assert signed(chain.mine()) == [first, payment]
        assert pooled(chain) == {second}
        assert signed(chain.mine()) == [second]


def test_what_a_block_has_made_too_dear_leaves_with_it() -> None:
    with open_pool(ethereum_genesis({USERS[0]: ETHER, USERS[1]: ETHER})) as chain:
        genesis = chain.head()
        chain.insert(chain.transfer(1, 0, value=ETHER // 2, to=USERS[0], cap=CAP))
        first = chain.transfer(0, 0, value=ETHER * 3 // 4, cap=CAP)
        second = chain.transfer(0, 1, value=ETHER // 2, cap=CAP)
        add_all(chain, first, second)
        # Another block takes the place of the payment.
        chain.insert(chain.transfer(1, 0, cap=CAP), parent=genesis, salt=1)
        assert pooled(chain) == {first, second}
        assert signed(chain.mine()) == [first]
        assert pooled(chain) == set()


def open_after_deposit(chain: PooledChain) -> tuple[Header, list[Transaction], list[Transaction]]:
    """Let a deposit fund user 0, and others be busy; return the block before, and what there is.

    First the transactions that only the deposit pays for, then those that do not need it.
    """
    start = chain.head()
    funded = [
        chain.transfer(0, 0, value=ETHER // 2, cap=CAP),
        chain.transfer(0, 1, value=ETHER // 4, cap=CAP),
    ]
    rich = [chain.transfer(1, 0, cap=CAP), chain.transfer(2, 0, cap=CAP)]
    insert_with(chain, deposit_for(USERS[0], ETHER), funded[0], rich[0])
    waiting = [chain.transfer(1, 1, cap=CAP), chain.transfer(3, 2, cap=CAP), rich[1]]
    add_all(chain, funded[1], *waiting)
    return start, funded, [rich[0], *waiting]


def test_what_an_unwound_deposit_has_paid_for_does_not_come_back() -> None:
    with open_pool(rollup_genesis({USERS[0]: 0})) as chain:
        start, funded, others = open_after_deposit(chain)
        assert pooled(chain) == {funded[1], *others[1:]}
        heard: list[Transaction] = []
        chain.mempool.subscribe(heard.append)
        chain.engine.set_heads(unsafe=start.ref)
        # Neither what it included nor what waited for it; all others' are there, runnable or not.
        assert pooled(chain) == set(others)
        assert heard == [others[0]]
        assert chain.mempool.pending_nonce(USERS[0]) == 0
        with pytest.raises(InsufficientFunds, match="have 0 want"):
            add_all(chain, funded[0])
        assert set(signed(chain.mine())) == {others[0], others[1], others[3]}
        assert pooled(chain) == {others[2]}


def test_what_the_sender_can_pay_without_the_deposit_comes_back() -> None:
    """Only what costs too much is gone, not its sender's other transactions."""
    with open_pool(rollup_genesis({USERS[0]: ETHER // 10})) as chain:
        start = chain.head()
        cheap, dear, last = (
            chain.transfer(0, nonce, value=value, cap=CAP)
            for nonce, value in enumerate((1, ETHER // 2, 2))
        )
        insert_with(chain, deposit_for(USERS[0], ETHER), cheap, dear)
        add_all(chain, last)
        chain.engine.set_heads(unsafe=start.ref)
        content = chain.mempool.content()
        assert content.pending == {USERS[0]: (cheap,)}
        assert content.queued == {USERS[0]: (last,)}
        assert signed(chain.mine()) == [cheap]
        # The deposit comes in a later block: the sender goes on where it was.
        insert_with(chain, deposit_for(USERS[0], ETHER))
        add_all(chain, dear)
        assert signed(chain.mine()) == [dear, last]


def test_a_deposit_that_is_derived_again_pays_again() -> None:
    """The same deposit in the block that replaces the unwound one: what it funded comes back."""
    with open_pool(rollup_genesis({USERS[0]: 0})) as chain:
        start, funded, others = open_after_deposit(chain)
        with chain.begin(parent=start, salt=1) as execution:
            execution.apply(deposit_for(USERS[0], ETHER))
            executed = execution.seal()
        chain.engine.insert(executed)
        assert pooled(chain) == {*funded, *others}
        assert set(signed(chain.mine())) == {*funded, *others} - {others[2]}
