"""Transactions that take too long: cut short, and dropped if no block could ever hold them."""

from collections.abc import Callable

from node.builder import FillLimits
from node.execution.transition import ExecutedBlock
from node.types.transaction import Transaction
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
