"""Pending transactions of one chain.

A transaction enters when it could be included on top of the head, now or after the sender's
earlier ones. Whoever builds a block takes them by tip with `best`; whatever a block did to an
account is applied by `on_head_change`. The pool lives in memory: a restart loses it.

Blob transactions enter with their blobs, proven either way (EIP-4844, EIP-7594), and keep blob
proofs. One whose blob fee cap is too low for the next block waits.
"""

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from node.best_first import BestFirst
from node.blob_admission import (
    MAX_SIDECAR_BYTES_PER_BLOB,
    check_sidecar,
    with_checked_proofs,
    with_stored_blobs,
)
from node.config import ChainConfig
from node.errors import (
    FeeCapTooLow,
    InsufficientFunds,
    InvalidTransaction,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TransactionTypeNotSupported,
)
from node.evm.interpreter import delegation_target
from node.evm.rules import rules_at
from node.execution.fees import next_base_fee, read_l1_fee_parameters
from node.execution.intrinsic import is_in_lane
from node.execution.validity import check_contents, rollup_fees, upfront_cost
from node.head_change import HeadChange
from node.pending import Pending, PendingTransactions
from node.reader import Reader
from node.senders import recover_senders
from node.types.blob_transaction import decode_pooled_transaction
from node.types.block import Header
from node.types.primitives import EMPTY_CODE_HASH, Address, Hash32
from node.types.transaction import BLOB, Transaction
from node.wariness import Wariness

PRICE_BUMP_PERCENT = 10
BLOB_PRICE_BUMP_PERCENT = 100  # blobs are much to send around again
MAX_TRANSACTION_BYTES = 132 * 1024  # the lane's 128 KiB of calldata, and room for the rest
_BLOB_PREFIX = bytes([BLOB])
_SPARE_SHARE = 100  # a full pool gives up this part of its transactions at once


class AlreadyKnown(InvalidTransaction):
    """The very same transaction is in the pool."""


class ReplacementUnderpriced(InvalidTransaction):
    """A pending transaction has this nonce and the new one does not pay 10 % more.

    100 % if one of them has blobs.
    """


class PoolFull(InvalidTransaction):
    """A limit of the pool is reached and the transaction does not displace others."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much the pool holds; `size` is in bytes of encoded transactions and their blobs.

    `max_nonce_gap` bounds how far ahead of its account's nonce a transaction may be,
    `with_blobs_per_sender` how many of a sender's transactions have blobs.
    """

    transactions: int = 20_000
    per_sender: int = 2_000
    with_blobs_per_sender: int = 16
    size: int = 256 * 2**20
    max_nonce_gap: int = 2_000


@dataclass(frozen=True, slots=True)
class PoolContent:
    """Transactions by sender, in nonce order: those that can run now, and those behind a gap."""

    pending: Mapping[Address, tuple[Transaction, ...]]
    queued: Mapping[Address, tuple[Transaction, ...]]


