"""Pending transactions by sender and nonce.

A transaction enters when it could be included on top of the head, now or after the sender's
earlier ones. Whoever builds a block takes them by tip with `best`; whatever a block did to an
account is applied by `on_head_change`. The pool lives in memory: a restart loses it.
"""

import heapq
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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
from node.evm.rules import Rules, rules_at
from node.execution.fees import next_base_fee, read_l1_fee_parameters
from node.execution.validity import check_contents, upfront_cost
from node.head_change import HeadChange
from node.reader import Reader
from node.types.block import Header
from node.types.primitives import EMPTY_CODE_HASH, Address, Hash32
from node.types.transaction import BLOB, Transaction, decode_signed_transaction

PRICE_BUMP_PERCENT = 10
MAX_TRANSACTION_BYTES = 132 * 1024  # the lane's 128 KiB of calldata, and room for the rest
_DELEGATION_PREFIX = b"\xef\x01\x00"


class AlreadyKnown(InvalidTransaction):
    """The very same transaction is in the pool."""


class ReplacementUnderpriced(InvalidTransaction):
    """A pending transaction has this nonce and the new one does not pay 10 % more."""


class PoolFull(InvalidTransaction):
    """A limit of the pool is reached and the transaction does not displace another."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much the pool holds. `max_nonce_gap` bounds how far ahead of the account one may be."""

    transactions: int = 20_000
    per_sender: int = 2_000
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
        self._by_sender: dict[Address, dict[int, Transaction]] = {}
        self._by_hash: dict[Hash32, Transaction] = {}
        self._costs: dict[Hash32, int] = {}
        self._next_nonce: dict[Address, int] = {}
        self._listeners: list[Callable[[Transaction], None]] = []

    def add(self, raw: bytes) -> Hash32:
        """Check and keep a signed transaction; InvalidTransaction or DecodingError says why not."""
        return self.add_transaction(decode_signed_transaction(raw))

    def add_transaction(self, tx: Transaction) -> Hash32:
        """Check and keep a decoded transaction."""
        if self.get(tx.hash) is not None:
            raise AlreadyKnown("already known")
        head = self._reader.head_header()
        rules = rules_at(self._config, head.timestamp)
        self._check_contents(tx, head, rules)
        with self._lock:
            # Read under the lock: a block that is committed after this reports itself after this.
            nonce, balance, cost = self._on_state(tx, rules)
            self._check_nonce(tx, nonce)
            self._check_funds(tx, cost, nonce, balance)
            self._check_room(tx)
            self._keep(tx, cost, nonce)
        for listener in self._listeners:
            listener(tx)
        return tx.hash

    def subscribe(self, listener: Callable[[Transaction], None]) -> None:
        """Call `listener` with each transaction that enters."""
        self._listeners.append(listener)

    def get(self, tx_hash: Hash32) -> Transaction | None:
        """Return a pooled transaction by hash."""
        return self._by_hash.get(tx_hash)

    def __len__(self) -> int:
        return len(self._by_hash)

    def pending_nonce(self, address: Address) -> int:
        """Return the nonce that the next transaction of `address` should have."""
        with self._lock:
            account = self._reader.account(address, self._reader.head_header())
            nonce = account.nonce if account else 0
            owned = self._by_sender.get(address, {})
            while nonce in owned:
                nonce += 1
            return nonce

    def content(self) -> PoolContent:
        """Return all transactions, split at each sender's first nonce gap."""
        pending: dict[Address, tuple[Transaction, ...]] = {}
        queued: dict[Address, tuple[Transaction, ...]] = {}
        with self._lock:
            for sender in self._by_sender:
                ready, waiting = self._split(sender)
                if ready:
                    pending[sender] = ready
                if waiting:
                    queued[sender] = waiting
        return PoolContent(pending, queued)

    def best(self, base_fee: int) -> "BestFirst":
        """Return the runnable transactions, highest tip first, each sender in nonce order."""
        with self._lock:
            return BestFirst(
                {s: ready for s in self._by_sender if (ready := self._split(s)[0])}, base_fee
            )

    def drop(self, tx: Transaction) -> None:
        """Forget a transaction, because a block builder found that it can never run."""
        with self._lock:
            self._remove(tx, tx.sender)

    def on_head_change(self, change: HeadChange) -> None:
        """Follow the chain: forget what was included or outdated, take back what was unwound."""
        with self._lock:
            for executed in change.added:
                for address, account in executed.changes.accounts.items():
                    if address in self._by_sender:
                        self._advance(address, account.nonce if account else 0)
        if change.removed:
            self._follow_unwind()
        for block in change.removed:
            for tx in block.transactions:
                if isinstance(tx, Transaction):
                    self._take_back(tx)

    def _follow_unwind(self) -> None:
        with self._lock:
            head = self._reader.head_header()
            for sender in list(self._by_sender):
                account = self._reader.account(sender, head)
                self._advance(sender, account.nonce if account else 0)

    def _take_back(self, tx: Transaction) -> None:
        try:
            self.add_transaction(tx)
        except InvalidTransaction:
            return  # the new chain already has it, or made it impossible: nothing is owed to it

    def _check_contents(self, tx: Transaction, head: Header, rules: Rules) -> None:
        """What the transaction says of itself, and this pool's own limits."""
        if len(tx.raw) > MAX_TRANSACTION_BYTES:
            raise InvalidTransaction(
                f"oversized data: transaction size {len(tx.raw)}, limit {MAX_TRANSACTION_BYTES}"
            )
        if tx.type == BLOB:
            raise TransactionTypeNotSupported(
                "transaction type not supported: this node takes no blob transactions (type 3)"
            )
        check_contents(tx, self._config.chain_id, rules)
        if tx.gas > head.gas_limit:
            raise InvalidTransaction(
                f"exceeds block gas limit: have {tx.gas}, limit {head.gas_limit}"
            )
        base_fee = next_base_fee(self._config, head)
        if tx.max_fee_per_gas < base_fee:
            raise FeeCapTooLow(
                f"max fee per gas less than block base fee: address 0x{tx.sender.hex()}, "
                f"maxFeePerGas: {tx.max_fee_per_gas}, baseFee: {base_fee}"
            )

    def _on_state(self, tx: Transaction, rules: Rules) -> tuple[int, int, int]:
        """Return the sender's nonce and balance, and what it must own, in wei, at the head."""
        with self._reader.state_at(self._reader.head_header()) as state:
            account = state.account(tx.sender)
            if account is not None and account.code_hash != EMPTY_CODE_HASH:
                _check_sender_code(tx, state.code(account.code_hash))
            l1_fees = None
            if self._config.rollup is not None:
                l1_fees = read_l1_fee_parameters(state.storage, rules)
        cost = upfront_cost(tx, l1_fees, rules)
        return (account.nonce, account.balance, cost) if account else (0, 0, cost)

    def _check_nonce(self, tx: Transaction, nonce: int) -> None:
        who = f"address 0x{tx.sender.hex()}, tx: {tx.nonce} state: {nonce}"
        if tx.nonce < nonce:
            raise NonceTooLow(f"nonce too low: {who}")
        if tx.nonce > nonce + self._limits.max_nonce_gap:
            raise NonceTooHigh(f"nonce too high: {who}, at most {self._limits.max_nonce_gap} ahead")
        old = self._by_sender.get(tx.sender, {}).get(tx.nonce)
        if old is not None and not _outbids(tx, old):
            raise ReplacementUnderpriced(
                "replacement transaction underpriced: expected a fee cap and a tip "
                f"{PRICE_BUMP_PERCENT} % above {old.max_fee_per_gas} and "
                f"{old.max_priority_fee_per_gas} wei"
            )

    def _check_funds(self, tx: Transaction, cost: int, nonce: int, balance: int) -> None:
        """Require that the sender can pay for this and all its earlier pending transactions."""
        queued = sum(
            self._costs[other.hash]
            for used, other in self._by_sender.get(tx.sender, {}).items()
            if nonce <= used < tx.nonce
        )
        if cost + queued > balance:
            raise InsufficientFunds(
                f"insufficient funds for gas * price + value: address 0x{tx.sender.hex()} "
                f"have {balance} want {cost + queued}"
            )

    def _check_room(self, tx: Transaction) -> None:
        owned = self._by_sender.get(tx.sender, {})
        if tx.nonce in owned:
            return
        if len(owned) >= self._limits.per_sender:
            raise PoolFull(f"txpool is full: {len(owned)} transactions of this sender are pending")
        if len(self._by_hash) >= self._limits.transactions:
            raise PoolFull(f"txpool is full: {len(self._by_hash)} transactions are pending")

    def _keep(self, tx: Transaction, cost: int, nonce: int) -> None:
        owned = self._by_sender.setdefault(tx.sender, {})
        if (old := owned.get(tx.nonce)) is not None:
            del self._by_hash[old.hash], self._costs[old.hash]
        owned[tx.nonce] = tx
        self._by_hash[tx.hash] = tx
        self._costs[tx.hash] = cost
        self._next_nonce[tx.sender] = nonce

    def _remove(self, tx: Transaction, sender: Address) -> None:
        owned = self._by_sender.get(sender)
        if owned is None or owned.get(tx.nonce) is not tx:
            return
        del owned[tx.nonce], self._by_hash[tx.hash], self._costs[tx.hash]
        if not owned:
            del self._by_sender[sender], self._next_nonce[sender]

    def _advance(self, sender: Address, nonce: int) -> None:
        self._next_nonce[sender] = nonce
        stale = [tx for used, tx in self._by_sender[sender].items() if used < nonce]
        for tx in stale:
            self._remove(tx, sender)

    def _split(self, sender: Address) -> tuple[tuple[Transaction, ...], tuple[Transaction, ...]]:
        owned = self._by_sender[sender]
        nonce = self._next_nonce[sender]
        ready = []
        while (tx := owned.get(nonce)) is not None:
            ready.append(tx)
            nonce += 1
        waiting = [owned[used] for used in sorted(owned) if used > nonce]
        return tuple(ready), tuple(waiting)


