"""The txpool namespace: what waits to be included."""

from collections.abc import Callable, Mapping

from node.mempool import Mempool
from node.types.primitives import Address, checksum_address
from node.types.transaction import Transaction
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, quantity
from rpc.encoding.transaction import pending_transaction
from rpc.params import address, required

_BySender = Mapping[Address, tuple[Transaction, ...]]


class TxpoolMethods:
    """Views of the mempool, by sender and nonce."""

    def __init__(self, mempool: Mempool) -> None:
        self._mempool = mempool

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("txpool_status", self._status),
            Method("txpool_content", self._content),
            Method("txpool_contentFrom", self._content_from, (required(address),)),
            Method("txpool_inspect", self._inspect),
        )

    async def _status(self) -> Json:
        content = self._mempool.content()
        return {
            "pending": quantity(sum(map(len, content.pending.values()))),
            "queued": quantity(sum(map(len, content.queued.values()))),
        }

    async def _content(self) -> Json:
        content = self._mempool.content()
        return {
            "pending": _show_senders(content.pending, pending_transaction),
            "queued": _show_senders(content.queued, pending_transaction),
        }

    async def _content_from(self, sender: Address) -> Json:
        content = self._mempool.content()
        return {
            "pending": _show_nonces(content.pending.get(sender, ()), pending_transaction),
            "queued": _show_nonces(content.queued.get(sender, ()), pending_transaction),
        }

    async def _inspect(self) -> Json:
        content = self._mempool.content()
        return {
            "pending": _show_senders(content.pending, _summary),
            "queued": _show_senders(content.queued, _summary),
        }


def _show_senders(by_sender: _BySender, show: Callable[[Transaction], Json]) -> Json:
    return {
        checksum_address(sender): _show_nonces(transactions, show)
        for sender, transactions in by_sender.items()
    }


def _show_nonces(
    transactions: tuple[Transaction, ...], show: Callable[[Transaction], Json]
) -> Json:
    return {str(tx.nonce): show(tx) for tx in transactions}


def _summary(tx: Transaction) -> str:
    to = "contract creation" if tx.to is None else checksum_address(tx.to)
    return f"{to}: {tx.value} wei + {tx.gas} gas × {tx.max_fee_per_gas} wei"  # noqa: RUF001
