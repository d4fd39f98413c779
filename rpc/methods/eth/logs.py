"""Logs, and filters that are polled."""

from node.errors import DecodingError
from node.mempool import Mempool
from node.reader import Reader
from node.types.transaction import Transaction
from rpc.dispatcher import Method
from rpc.encoding.hexadecimal import Json, data, describe
from rpc.encoding.receipt import log_object
from rpc.encoding.transaction import pending_transaction
from rpc.errors import invalid_params, not_found
from rpc.log_query import LogQuery, log_query
from rpc.params import boolean, optional, required
from rpc.poll_filters import BlockFilter, LogsFilter, PollFilters, TransactionFilter
from rpc.slow_reads import SlowReads


class LogMethods:
    """eth_getLogs, and the filters that libraries poll in place of subscriptions."""

    def __init__(
        self, reader: Reader, mempool: Mempool, filters: PollFilters, slow_reads: SlowReads
    ) -> None:
        self._reader = reader
        self._filters = filters
        self._slow_reads = slow_reads
        mempool.subscribe(filters.on_transaction)

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        query = (required(log_query),)
        filter_id = (required(_filter_id),)
        full = (optional(boolean, False),)
        return (
            Method("eth_getLogs", self._get_logs, query),
            Method("eth_newFilter", self._new_filter, query),
            Method("eth_newBlockFilter", self._new_block_filter),
            Method("eth_newPendingTransactionFilter", self._new_transaction_filter, full),
            Method("eth_getFilterChanges", self._get_filter_changes, filter_id),
            Method("eth_getFilterLogs", self._get_filter_logs, filter_id),
            Method("eth_uninstallFilter", self._uninstall_filter, filter_id),
        )

    async def _get_logs(self, query: LogQuery) -> Json:
        return await self._slow_reads.run(self._find, query)

    async def _new_filter(self, query: LogQuery) -> Json:
        if query.block_hash is not None:
            raise invalid_params("a filter waits for new blocks: blockHash is not supported")
        return self._filters.add(LogsFilter(self._reader, query))

    async def _new_block_filter(self) -> Json:
        return self._filters.add(BlockFilter(self._reader))

    async def _new_transaction_filter(self, full: bool) -> Json:
        return self._filters.add(TransactionFilter(pending_transaction if full else _hash))

    async def _get_filter_changes(self, filter_id: str) -> Json:
        return await self._slow_reads.run(self._filters.changes, filter_id)

    async def _get_filter_logs(self, filter_id: str) -> Json:
        poll_filter = self._filters.get(filter_id)
        if not isinstance(poll_filter, LogsFilter):
            raise not_found("filter not found")
        return await self._slow_reads.run(self._find, poll_filter.query)

    async def _uninstall_filter(self, filter_id: str) -> Json:
        return self._filters.remove(filter_id)

    def _find(self, query: LogQuery) -> Json:
        if query.block_hash is not None and self._reader.header_by_hash(query.block_hash) is None:
            raise not_found("unknown block")
        wanted = query.resolve(self._reader)
        return [] if wanted is None else [log_object(item) for item in self._reader.logs(wanted)]


def _filter_id(value: Json) -> str:
    if not isinstance(value, str):
        raise DecodingError(f"expected a filter id, got {describe(value)}")
    return value


def _hash(tx: Transaction) -> str:
    return data(tx.hash)
