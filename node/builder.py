"""Chooses which pending transactions go into a block, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

from node.errors import (
    BlockGasLimitReached,
    FeeCapTooLow,
    InsufficientFunds,
    InvalidTransaction,
    LaneLimitReached,
    NonceTooHigh,
    NonceTooLow,
    OutOfTime,
)
from node.execution.transition import BlockExecution
from node.mempool import Mempool
from node.types.transaction import Transaction

MIN_TRANSACTION_GAS = 21_000


@dataclass(frozen=True, slots=True)
class FillLimits:
    """When to stop adding transactions; `out_of_time` is asked before each and while it runs."""

    out_of_time: Callable[[], bool]
    max_da_bytes: int


def fill(
    execution: BlockExecution, mempool: Mempool, limits: FillLimits
) -> tuple[Transaction, ...]:
    """Apply pending transactions by tip until gas, data or time runs out.

    A sender whose transaction cannot run in this block is set aside. One that is refused for good
    (its sender cannot pay for it, it fits into no block) also leaves the pool: otherwise those
    with the highest tips could use up the time of every block. Returns what was included.
    """
    included: list[Transaction] = []
    candidates = mempool.best(execution.base_fee)

    def interrupt() -> None:
        if limits.out_of_time():
            raise OutOfTime("the time for filling this block is over")

    gas_limit = execution.gas_used + execution.gas_left
    for tx in candidates:
        if limits.out_of_time() or execution.gas_left < MIN_TRANSACTION_GAS:
            break
        if tx.gas > gas_limit or len(tx.raw) > limits.max_da_bytes:
            mempool.drop(tx)
            continue
        if tx.gas > execution.gas_left or execution.da_bytes + len(tx.raw) > limits.max_da_bytes:
            continue
        try:
            execution.apply(tx, interrupt)
        except OutOfTime:
            mempool.report_slow(tx)
            if not included:
                mempool.drop(tx)  # it had the whole time to itself: no later block can have it
            break
        except NonceTooLow:
            # The pool knows each account at the head: this block has used the nonce (EIP-7702), or
            # it is not built on the head. Either way the sender's next one may be right.
            candidates.accept(tx.sender)
        except (BlockGasLimitReached, LaneLimitReached, FeeCapTooLow, NonceTooHigh):
            continue
        except InsufficientFunds:
            # What this block takes from a sender it may give back, or it never becomes the head:
            # the pool judges by what the sender owns when it does.
            if not execution.has_spent(tx.sender):
                mempool.drop(tx)
        except InvalidTransaction:
            mempool.drop(tx)
        else:
            included.append(tx)
            candidates.accept(tx.sender)
    return tuple(included)
