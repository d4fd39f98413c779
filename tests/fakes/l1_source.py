"""An L1 chain in memory, behind the interface that derivation reads L1 through."""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.block_refs import L1BlockRef, l1_block_ref
from consensus.l1.source import L1BlockGone, L1NotFound, Label
from node.errors import TemporaryError
from node.state.trie import ordered_root
from node.types.block import AnyTransaction, Block, Header
from node.types.primitives import (
    EMPTY_BLOOM,
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_ADDRESS,
    ZERO_HASH,
    BlockNumber,
    Hash32,
    keccak256,
)
from node.types.receipt import Log, Receipt, logs_bloom

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction with its outcome. `logs` are dropped by nobody, even with status 0."""

    transaction: AnyTransaction
    logs: tuple[Log, ...] = ()
    status: int = 1


class FakeL1:
    """Blocks on demand. `fork` goes back to an earlier block; orphans stay known by hash."""

    def __init__(
        self,
        *,
        chain_id: int = 900,
        first_number: int = 100,
        timestamp: int = 1_700_000_000,
        block_time: int = 12,
    ) -> None:
        self._chain_id = chain_id
        self._block_time = block_time
        self._blocks: dict[Hash32, Block] = {}
        self._receipts: dict[Hash32, tuple[Receipt, ...]] = {}
        self._canonical: list[L1BlockRef] = []
        self._first_number = first_number
        self._labels: dict[Label, int] = {}
        self._failing = range(0)
        self._failure_period = 0
        self._salt = 0
        self.reads = 0
        self.published_blobs: dict[Hash32, bytes] = {}
        self._add(ZERO_HASH, first_number, timestamp, (), 0)

    @property
    def head(self) -> L1BlockRef:
        """The newest canonical block."""
        return self._canonical[-1]

    @property
    def genesis(self) -> L1BlockRef:
        """The first block."""
        return self._canonical[0]

    def at(self, number: int) -> L1BlockRef:
        """Return a canonical block."""
        return self._canonical[number - self._first_number]

    def mine(
        self,
        *included: Included,
        timestamp: int | None = None,
        excess_blob_gas: int = 0,
    ) -> L1BlockRef:
        """Append a block, `block_time` seconds after the head unless told otherwise."""
        if timestamp is None:
            timestamp = self.head.timestamp + self._block_time
        return self._add(self.head.hash, self.head.number + 1, timestamp, included, excess_blob_gas)

    def mine_empty(self, count: int) -> L1BlockRef:
        """Append `count` blocks without transactions."""
        for _ in range(count):
            self.mine()
        return self.head

    def fork(self, number: int) -> None:
        """Make block `number` the head again; what is mined from now on differs."""
        del self._canonical[number - self._first_number + 1 :]
        self._salt += 1

    def bring_back(self, head: L1BlockRef) -> None:
        """Make an orphaned block the head again, and its ancestors canonical."""
        chain = [head]
        while chain[-1].number > self._first_number:
            chain.append(l1_block_ref(self._blocks[chain[-1].parent_hash].header))
        self._canonical = chain[::-1]

    def forget_orphans(self) -> None:
        """Drop all blocks that are not canonical, as a node does after a while."""
        kept = {ref.hash for ref in self._canonical}
        self._blocks = {h: block for h, block in self._blocks.items() if h in kept}
        self._receipts = {h: receipts for h, receipts in self._receipts.items() if h in kept}

    def set_label(self, label: Label, number: int) -> None:
        """Say which block is safe or finalized."""
        self._labels[label] = number

    def fail(self, times: int, *, after: int = 0) -> None:
        """Let `times` reads fail with TemporaryError, when `after` more have succeeded."""
        first = self.reads + after + 1
        self._failing = range(first, first + times)

    def fail_every(self, period: int) -> None:
        """Let each read whose number is a multiple of `period` fail with TemporaryError."""
        self._failure_period = period

    async def blobs(self, block: L1BlockRef, names: Sequence[Hash32]) -> tuple[bytes, ...]:
        """BlobSource: what was put into `published_blobs`."""
        self._read()
        return tuple(self.published_blobs[name] for name in names)

    async def chain_id(self) -> int:
        """L1Source."""
        self._read()
        return self._chain_id

    async def block_ref_by_number(self, number: int) -> L1BlockRef:
        """L1Source."""
        self._read()
        if not self._first_number <= number <= self.head.number:
            raise L1NotFound(f"L1 has no block {number}")
        return self.at(number)

    async def block_ref_by_label(self, label: Label) -> L1BlockRef:
        """L1Source."""
        self._read()
        if label == "latest":
            return self.head
        if label not in self._labels:
            raise L1NotFound(f"L1 has no {label} block")
        return self.at(self._labels[label])

    async def header(self, block_hash: Hash32) -> Header:
        """L1Source."""
        return (await self.block(block_hash)).header

    async def block(self, block_hash: Hash32) -> Block:
        """L1Source."""
        self._read()
        if block_hash not in self._blocks:
            raise L1BlockGone(f"L1 does not know block 0x{block_hash.hex()}")
        return self._blocks[block_hash]

    async def receipts(self, block_hash: Hash32) -> tuple[Receipt, ...]:
        """L1Source."""
        await self.block(block_hash)
        return self._receipts[block_hash]

    def _read(self) -> None:
        self.reads += 1
        is_periodic = self._failure_period and self.reads % self._failure_period == 0
        if is_periodic or self.reads in self._failing:
            raise TemporaryError("L1 does not answer")

    def _add(
        self,
        parent_hash: Hash32,
        number: int,
        timestamp: int,
        included: Sequence[Included],
        excess_blob_gas: int,
    ) -> L1BlockRef:
        transactions = tuple(entry.transaction for entry in included)
        receipts = tuple(_receipt(entry, index) for index, entry in enumerate(included))
        seed = number.to_bytes(8, "big") + self._salt.to_bytes(8, "big")
        header = Header(
            parent_hash=parent_hash,
            coinbase=ZERO_ADDRESS,
            state_root=EMPTY_TRIE_ROOT,
            transactions_root=ordered_root([tx.raw for tx in transactions]),
            receipts_root=ordered_root([receipt.encode() for receipt in receipts]),
            bloom=logs_bloom(log for receipt in receipts for log in receipt.logs),
            number=BlockNumber(number),
            gas_limit=30_000_000,
            gas_used=21_000 * len(receipts),
            timestamp=timestamp,
            extra_data=b"",
            prev_randao=keccak256(b"randao" + seed),
            base_fee=7 * GWEI + number,
            withdrawals_root=EMPTY_TRIE_ROOT,
            blob_gas_used=0,
            excess_blob_gas=excess_blob_gas,
            parent_beacon_block_root=keccak256(b"beacon" + seed),
            requests_hash=EMPTY_REQUESTS_HASH,
        )
        ref = l1_block_ref(header)
        self._blocks[ref.hash] = Block(header, transactions)
        self._receipts[ref.hash] = receipts
        self._canonical.append(ref)
        return ref


def _receipt(entry: Included, index: int) -> Receipt:
    return Receipt(
        type=entry.transaction.type,
        status=entry.status,
        cumulative_gas_used=21_000 * (index + 1),
        gas_used=21_000,
        logs=entry.logs,
        bloom=logs_bloom(entry.logs) if entry.logs else EMPTY_BLOOM,
    )
