"""Chooses which pending transactions go into a block, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

from node.errors import BlockGasLimitReached, FeeCapTooLow, InvalidTransaction, LaneLimitReached
from node.execution.transition import BlockExecution
from node.mempool import Mempool
from node.types.transaction import Transaction

MIN_TRANSACTION_GAS = 21_000


@dataclass(frozen=True, slots=True)
class FillLimits:
    """When to stop adding transactions. `out_of_time` is asked before each one."""

    out_of_time: Callable[[], bool]
    max_da_bytes: int


def fill(
    execution: BlockExecution, mempool: Mempool, limits: FillLimits
) -> tuple[Transaction, ...]:
    """Apply pending transactions by tip until gas, data or time runs out.

    A sender whose transaction cannot run in this block is set aside. One that can never run on
    the state at hand (wrong nonce, no funds) also leaves the pool. Returns what was included.
    """
    included: list[Transaction] = []
    candidates = mempool.best(execution.base_fee)
    for tx in candidates:
        if limits.out_of_time() or execution.gas_left < MIN_TRANSACTION_GAS:
            break
        if execution.da_bytes + len(tx.raw) > limits.max_da_bytes:
            continue
        try:
            execution.apply(tx)
        except (BlockGasLimitReached, LaneLimitReached, FeeCapTooLow):
            continue
        except InvalidTransaction:
            mempool.drop(tx)
            continue
        included.append(tx)
        candidates.accept(tx.sender)
    return tuple(included)
