"""Filters that clients poll: new blocks, new logs, new pending transactions."""

import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from node.clock import Clock
from node.errors import CorruptStore
from node.log_filter import block_logs, bloom_may_match
from node.reader import Reader
from node.types.block import BlockRef, Header
from node.types.primitives import BlockNumber
from node.types.transaction import Transaction
from rpc.encoding.hexadecimal import Json, data
from rpc.encoding.receipt import log_object
from rpc.errors import SERVER_ERROR, RpcError, not_found
from rpc.log_query import LogQuery

MAX_FILTERS = 1_000
LIFETIME_S = 300.0
BLOCKS_PER_POLL = 1_000
REMEMBERED_TRANSACTIONS = 10_000


class PollFilter(Protocol):
    """One client's subscription."""

    def changes(self) -> list[Json]:
        """Return what is new since the last time."""
        ...


class ChainCursor:
    """A place on the canonical chain that notices when the chain below it was replaced."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._at = reader.heads().unsafe

    def advance(self) -> tuple[list[Header], list[Header]]:
        """Return blocks that left the chain, newest first, and new ones in order."""
        removed: list[Header] = []
        while self._reader.canonical_hash(self._at.number) != self._at.hash:
            # Unwound blocks stay readable by hash, so the way back to the fork is known.
            header = self._reader.header_by_hash(self._at.hash)
            if header is None:
                raise CorruptStore(f"header of block 0x{self._at.hash.hex()}: it is missing")
            removed.append(header)
            self._at = BlockRef(header.parent_hash, BlockNumber(header.number - 1))
        added: list[Header] = []
        while len(added) < BLOCKS_PER_POLL:
            following = self._reader.header_by_number(BlockNumber(self._at.number + 1))
            if following is None or following.parent_hash != self._at.hash:
                break  # the newest block, or a reorg this very moment: the next poll sees it
            self._at = following.ref
            added.append(following)
        return removed, added


class BlockFilter:
    """Hashes of new blocks."""

    def __init__(self, reader: Reader) -> None:
        self._cursor = ChainCursor(reader)

    def changes(self) -> list[Json]:
        _, added = self._cursor.advance()
        return [data(header.hash) for header in added]


class LogsFilter:
    """New logs that match, and with `removed` those that a reorg took back."""

    def __init__(self, reader: Reader, query: LogQuery) -> None:
        self.query = query
        self._reader = reader
        self._cursor = ChainCursor(reader)
        self._filter = query.in_block(reader.heads().unsafe.hash)
        self._masks = self._filter.bloom_masks()

    def changes(self) -> list[Json]:
        removed, added = self._cursor.advance()
        logs: list[Json] = []
        for header in removed:
            logs += self._logs_of(header, removed=True)
        for header in added:
            logs += self._logs_of(header, removed=False)
        return logs

    def _logs_of(self, header: Header, *, removed: bool) -> list[Json]:
        if not self.query.covers(header.number) or not bloom_may_match(header.bloom, self._masks):
            return []
        block, receipts = (
            self._reader.block_by_hash(header.hash),
            self._reader.receipts(header.hash),
        )
        if block is None or receipts is None:
            return []
        return [
            log_object(located) | {"removed": removed}
            for located in block_logs(block, receipts)
            if self._filter.matches(located.log)
        ]


class TransactionFilter:
    """Transactions that entered the pool: hashes, or with `full` whole objects."""

    def __init__(self, show: Callable[[Transaction], Json]) -> None:
        self._show = show
        self._new: deque[Transaction] = deque(maxlen=REMEMBERED_TRANSACTIONS)

    def add(self, tx: Transaction) -> None:
        """Take note of a transaction; the oldest are dropped if nobody polls."""
        self._new.append(tx)

    def changes(self) -> list[Json]:
        new = []
        while self._new:
            new.append(self._show(self._new.popleft()))
        return new


class PollFilters:
    """The filters in use, by id. One that is not polled for five minutes is dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._polling = threading.Lock()
        self._filters: dict[str, PollFilter] = {}
        self._deadlines: dict[str, float] = {}

    def add(self, poll_filter: PollFilter) -> str:
        """Keep a filter and return its id, which cannot be guessed; RpcError if there are many."""
        with self._lock:
            self._drop_expired()
            if len(self._filters) >= MAX_FILTERS:
                raise RpcError(
                    SERVER_ERROR, f"too many filters: expected at most {MAX_FILTERS} in use"
                )
            filter_id = hex(secrets.randbits(128))
            self._filters[filter_id] = poll_filter
            self._deadlines[filter_id] = self._clock.now() + LIFETIME_S
            return filter_id

    def get(self, filter_id: str) -> PollFilter:
        """Return a filter and let it live on; RpcError if it is not (or no longer) there."""
        with self._lock:
            self._drop_expired()
            poll_filter = self._filters.get(filter_id)
            if poll_filter is None:
                raise not_found("filter not found")
            self._deadlines[filter_id] = self._clock.now() + LIFETIME_S
            return poll_filter

    def changes(self, filter_id: str) -> list[Json]:
        """Return what is new for a filter; polls of one filter never run into each other."""
        poll_filter = self.get(filter_id)
        with self._polling:
            return poll_filter.changes()

    def remove(self, filter_id: str) -> bool:
        """Drop a filter; False if it was not there."""
        with self._lock:
            self._deadlines.pop(filter_id, None)
            return self._filters.pop(filter_id, None) is not None

    def on_transaction(self, tx: Transaction) -> None:
        """Tell the filters of pending transactions; the mempool calls this."""
        for poll_filter in list(self._filters.values()):
            if isinstance(poll_filter, TransactionFilter):
                poll_filter.add(tx)

    def _drop_expired(self) -> None:
        now = self._clock.now()
        for filter_id in [name for name, deadline in self._deadlines.items() if deadline <= now]:
            del self._filters[filter_id], self._deadlines[filter_id]
