"""Transactions that take too long: cut short, and dropped if no block could ever hold them."""

from collections.abc import Callable

from node.builder import FillLimits
from node.execution.transition import ExecutedBlock
from node.types.transaction import Transaction
from node.wariness import LIGHT_GAS, WARY_BLOCKS
from tests.node.execution.signing import GWEI
from tests.node.pooled_chain import PooledChain, open_pool

LOOP = bytes.fromhex("5b5f56")  # JUMPDEST PUSH0 JUMP: burns all the gas that it gets


def after(looks: int) -> Callable[[], bool]:
    """Return a clock that has run out once it was looked at `looks` times."""
    left = iter(range(looks))
    return lambda: next(left, None) is None


def endless(chain: PooledChain, tip: int) -> Transaction:
    return chain.transfer(0, 0, to=None, data=LOOP, gas=2_000_000, value=0, tip=tip, cap=50 * GWEI)


def included(executed: ExecutedBlock) -> list[Transaction]:
    return [tx for tx in executed.block.transactions if isinstance(tx, Transaction)]


def test_a_transaction_that_outlasts_a_whole_block_leaves_the_pool() -> None:
    with open_pool() as chain:
        loop, transfer = endless(chain, 9 * GWEI), chain.transfer(1, 0, tip=GWEI)
        chain.mempool.add(loop.raw)
        chain.mempool.add(transfer.raw)
        assert included(chain.mine(limits=FillLimits(after(5), 2**20))) == []
        assert chain.mempool.get(loop.hash) is None
        assert included(chain.mine()) == [transfer]


def test_a_transaction_cut_short_behind_another_is_tried_again() -> None:
    with open_pool() as chain:
        loop, transfer = endless(chain, GWEI), chain.transfer(1, 0, tip=9 * GWEI)
        chain.mempool.add(loop.raw)
        chain.mempool.add(transfer.raw)
        assert included(chain.mine(limits=FillLimits(after(6), 2**20))) == [transfer]
        assert chain.mempool.get(loop.hash) is not None
        assert included(chain.mine()) == [loop]


def test_slow_transactions_do_not_keep_others_out_block_after_block() -> None:
    """What is cut short pays nothing: it costs its sender nothing to send the next one."""
    with open_pool() as chain:

        def slow(number: int) -> Transaction:
            tx = endless(chain, (10 + number) * GWEI)
            chain.mempool.add(tx.raw)
            return tx

        for nonce in range(WARY_BLOCKS + 4):
            chain.mempool.add(chain.transfer(1, nonce, tip=GWEI).raw)
        first = slow(0)
        assert included(chain.mine(limits=FillLimits(after(6), 2**20))) == []
        assert chain.mempool.get(first.hash) is None
        # From now on the honest one comes first, whatever the slow one offers.
        second = slow(1)
        for nonce in range(WARY_BLOCKS - 1):
            executed = chain.mine(limits=FillLimits(after(1), 2**20))
            assert [tx.nonce for tx in included(executed)] == [nonce]
        # Trust comes back: whoever was slow once may have been unlucky.
        assert next(iter(chain.mempool.best(0))) == second


def test_a_light_transaction_that_is_cut_short_makes_nobody_wary() -> None:
    with open_pool() as chain:
        light = chain.transfer(0, to=None, data=LOOP, gas=LIGHT_GAS, value=0, tip=9 * GWEI)
        heavy = chain.transfer(1, gas=LIGHT_GAS + 1, tip=8 * GWEI)
        plain = chain.transfer(2, tip=GWEI)
        for tx in (light, heavy, plain):
            chain.mempool.add(tx.raw)
        assert included(chain.mine(limits=FillLimits(after(3), 2**20))) == []
        assert included(chain.mine()) == [heavy, plain]