class BestFirst:
    """Runnable transactions by tip. After each one, say `accept` or `skip` about its sender."""

    def __init__(self, by_sender: Mapping[Address, tuple[Transaction, ...]], base_fee: int) -> None:
        self._base_fee = base_fee
        self._queues = {sender: iter(ready) for sender, ready in by_sender.items()}
        self._heap: list[tuple[int, bytes, Transaction]] = []
        for sender in by_sender:
            self.accept(sender)

    def __iter__(self) -> Iterator[Transaction]:
        while self._heap:
            yield heapq.heappop(self._heap)[2]

    def accept(self, sender: Address) -> None:
        """Let the sender's next transaction compete. Not calling it sets the sender aside."""
        tx = next(self._queues[sender], None)
        if tx is not None and tx.max_fee_per_gas >= self._base_fee:
            tip = tx.effective_gas_price(self._base_fee) - self._base_fee
            heapq.heappush(self._heap, (-tip, tx.hash, tx))


def _check_sender_code(tx: Transaction, code: bytes) -> None:
    if code and not code.startswith(_DELEGATION_PREFIX):
        raise SenderNotEoa(f"sender not an eoa: address 0x{tx.sender.hex()}")


def _outbids(new: Transaction, old: Transaction) -> bool:
    return all(
        100 * offer >= (100 + PRICE_BUMP_PERCENT) * price
        for offer, price in (
            (new.max_fee_per_gas, old.max_fee_per_gas),
            (new.max_priority_fee_per_gas, old.max_priority_fee_per_gas),
        )
    )
