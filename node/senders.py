"""Who signed many transactions: recovered on all cores before a block needs them one by one."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from node.errors import InvalidTransaction
from node.types.block import AnyTransaction
from node.types.transaction import Transaction

_CORES = os.cpu_count() or 1
_FEW = 16
"""Up to so many are recovered sooner than threads wake up."""

# Recovery is native code that leaves the interpreter to others meanwhile.
_threads = ThreadPoolExecutor(max_workers=_CORES, thread_name_prefix="senders")


def recover_senders(transactions: Iterable[AnyTransaction]) -> None:
    """Recover the senders that are not known yet; each transaction remembers its own.

    One that has none is passed over: it raises InvalidTransaction when its sender is asked for.
    """
    unknown = [tx for tx in transactions if isinstance(tx, Transaction) and not tx.is_sender_known]
    if len(unknown) > _FEW:
        for _ in _threads.map(_recover, (unknown[core::_CORES] for core in range(_CORES))):
            pass


def _recover(transactions: Sequence[Transaction]) -> None:
    for tx in transactions:
        with suppress(InvalidTransaction):
            tx.sender  # noqa: B018 - it is remembered