class Mempool:
    """The pool of one chain. Safe to use from several threads."""

    def __init__(
        self,
        reader: Reader,
        config: ChainConfig,
        limits: PoolLimits = PoolLimits(),
    ) -> None:
        self._reader = reader
        self._config = config
        self._limits = limits
        self._lock = threading.RLock()
        self._pending = PendingTransactions()
        self._arrivals = itertools.count()
        self._listeners: list[Callable[[Transaction], None]] = []
        self._wariness = Wariness()

    def add(self, raw: bytes) -> Hash32:
        """Check and keep a signed transaction; InvalidTransaction or DecodingError says why not."""
        self._check_encoding(raw)
        return self.add_transaction(decode_pooled_transaction(raw))

    def add_transaction(self, tx: Transaction) -> Hash32:
        """Check and keep a decoded transaction, with its sidecar if it has blobs."""
        self._check_unknown(tx)
        head = self._reader.head_header()
        base_fee = next_base_fee(self._config, head)
        self._check_contents(tx, head)
        if tx.max_fee_per_gas < base_fee:
            raise FeeCapTooLow(
                f"max fee per gas less than block base fee: address 0x{tx.sender.hex()}, "
                f"maxFeePerGas: {tx.max_fee_per_gas}, baseFee: {base_fee}"
            )
        if tx.type == BLOB:
            with self._lock:
                self._check_unknown(tx)
                self._check_account(tx)  # proofs are much work: who could not pay has none checked
            tx = with_checked_proofs(tx)
        self._admit(tx, base_fee)
        self._tell((tx,))
        return tx.hash

    def subscribe(self, listener: Callable[[Transaction], None]) -> Callable[[], None]:
        """Call `listener` with each transaction that enters, until the result is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, tx_hash: Hash32) -> Transaction | None:
        """Return a pooled transaction by hash."""
        return self._pending.get(tx_hash)

    def __len__(self) -> int:
        return len(self._pending)

    def ready_count(self) -> int:
        """Return how many transactions could run now, those behind a nonce gap left out."""
        with self._lock:
            return sum(len(self._pending.ready(sender)) for sender in self._pending.senders())

    def pending_nonce(self, address: Address) -> int:
        """Return the nonce that the next transaction of `address` should have."""
        with self._lock:
            account = self._reader.account(address, self._reader.head_header())
            return self._pending.next_free_nonce(address, account.nonce if account else 0)

    def content(self) -> PoolContent:
        """Return all transactions, split at each sender's first nonce gap."""
        pending: dict[Address, tuple[Transaction, ...]] = {}
        queued: dict[Address, tuple[Transaction, ...]] = {}
        with self._lock:
            for sender in self._pending.senders():
                if ready := self._pending.ready(sender):
                    pending[sender] = tuple(item.tx for item in ready)
                if waiting := self._pending.waiting(sender):
                    queued[sender] = tuple(item.tx for item in waiting)
        return PoolContent(pending, queued)

    def best(self, base_fee: int) -> BestFirst:
        """Return the runnable transactions, highest tip first, each sender in nonce order.

        After a report of a slow one some come behind all others for a while; see `Wariness`.
        """
        with self._lock:
            senders = self._pending.senders()
            return BestFirst(
                {sender: self._pending.ready(sender) for sender in senders},
                base_fee,
                self._wariness.rank,
            )

    def drop(self, tx: Transaction) -> None:
        """Forget a transaction, because a block builder found that it can never run."""
        with self._lock:
            self._pending.remove(tx)

    def report_slow(self, tx: Transaction) -> None:
        """Take note that a block's time ran out while a transaction ran."""
        with self._lock:
            self._wariness.report(tx)

    def on_head_change(self, change: HeadChange) -> None:
        """Follow the chain: forget what was included or outdated, take back what was unwound."""
        unwound = [tx for block in reversed(change.removed) for tx in block.transactions]
        recover_senders(unwound)
        with self._lock:
            self._wariness.pass_blocks(len(change.added))
            for executed in change.added:
                for address, account in executed.changes.accounts.items():
                    nonce, balance = (account.nonce, account.balance) if account else (0, 0)
                    self._pending.follow_account(address, nonce, balance)
            if change.removed:
                self._follow_unwind()
            returned = [tx for tx in unwound if isinstance(tx, Transaction) and self._take_back(tx)]
        self._tell(returned)

    def _follow_unwind(self) -> None:
        head = self._reader.head_header()
        for sender in self._pending.senders():
            account = self._reader.account(sender, head)
            nonce, balance = (account.nonce, account.balance) if account else (0, 0)
            self._pending.follow_account(sender, nonce, balance)

    def _take_back(self, tx: Transaction) -> bool:
        # Its fee cap may be below the base fee by now: it was good enough once, and may be again.
        head = self._reader.head_header()
        try:
            tx = with_stored_blobs(tx, self._reader)
            self._check_contents(tx, head)
            self._admit(tx, next_base_fee(self._config, head))
        except InvalidTransaction:
            return False  # the new chain has it already, or made it impossible
        return True

    def _admit(self, tx: Transaction, base_fee: int) -> None:
        """Keep a transaction whose contents are good, if its sender's account allows it."""
        with self._lock:
            self._check_unknown(tx)
            # Read under the lock: a block that is committed after this reports itself after this.
            nonce, cost = self._check_account(tx)
            item = Pending(tx, cost, next(self._arrivals))
            self._make_room(item, nonce, base_fee)
            self._pending.put(item, nonce)

    def _tell(self, transactions: Iterable[Transaction]) -> None:
        for tx in transactions:
            for listener in tuple(self._listeners):
                listener(tx)

    def _check_unknown(self, tx: Transaction) -> None:
        if self._pending.get(tx.hash) is not None:
            raise AlreadyKnown("already known")

    def _check_encoding(self, raw: bytes) -> None:
        """What can be said before any of it is decoded."""
        if raw[:1] != _BLOB_PREFIX:
            _check_size(raw)
            return
        if self._config.rollup is not None:
            raise TransactionTypeNotSupported(
                "transaction type not supported: a rollup takes no blob transactions (type 3)"
            )
        # Twice what can be taken: whoever sends a few blobs too many shall be told that.
        blobs = 2 * self._config.blobs_at(self._reader.head_header().timestamp).maximum
        _check_size(raw, MAX_TRANSACTION_BYTES + blobs * MAX_SIDECAR_BYTES_PER_BLOB)

    def _check_contents(self, tx: Transaction, head: Header) -> None:
        """What the transaction says of itself, and this pool's own limits."""
        _check_size(tx.raw)
        rules = rules_at(self._config, head.timestamp)
        check_contents(tx, self._config.chain_id, rules)
        if tx.type == BLOB:
            check_sidecar(tx, self._config.blobs_at(head.timestamp).maximum)
        if tx.gas > head.gas_limit:
            raise InvalidTransaction(
                f"exceeds block gas limit: have {tx.gas}, limit {head.gas_limit}"
            )
        lane = rules.lane
        if lane is not None and is_in_lane(tx, rules) and len(tx.data) > lane.block_calldata_limit:
            raise InvalidTransaction(
                f"oversized data: attribution calldata of {len(tx.data)} bytes, "
                f"limit {lane.block_calldata_limit} a block"
            )

    def _check_account(self, tx: Transaction) -> tuple[int, int]:
        """Check a transaction against its sender's account; return the nonce there and its cost."""
        nonce, balance, cost = self._on_state(tx)
        self._check_nonce(tx, nonce)
        self._check_funds(tx, cost, balance)
        return nonce, cost

    def _on_state(self, tx: Transaction) -> tuple[int, int, int]:
        """Return the sender's nonce and balance, and what it must own, in wei, at the head."""
        head = self._reader.head_header()
        rules = rules_at(self._config, head.timestamp)
        with self._reader.state_at(head) as state:
            account = state.account(tx.sender)
            if account is not None and account.code_hash != EMPTY_CODE_HASH:
                _check_sender_code(tx, state.code(account.code_hash))
            l1_fees = None
            if self._config.rollup is not None:
                l1_fees = read_l1_fee_parameters(state.storage, rules)
        cost = upfront_cost(tx, rollup_fees(tx, l1_fees, rules))
        return (account.nonce, account.balance, cost) if account else (0, 0, cost)

    def _check_nonce(self, tx: Transaction, nonce: int) -> None:
        who = f"address 0x{tx.sender.hex()}, tx: {tx.nonce} state: {nonce}"
        if tx.nonce < nonce:
            raise NonceTooLow(f"nonce too low: {who}")
        if tx.nonce > nonce + self._limits.max_nonce_gap:
            raise NonceTooHigh(f"nonce too high: {who}, at most {self._limits.max_nonce_gap} ahead")
        old = self._pending.at(tx.sender, tx.nonce)
        if old is not None:
            _check_outbids(tx, old.tx)

    def _check_funds(self, tx: Transaction, cost: int, balance: int) -> None:
        """Require that the sender can pay for this and all its other pending transactions.

        The later ones count too: sent in the order of falling nonces, each of them would otherwise
        be good for all that the sender owns.
        """
        replaced = self._pending.at(tx.sender, tx.nonce)
        others = self._pending.cost(tx.sender) - (replaced.cost if replaced else 0)
        if cost + others > balance:
            raise InsufficientFunds(
                f"insufficient funds for gas * price + value: address 0x{tx.sender.hex()} "
                f"have {balance} want {cost + others} ({others} of it for other pending ones)"
            )

    def _make_room(self, item: Pending, nonce: int, base_fee: int) -> None:
        """Give up transactions that rank below a newcomer if the pool is full."""
        tx, limits = item.tx, self._limits
        replaced = self._pending.at(tx.sender, tx.nonce)
        owned = self._pending.count(tx.sender)
        if replaced is None and owned >= limits.per_sender:
            raise PoolFull(f"txpool is full: {owned} transactions of this sender are pending")
        if tx.type == BLOB:
            self._check_blob_count(tx, replaced)
        count = len(self._pending) + (replaced is None) - limits.transactions
        size = self._pending.size + tx.size - limits.size
        size -= replaced.tx.size if replaced else 0
        if count <= 0 and size <= 0:
            return
        rank = self._pending.rank(item, nonce, base_fee)
        spare = limits.transactions // _SPARE_SHARE
        given_up = self._pending.worse_than(rank, base_fee, max(count, 0), size, spare)
        if not given_up:
            raise PoolFull(
                f"txpool is full: {len(self._pending)} transactions of {self._pending.size} bytes "
                "are pending and offer as much or more"
            )
        for other in given_up:
            self._pending.remove(other)

    def _check_blob_count(self, tx: Transaction, replaced: Pending | None) -> None:
        pooled = self._pending.blob_count(tx.sender)
        pooled -= replaced is not None and replaced.tx.type == BLOB
        if pooled >= self._limits.with_blobs_per_sender:
            raise PoolFull(
                f"account limit exceeded: pooled {pooled} txs with blobs, "
                f"limit {self._limits.with_blobs_per_sender}"
            )


