"""The fake L1 with a transaction pool, and with the ways in which a pool lets senders down."""

from collections.abc import Sequence
from dataclasses import replace

from consensus.l1.client import TransactionInclusion
from consensus.l1.json_rpc import RpcFault
from node.types.blob_transaction import decode_pooled_transaction
from node.types.block import Block, BlockRef
from node.types.primitives import Address, Hash32
from node.types.transaction import Transaction
from tests.fakes.l1_source import GWEI, FakeL1, Included

REPLACEMENT_PERCENT = 10
BLOB_REPLACEMENT_PERCENT = 100
ETHER = 10**18


class PoolL1(FakeL1):
    """Takes transactions as geth does, and includes them when it is told to.

    Transactions of forked-away blocks do not come back by themselves.
    """

    def __init__(self, *, first_number: int = 100, block_time: int = 12) -> None:
        super().__init__(first_number=first_number, block_time=block_time)
        self.pool: dict[tuple[Address, int], Transaction] = {}
        self.balances: dict[Address, int] = {}
        self.minimum_price = 0
        self.accepted: list[Transaction] = []

    def mine_pool(self, limit: int = 1000, besides: Sequence[Included] = ()) -> BlockRef:
        """Append a block with what can be included, up to `limit` transactions of the pool."""
        chosen: list[Transaction] = []
        for sender in sorted({sender for sender, _ in self.pool}):
            nonce = self._used(sender)
            while (tx := self.pool.get((sender, nonce))) is not None and len(chosen) < limit:
                if tx.max_fee_per_gas < self.minimum_price:
                    break
                chosen.append(self._without_blobs(self.pool.pop((sender, nonce))))
                nonce += 1
        return self.mine(*(Included(tx) for tx in chosen), *besides).ref

    def drop_pool(self) -> None:
        """Forget what is pending, as a restarted L1 node does."""
        self.pool.clear()

    async def nonce(self, address: Address) -> int:
        """SendingL1."""
        self._read()
        return self._used(address)

    async def balance(self, address: Address) -> int:
        """SendingL1."""
        self._read()
        return self.balances.get(address, 1000 * ETHER)

    async def base_fee(self) -> int:
        """SendingL1."""
        return (await self.header(self.head.hash)).base_fee

    async def priority_fee(self) -> int | None:
        """SendingL1."""
        self._read()
        return GWEI

    async def blob_base_fee(self) -> int:
        """SendingL1."""
        self._read()
        return 1

    async def send_raw_transaction(self, raw: bytes) -> Hash32:
        """SendingL1."""
        self._read()
        tx = decode_pooled_transaction(raw)
        self._check(tx)
        self.pool[tx.sender, tx.nonce] = tx
        self.accepted.append(tx)
        return tx.hash

    async def transaction_inclusion(self, transaction: Hash32) -> TransactionInclusion | None:
        """SendingL1."""
        self._read()
        for block in self._chain():
            if any(tx.hash == transaction for tx in block.transactions):
                return TransactionInclusion(transaction, block.header.ref, 1, 21_000)
        return None

    def _check(self, tx: Transaction) -> None:
        cost = tx.gas * tx.max_fee_per_gas + tx.value
        pending = self.pool.get((tx.sender, tx.nonce))
        if tx.nonce < self._used(tx.sender):
            raise _refusal(f"nonce too low: next nonce {self._used(tx.sender)}, tx {tx.nonce}")
        if cost > self.balances.get(tx.sender, 1000 * ETHER):
            raise _refusal("insufficient funds for gas * price + value")
        if pending is None:
            return
        if pending.hash == tx.hash:
            raise _refusal("already known")
        percent = REPLACEMENT_PERCENT if pending.sidecar is None else BLOB_REPLACEMENT_PERCENT
        for old, new in (
            (pending.max_fee_per_gas, tx.max_fee_per_gas),
            (pending.max_priority_fee_per_gas, tx.max_priority_fee_per_gas),
            (pending.max_fee_per_blob_gas, tx.max_fee_per_blob_gas),
        ):
            if new * 100 < old * (100 + percent):
                raise _refusal("replacement transaction underpriced")

    def _without_blobs(self, tx: Transaction) -> Transaction:
        """Return what a block holds of a transaction; the blobs are published beside it."""
        if tx.sidecar is not None:
            pairs = zip(tx.blob_versioned_hashes, tx.sidecar.blobs, strict=True)
            self.published_blobs |= dict(pairs)
        return replace(tx, sidecar=None)

    def _used(self, sender: Address) -> int:
        return sum(tx.sender == sender for block in self._chain() for tx in block.transactions)

    def _chain(self) -> list[Block]:
        return [self._blocks[ref.hash] for ref in self._canonical]


def _refusal(message: str) -> RpcFault:
    return RpcFault("eth_sendRawTransaction", -32000, message)
