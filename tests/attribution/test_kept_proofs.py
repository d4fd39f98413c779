"""A node that prunes proves every receipt as one that keeps everything, byte for byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution import proof_builder
from attribution.batch_search import find_batch
from attribution.calldata import encode_append
from attribution.proof_builder import Output, build_proof
from attribution.proof_check import check_proof
from attribution.receipt_proof import ReceiptProof, encode_proof
from attribution.records import Influence, Record
from node import kept_proofs
from node.config import AttributionConfig
from node.engine import Engine
from node.errors import CorruptStore, PrunedHistory
from node.execution.transition import ExecutedBlock
from node.genesis import l2_genesis
from node.output_schedule import OutputSchedule
from node.reader import Reader
from node.storage.database import Database
from node.storage.schema import Table
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.block import BlockRef
from node.types.primitives import Address, BlockNumber, keccak256
from node.types.transaction import Transaction, sign_dynamic_fee
from tests.node.chains import ALICE, Chain, open_chain

ORACLE = Address(b"\x0a" * 20)
STREAM = 7
GENESIS = l2_genesis(
    chain_id=901,
    timestamp=1_700_000_000,
    attribution=AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=2**20),
)


def records(first: int, count: int) -> list[Record]:
    return [
        Record(n, (Influence(n % 5, 2_000),), keccak256(n.to_bytes(8, "big")))
        for n in range(first, first + count)
    ]


@dataclass
class Twins:
    """The same blocks in a store that keeps all, and in one that prunes."""

    full: Chain
    path: Path
    schedule: OutputSchedule
    kept_blocks: int
    lag: int
    written: int = 0
    blocks: list[BlockRef] = field(default_factory=list)

    def open(self) -> None:
        """Open the store that prunes, as a node does when it starts."""
        self.database = Database.open(self.path)
        self.engine = Engine(
            self.database, GENESIS.config, kept_blocks=self.kept_blocks, keeps_proofs=True
        )
        self.engine.initialise(GENESIS)
        self.pruned = Reader(self.database, GENESIS.config)

    def extend(self, batches: list[int]) -> None:
        """Add a block with batches of so many receipts to both."""
        executed = self.full.build(*self._appends(batches))
        self.full.engine.insert(executed)
        self.blocks.append(executed.block.header.ref)
        self.insert(executed)

    def insert(self, executed: ExecutedBlock) -> None:
        """Let the one that prunes have the block, and finalize what is old enough."""
        final = self.blocks[-1 - self.lag] if len(self.blocks) > self.lag else None
        if final is not None and final.number < self.engine.heads.finalized.number:
            final = None
        own = self.engine.execute(executed.block)
        self.engine.insert(own, safe=final, finalized=final)

    def _appends(self, batches: list[int]) -> Iterator[Transaction]:
        account = self.full.reader.account(ALICE.address, self.full.head())
        assert account is not None
        for offset, count in enumerate(batches):
            yield sign_dynamic_fee(
                ALICE.private_key,
                chain_id=901,
                nonce=account.nonce + offset,
                max_priority_fee_per_gas=0,
                max_fee_per_gas=10**12,
                gas=2_000_000,
                to=ATTRIBUTION_ADDRESS,
                data=encode_append(STREAM, self.written, records(self.written, count)),
            )
            self.written += count

    def proof(self, reader: Reader, seq: int) -> ReceiptProof:
        place = find_batch(reader, ALICE.address, STREAM, seq)
        assert place is not None
        index = self.schedule.index_for(place.block)
        output = Output(900, ORACLE, index, self.schedule.block_of(index))
        return build_proof(reader, place, seq, output)

    def check(self) -> int:
        """Compare all proofs under outputs that can be there; return how many are of pruned blocks.

        That is whatever has an output at or below the head.
        """
        compared, head = 0, self.pruned.heads().unsafe.number
        for seq in range(self.written):
            place = find_batch(self.full.reader, ALICE.address, STREAM, seq)
            assert place is not None
            if self.schedule.block_for(place.block) > head:
                continue
            expected = self.proof(self.full.reader, seq)
            assert encode_proof(self.proof(self.pruned, seq)) == encode_proof(expected)
            check_proof(expected)
            compared += place.block < self.pruned.first_kept()
        return compared

    def kept_bytes(self) -> int:
        with self.database.read() as snapshot:
            return sum(len(key) + len(value) for key, value in snapshot.items(Table.KEPT_PROOFS))


@contextmanager
def twins(interval: int, kept_blocks: int, lag: int, window: int = 8191) -> Iterator[Twins]:
    with (
        pytest.MonkeyPatch.context() as patch,
        TemporaryDirectory() as directory,
        open_chain(genesis=GENESIS) as full,
    ):
        for module in (kept_proofs, proof_builder):
            patch.setattr(module, "HISTORY_WINDOW", window)
        schedule = OutputSchedule(BlockNumber(0), interval)
        both = Twins(full, Path(directory) / "l2", schedule, kept_blocks, lag)
        both.open()
        yield both
        both.database.close()


@settings(max_examples=15, deadline=None)
@given(
    blocks=st.lists(st.lists(st.integers(1, 4), max_size=2), min_size=8, max_size=30),
    interval=st.integers(1, 9),
    kept_blocks=st.integers(1, 12),
    lag=st.integers(0, 9),
    window=st.sampled_from((2, 3, 8191)),
    told_at=st.integers(0, 12),
    restart_at=st.integers(0, 29),
)
def test_proofs_outlive_their_blocks(
    blocks: list[list[int]],
    interval: int,
    kept_blocks: int,
    lag: int,
    window: int,
    told_at: int,
    restart_at: int,
) -> None:
    with twins(interval, kept_blocks, lag, window) as both:
        for number, batches in enumerate(blocks):
            if number == told_at:
                both.engine.keep_proofs(both.schedule)
            if number == restart_at:
                both.database.close()
                both.open()
                if number >= told_at:
                    both.engine.keep_proofs(both.schedule)
            both.extend(batches)
            if number < told_at:
                assert both.pruned.first_kept() == 0
        both.check()


def test_many_are_of_pruned_blocks() -> None:
    with twins(interval=5, kept_blocks=4, lag=2) as both:
        both.engine.keep_proofs(both.schedule)
        for _ in range(30):
            both.extend([2, 1])
        assert both.pruned.first_kept() == 27
        assert both.check() == 26 * 3


def test_without_outputs_proofs_end_with_their_blocks() -> None:
    with twins(interval=5, kept_blocks=4, lag=2) as both:
        both.engine.keep_proofs(None)
        for _ in range(12):
            both.extend([1])
        with pytest.raises(PrunedHistory, match="block 1 "):
            both.proof(both.pruned, 0)
        assert both.kept_bytes() == 0


def test_what_was_pruned_before_it_was_kept_is_said() -> None:
    with twins(interval=5, kept_blocks=4, lag=2) as both:
        both.engine.keep_proofs(None)
        for _ in range(12):
            both.extend([1])
        both.engine.keep_proofs(both.schedule)
        for _ in range(12):
            both.extend([1])
        with pytest.raises(PrunedHistory):
            both.proof(both.pruned, 0)
        for seq in range(11, 20):
            assert both.proof(both.pruned, seq) == both.proof(both.full.reader, seq)


def test_blocks_that_were_unwound_leave_nothing() -> None:
    """A finalized block is never unwound, and no other is pruned."""
    with twins(interval=5, kept_blocks=1, lag=3) as both:
        both.engine.keep_proofs(both.schedule)
        for _ in range(10):
            both.extend([1])
        target = both.blocks[6]
        for engine in (both.engine, both.full.engine):
            engine.set_heads(unsafe=target)
        del both.blocks[7:]
        both.written = 7
        for _ in range(10):
            both.extend([2])
        both.check()
        with both.database.read() as snapshot:
            numbers = {
                int.from_bytes(key[1:9], "big")
                for key, _ in snapshot.items(Table.KEPT_PROOFS, prefix=b"\x00")
            }
        assert numbers == set(range(1, both.pruned.first_kept()))


def test_a_damaged_entry_is_found() -> None:
    with twins(interval=5, kept_blocks=4, lag=2) as both:
        both.engine.keep_proofs(both.schedule)
        for _ in range(12):
            both.extend([1])
        with both.database.write() as tx:
            for key, value in list(tx.items(Table.KEPT_PROOFS)):
                tx.put(Table.KEPT_PROOFS, key, value[:-1] + bytes([value[-1] ^ 1]))
        with pytest.raises(CorruptStore, match="kept_proofs"):
            both.proof(both.pruned, 0)


def test_a_batch_of_a_hundred_costs_little() -> None:
    """Bytes kept for each receipt, the way to the output included."""
    with twins(interval=10, kept_blocks=1, lag=0) as both:
        both.engine.keep_proofs(both.schedule)
        for _ in range(20):
            both.extend([100])
        both.extend([])
        assert both.pruned.first_kept() == 21
        assert both.kept_bytes() / 2_000 < 60
