"""Pruning step by step: how far it goes, what is left to read, and what is said of the rest."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from node.engine import Engine
from node.errors import CorruptStore, CriticalError, PrunedHistory
from node.history import first_kept
from node.pruning import BLOCKS_A_COMMIT
from node.reader import Reader
from node.replay import replay
from node.state.flat_check import check_flat_state
from node.state.proofs import verify_proof
from node.state.trie_difference import lost_nodes
from node.state.view import decode_account
from node.storage.node_table import state_root, stored_node
from node.storage.schema import Table
from node.types.primitives import BlockNumber, keccak256
from node.types.transaction import DEPOSIT
from tests.node.chains import BOB, GENESIS, ROLLUP_GENESIS, Chain, open_chain


def bounded(chain: Chain, kept_blocks: int | None) -> Chain:
    """Return the chain with an engine that keeps so many blocks, as after a restart."""
    engine = Engine(chain.database, chain.reader.config, kept_blocks=kept_blocks)
    return Chain(chain.database, engine, chain.reader)


def extend_finalizing_the_parent(chain: Chain, count: int) -> None:
    for _ in range(count):
        parent = chain.head()
        executed = chain.build(chain.transfer())
        chain.engine.insert(executed, safe=parent.ref, finalized=parent.ref)


def begins(chain: Chain) -> int:
    with chain.database.read() as snapshot:
        return first_kept(snapshot)


def differences(chain: Chain) -> list[object]:
    """Replay all that can be."""
    first, last = BlockNumber(begins(chain) + 1), chain.head().number
    reports = list(replay(chain.reader, first, last))
    assert len(reports) == last - first + 1
    return [report.difference for report in reports if report.difference is not None]


@pytest.fixture
def long_chain(tmp_path: Path) -> Iterator[Chain]:
    """150 blocks, all of them kept, on the disk."""
    with open_chain(tmp_path) as chain:
        extend_finalizing_the_parent(chain, 150)
        yield chain


def test_a_full_store_is_pruned_bit_by_bit(long_chain: Chain) -> None:
    assert begins(long_chain) == 0
    chain = bounded(long_chain, 8)
    for expected in (BLOCKS_A_COMMIT, 2 * BLOCKS_A_COMMIT, 153 - 8 + 1, 154 - 8 + 1):
        extend_finalizing_the_parent(chain, 1)
        assert begins(chain) == expected
        assert not differences(chain)
    with chain.database.read() as snapshot:
        check_flat_state(snapshot, chain.head().state_root)
        assert len(list(snapshot.items(Table.BODIES))) == 9  # the first block's among them
        assert len(list(snapshot.items(Table.RECEIPTS))) == 9
        assert len(list(snapshot.items(Table.UNDO))) == 7
        assert len(list(snapshot.items(Table.TRANSACTIONS))) == 8
        assert len(list(snapshot.items(Table.HEADERS))) == 155


def test_what_was_pruned_stays_away_when_everything_is_kept_again(long_chain: Chain) -> None:
    chain = bounded(long_chain, 100)
    extend_finalizing_the_parent(chain, 1)
    assert begins(chain) == 52
    chain = bounded(chain, None)
    extend_finalizing_the_parent(chain, 100)
    assert begins(chain) == 52
    chain = bounded(chain, 120)
    extend_finalizing_the_parent(chain, 3)
    assert begins(chain) == 254 - 120 + 1
    assert not differences(chain)


def test_nothing_above_the_finalized_block_is_pruned() -> None:
    with open_chain() as opened:
        chain = bounded(opened, 1)
        extend_finalizing_the_parent(chain, 3)
        for _ in range(6):
            chain.extend(chain.transfer(9))
        assert begins(chain) == 2 == chain.engine.heads.finalized.number
        finalized = chain.engine.heads.finalized
        old = chain.head()
        chain.engine.set_heads(unsafe=finalized)
        assert chain.head().ref == finalized
        with chain.database.read() as snapshot:
            check_flat_state(snapshot, chain.head().state_root)
            root = state_root(snapshot, old.hash, old.state_root)  # the branch can be read
            assert list(lost_nodes(partial(stored_node, snapshot), root, None))
        parent = chain.reader.header_by_number(BlockNumber(1))
        assert parent is not None
        with pytest.raises(CriticalError, match="would take back the finalized block"):
            chain.engine.set_heads(unsafe=parent.ref, safe=parent.ref, finalized=parent.ref)
        # The first of these was there before: the branch begins after it.
        extend_finalizing_the_parent(chain, 2)
        assert begins(chain) == 3
        assert chain.reader.account(BOB.address, old) is not None
        extend_finalizing_the_parent(chain, 1)
        assert begins(chain) == 4
        assert not differences(chain)
        with pytest.raises(PrunedHistory, match="the branch from block 3 to 9 is older than"):
            chain.reader.account(BOB.address, old)


def test_kept_states_have_proofs() -> None:
    with open_chain() as opened:
        chain = bounded(opened, 4)
        extend_finalizing_the_parent(chain, 12)
        for number in range(begins(chain), 13):
            header = chain.reader.header_by_number(BlockNumber(number))
            assert header is not None
            proof = chain.reader.proof(BOB.address, (), header)
            value = verify_proof(header.state_root, keccak256(BOB.address), proof.account_proof)
            assert value is not None
            assert decode_account(value) == proof.account


def test_what_is_said_of_pruned_blocks() -> None:
    with open_chain(genesis=ROLLUP_GENESIS) as opened:
        chain = bounded(opened, 4)
        reader = Reader(chain.database, ROLLUP_GENESIS.config)  # with nothing in its caches
        extend_finalizing_the_parent(chain, 12)
        words = (
            "pruned history unavailable: block 5 is older than the history kept, which begins with "
            "block 9: ask a node that runs with --history full"
        )
        header = reader.header_by_number(BlockNumber(5))
        assert header is not None
        for ask in (
            lambda: reader.block_by_number(BlockNumber(5)),
            lambda: reader.block_by_hash(header.hash),
            lambda: reader.receipts(header.hash),
            lambda: reader.account(BOB.address, header),
            lambda: chain.engine.build(header, chain.attributes(header)),
        ):
            with pytest.raises(PrunedHistory) as caught:
                ask()
            assert str(caught.value) == words
        opening = reader.opening(header.hash)
        assert opening is not None
        assert opening.header == header
        assert [tx.type for tx in opening.transactions] == [DEPOSIT]
        first = reader.block_by_number(BlockNumber(0))
        assert first is not None
        assert reader.receipts(first.hash) == ()


def test_a_lost_body_is_not_taken_for_a_pruned_one() -> None:
    with open_chain() as opened:
        chain = bounded(opened, 4)
        extend_finalizing_the_parent(chain, 12)
        kept = chain.reader.canonical_hash(BlockNumber(begins(chain)))
        assert kept is not None
        with chain.database.write() as tx:
            tx.delete(Table.BODIES, kept)
        with pytest.raises(CorruptStore, match=r"body of block 0x[0-9a-f]+: it is missing"):
            Reader(chain.database, GENESIS.config).block_by_hash(kept)


def test_a_store_whose_nodes_went_missing_is_not_pruned_further() -> None:
    with open_chain() as opened:
        chain = bounded(opened, 4)
        extend_finalizing_the_parent(chain, 12)
        with chain.database.write() as tx:
            for key, _ in list(tx.items(Table.TRIE_NODES)):
                tx.delete(Table.TRIE_NODES, key)
        with pytest.raises(CorruptStore, match="it is gone before its time"):
            extend_finalizing_the_parent(chain, 1)
        before = begins(chain), chain.head()
        with pytest.raises(CorruptStore, match="it is gone before its time"):
            extend_finalizing_the_parent(chain, 1)
        assert (begins(chain), chain.head()) == before
