"""Where the history that a node keeps begins.

Headers are kept forever. Bodies, receipts, the state and the way back are kept from one block on:
`first_kept`. Blocks below it were pruned (`node/pruning.py`); a store that keeps all begins at 0.
"""

from node.errors import PrunedHistory
from node.storage.database import Snapshot, WriteTransaction
from node.storage.schema import Table, number_key
from node.storage.seal import seal, unseal
from node.types.primitives import BlockNumber

_FIRST_KEPT_KEY = b"first_kept"


def first_kept(snapshot: Snapshot) -> BlockNumber:
    """Return the number of the oldest block whose body, receipts and state are all stored.

    Block 0's body and receipts are stored besides.
    """
    raw = snapshot.get(Table.META, _FIRST_KEPT_KEY)
    number = b"" if raw is None else unseal(Table.META, _FIRST_KEPT_KEY, raw)
    return BlockNumber(int.from_bytes(number, "big"))


def put_first_kept(tx: WriteTransaction, number: int) -> None:
    """Record that the blocks below `number` are pruned."""
    tx.put(Table.META, _FIRST_KEPT_KEY, seal(_FIRST_KEPT_KEY, number_key(number)))


def pruned(what: str, first: BlockNumber) -> PrunedHistory:
    """Return the error for `what` (a block, by number) that is below the `first` one kept.

    It begins with go-ethereum's words, which clients look for.
    """
    return PrunedHistory(
        f"pruned history unavailable: {what} is older than the history kept, which begins with "
        f"block {first}: ask a node that runs with --history full"
    )