def _check_size(raw: bytes, limit: int = MAX_TRANSACTION_BYTES) -> None:
    if len(raw) > limit:
        raise InvalidTransaction(f"oversized data: transaction size {len(raw)}, limit {limit}")


def _check_sender_code(tx: Transaction, code: bytes) -> None:
    if code and delegation_target(code) is None:
        raise SenderNotEoa(f"sender not an eoa: address 0x{tx.sender.hex()}")


def _check_outbids(new: Transaction, old: Transaction) -> None:
    """Require that each price is higher, by the percentage rounded down as go-ethereum does it."""
    with_blobs = BLOB in (new.type, old.type)
    bump = BLOB_PRICE_BUMP_PERCENT if with_blobs else PRICE_BUMP_PERCENT
    prices = [
        ("fee cap", new.max_fee_per_gas, old.max_fee_per_gas),
        ("tip", new.max_priority_fee_per_gas, old.max_priority_fee_per_gas),
    ]
    if new.type == old.type == BLOB:
        prices.append(("blob fee cap", new.max_fee_per_blob_gas, old.max_fee_per_blob_gas))
    for name, offer, price in prices:
        if offer <= price or offer < price * (100 + bump) // 100:
            raise ReplacementUnderpriced(
                f"replacement transaction underpriced: expected a {name} {bump} % above {price} "
                f"wei, got {offer}"
            )
