"""The engine on a real store, with real blocks: inserting, unwinding, heads, reopening."""

import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from node.chain import Heads
from node.engine import Engine
from node.errors import ConfigError, CriticalError, InvalidBlock, ResetError
from node.execution.transition import ExecutedBlock
from node.genesis import genesis_block, l1_dev_genesis
from node.head_change import HeadChange
from node.indices import canonical_hash
from node.state.trie_state import stored_state
from node.storage.database import Database
from node.storage.schema import Table, flat_state_root
from node.types.block import Block, BlockRef
from node.types.primitives import Hash32
from tests.node.chains import BOB, GENESIS, Chain, contract_of, numbered_from_1, open_chain
from tests.node.storage.stored_nodes import state_of, stored_nodes

# Found by hash, kept when a block is unwound, or never deleted.
BY_HASH = {Table.HEADERS, Table.BODIES, Table.RECEIPTS, Table.NUMBERS}
BY_HASH |= {Table.CODES, Table.GARBAGE}
# Numbered on beyond those of unwound blocks.
NODES = {Table.TRIE_NODES, Table.STATES}


def ref(executed: ExecutedBlock) -> BlockRef:
    return executed.block.header.ref


def content(database: Database) -> dict[Table, dict[bytes, bytes]]:
    with database.read() as snapshot:
        tables = {table: dict(snapshot.items(table)) for table in Table}
    del tables[Table.META][b"next_node"]
    return tables


def node_hashes(database: Database) -> set[bytes]:
    with database.read() as snapshot:
        return set(stored_nodes(snapshot).values())


def assert_like_a_store_that_saw_only(chain: Chain, blocks: list[ExecutedBlock]) -> None:
    """Compare a store's whole content with one that was given `blocks` and nothing else."""
    with open_chain() as other:
        for executed in blocks:
            other.engine.insert(executed)
        expected, actual = content(other.database), content(chain.database)
        # With what unwound blocks have written.
        assert node_hashes(chain.database) >= node_hashes(other.database)
        assert actual[Table.STATES].keys() >= expected[Table.STATES].keys()
    for table in set(Table) - NODES:
        if table in BY_HASH:
            assert expected[table].items() <= actual[table].items(), table
        else:
            assert expected[table] == actual[table], table


def assert_flat_state_is_the_tries(chain: Chain) -> None:
    """Check that the flat state holds what the head's trie holds, for the accounts at hand."""
    root = state_of(chain.database, chain.head())
    with chain.database.read() as snapshot:
        state = stored_state(snapshot, root)
        assert flat_state_root(snapshot) == state.state_root
        for address, raw in snapshot.items(Table.ACCOUNTS):
            account = state.account(address)
            assert account is not None
            assert account.encode() == raw
        for key, raw in snapshot.items(Table.STORAGE):
            slot = int.from_bytes(key[20:], "big")
            assert state.storage(key[:20], slot) == int.from_bytes(raw, "big")


def test_a_new_store_has_only_its_first_block() -> None:
    with open_chain() as chain:
        first = genesis_block(GENESIS).block.header.ref
        assert chain.engine.heads == Heads(first, first, first)
        assert chain.engine.heads == chain.reader.heads()


def test_without_a_first_block_there_are_no_heads() -> None:
    with Database.open(None) as database, pytest.raises(CriticalError, match="initialise"):
        _ = Engine(database, GENESIS.config).heads


def test_initialising_again_checks_the_genesis(tmp_path: Path) -> None:
    with open_chain(tmp_path) as chain:
        head = ref(chain.extend(chain.transfer()))
        chain.engine.initialise(GENESIS)
        assert chain.engine.heads.unsafe == head
    other = l1_dev_genesis(timestamp=1)
    with pytest.raises(ConfigError, match=genesis_block(GENESIS).block.hash.hex()) as caught:
        open_chain(tmp_path, other).__enter__()
    assert genesis_block(other).block.hash.hex() in str(caught.value)


def test_initialising_again_checks_the_chain_id(tmp_path: Path) -> None:
    with open_chain(tmp_path):
        pass
    other = l1_dev_genesis(timestamp=GENESIS.timestamp, chain_id=12345)
    with pytest.raises(ConfigError, match=r"holds chain 900 .* says chain 12345 "):
        open_chain(tmp_path, other).__enter__()


def test_inserting_moves_the_unsafe_head_and_the_state() -> None:
    with open_chain() as chain:
        before = chain.head()
        executed = chain.extend(chain.transfer(7))
        assert chain.engine.heads.unsafe == ref(executed)
        assert chain.engine.heads.safe == before.ref
        bob = chain.reader.account(BOB.address, chain.head())
        bob_before = chain.reader.account(BOB.address, before)
        assert bob is not None
        assert bob_before is not None
        assert bob.balance == bob_before.balance + 7
        assert_flat_state_is_the_tries(chain)


def test_everything_survives_reopening(tmp_path: Path) -> None:
    with open_chain(tmp_path) as chain:
        one = chain.extend(chain.creation())
        two = chain.build(chain.store(contract_of(one.block.transactions[0]), 1, 2))
        chain.engine.insert(two, safe=ref(one), finalized=ref(one))
        before = content(chain.database)
    with open_chain(tmp_path) as chain:
        assert content(chain.database) == before
        assert chain.engine.heads == Heads(ref(two), ref(one), ref(one))
        chain.extend(chain.transfer())


def test_a_sibling_replaces_the_blocks_above_its_parent() -> None:
    with open_chain() as chain:
        creation = chain.creation()
        contract = contract_of(creation)
        one = chain.extend(creation, chain.transfer(nonce_offset=1))
        fork = chain.head()
        two = chain.extend(chain.store(contract, 1, 2), chain.store(contract, 3, 4, nonce_offset=1))
        three = chain.extend(chain.store(contract, 1, 0), chain.creation(nonce_offset=1))
        sibling = chain.build(chain.store(contract, 3, 9, parent=fork), parent=fork, salt=1)
        chain.engine.insert(sibling)
        assert chain.engine.heads.unsafe == ref(sibling)
        assert_flat_state_is_the_tries(chain)
        assert_like_a_store_that_saw_only(chain, [one, sibling])

        for gone in (two, three):
            assert chain.reader.block_by_hash(gone.block.hash) == gone.block
            assert chain.reader.receipts(gone.block.hash) == gone.receipts
            assert not chain.reader.is_canonical(gone.block.hash)
            assert chain.reader.transaction(gone.block.transactions[0].hash) is None
        assert chain.reader.header_by_number(three.block.number) is None
        # And back again.
        chain.engine.insert(two)
        chain.engine.insert(three)
        assert_like_a_store_that_saw_only(chain, [one, two, three])


def test_a_transaction_that_both_branches_hold_stays_indexed() -> None:
    with open_chain() as chain:
        fork = chain.head()
        shared = chain.transfer()
        chain.extend(shared)
        sibling = chain.build(shared, parent=fork, salt=1)
        chain.engine.insert(sibling)
        location = chain.reader.transaction(shared.hash)
        assert location is not None
        assert location.block == sibling.block


@pytest.mark.parametrize("seed", range(6))
def test_random_branches_leave_nothing_of_what_lost(seed: int) -> None:
    rng = random.Random(seed)
    with open_chain() as chain:
        creation = chain.creation()
        contract = contract_of(creation)
        path = [chain.extend(creation)]
        for salt in range(12):
            keep = rng.randint(max(1, len(path) - 3), len(path))
            parent = path[keep - 1].block.header
            transactions = [
                chain.store(
                    contract, rng.randrange(4), rng.randrange(3), parent=parent, nonce_offset=n
                )
                if rng.random() < 0.7
                else chain.creation(parent=parent, nonce_offset=n)
                for n in range(rng.randrange(3))
            ]
            executed = chain.build(*transactions, parent=parent, salt=salt)
            chain.engine.insert(executed)
            path = [*path[:keep], executed]
            assert_flat_state_is_the_tries(chain)
        assert_like_a_store_that_saw_only(chain, path)


def test_inserting_a_canonical_block_again_keeps_it() -> None:
    with open_chain() as chain:
        one = chain.extend(chain.transfer())
        chain.extend(chain.transfer())
        chain.engine.insert(one, safe=ref(one), finalized=ref(one))
        assert chain.engine.heads == Heads(ref(one), ref(one), ref(one))
        assert_flat_state_is_the_tries(chain)


def test_a_block_on_an_unwound_parent_is_refused() -> None:
    with open_chain() as chain:
        fork = chain.head()
        lost = chain.extend(chain.transfer())
        child = chain.build(chain.transfer())
        chain.engine.insert(chain.build(parent=fork, salt=1))
        before = content(chain.database)
        with pytest.raises(ResetError, match="is not canonical"):
            chain.engine.insert(child)
        assert content(chain.database) == before
        # But it can be executed there, on the state that the tries still hold.
        assert numbered_from_1(chain.engine.execute(child.block)) == numbered_from_1(child)
        assert lost.block.hash == child.block.header.parent_hash


def test_changes_must_fit_the_parents_state() -> None:
    with open_chain() as chain:
        one = chain.build(chain.transfer())
        wrong = replace(one, changes=replace(one.changes, parent_root=Hash32(b"\x01" * 32)))
        before = content(chain.database)
        with pytest.raises(CriticalError, match="flat state"):
            chain.engine.insert(wrong)
        assert content(chain.database) == before


def test_unwinding_by_lowering_the_unsafe_head() -> None:
    with open_chain() as chain:
        one = chain.extend(chain.transfer())
        two = chain.extend(chain.transfer())
        three = chain.extend(chain.transfer())
        changes: list[HeadChange] = []
        chain.engine.subscribe(changes.append)
        chain.engine.set_heads(unsafe=ref(one))
        assert changes == [HeadChange((), (three.block, two.block), chain.engine.heads)]
        assert chain.engine.heads.unsafe == ref(one)
        assert_like_a_store_that_saw_only(chain, [one])


def three_blocks(chain: Chain) -> tuple[ExecutedBlock, ExecutedBlock, ExecutedBlock]:
    return chain.extend(), chain.extend(), chain.extend()


def test_safe_and_finalized_follow() -> None:
    with open_chain() as chain:
        one, two, three = three_blocks(chain)
        chain.engine.set_heads(safe=ref(two))
        chain.engine.set_heads(finalized=ref(one))
        assert chain.engine.heads == Heads(ref(three), ref(two), ref(one))
        # The safe head may go back, down to the finalized one.
        chain.engine.set_heads(safe=ref(one))
        chain.engine.set_heads(unsafe=ref(two), safe=ref(two), finalized=ref(two))
        assert chain.engine.heads == Heads(ref(two), ref(two), ref(two)) == chain.reader.heads()


def test_nothing_finalized_is_taken_back() -> None:
    with open_chain() as chain:
        one, two, three = three_blocks(chain)
        chain.engine.set_heads(safe=ref(two), finalized=ref(two))
        before = content(chain.database)
        with pytest.raises(CriticalError, match="finalized block 2"):
            chain.engine.set_heads(unsafe=ref(one), safe=ref(one), finalized=ref(one))
        with pytest.raises(CriticalError, match="cannot go back to 1"):
            chain.engine.set_heads(finalized=ref(one))
        with pytest.raises(CriticalError, match=r"safe head 1 .* is below the finalized head 2"):
            chain.engine.set_heads(safe=ref(one))
        sibling = chain.build(parent=one.block.header, salt=1)
        with pytest.raises(CriticalError, match="finalized block 2"):
            chain.engine.insert(sibling, safe=ref(sibling), finalized=ref(sibling))
        assert content(chain.database) == before
        assert chain.engine.heads == Heads(ref(three), ref(two), ref(two))


def test_heads_must_be_canonical_and_in_order() -> None:
    with open_chain() as chain:
        one, two, three = three_blocks(chain)
        chain.engine.set_heads(safe=ref(two))
        stranger = BlockRef(Hash32(b"\x07" * 32), two.block.number)
        before = content(chain.database)
        for heads in (
            {"unsafe": stranger},
            {"safe": stranger},
            {"finalized": stranger},
            {"safe": BlockRef(one.block.hash, two.block.number)},
            {"unsafe": BlockRef(Hash32(b"\x07" * 32), three.block.number)},
        ):
            with pytest.raises(ResetError, match="is not canonical"):
                chain.engine.set_heads(**heads)
        with pytest.raises(ResetError, match=r"safe head 2 .* is above the unsafe head 1"):
            chain.engine.set_heads(unsafe=ref(one))
        with pytest.raises(CriticalError, match=r"safe head 2 .* is below the finalized head 3"):
            chain.engine.set_heads(finalized=ref(three))
        sibling = chain.build(parent=one.block.header, salt=1)
        with pytest.raises(ResetError, match=r"safe head 2 .* is not canonical"):
            chain.engine.insert(sibling)
        assert content(chain.database) == before
        chain.engine.insert(sibling, safe=ref(one))
        assert chain.engine.heads.safe == ref(one)


def test_only_the_newest_blocks_can_be_unwound(tmp_path: Path) -> None:
    with Database.open(tmp_path) as database:
        chain_engine = Engine(database, GENESIS.config, undo_blocks=3)
        chain_engine.initialise(GENESIS)
    with open_chain(tmp_path) as chain:
        chain.engine = Engine(chain.database, GENESIS.config, undo_blocks=3)
        blocks = [chain.extend(chain.transfer()) for _ in range(6)]
        with pytest.raises(CriticalError, match="block 3 is too old to be unwound"):
            chain.engine.set_heads(unsafe=ref(blocks[1]))
        with chain.database.read() as snapshot:
            assert len(list(snapshot.items(Table.UNDO))) == 3
        chain.engine.set_heads(unsafe=ref(blocks[2]))
        assert chain.engine.heads.unsafe == ref(blocks[2])
        assert_flat_state_is_the_tries(chain)


def test_subscribers_hear_of_each_commit() -> None:
    with open_chain() as chain:
        changes: list[HeadChange] = []
        chain.engine.subscribe(changes.append)
        fork = chain.head()
        one = chain.extend(chain.transfer())
        sibling = chain.build(parent=fork, salt=1)
        chain.engine.insert(sibling)
        chain.engine.set_heads(safe=ref(sibling))
        assert [(change.added, change.removed) for change in changes] == [
            ((one,), ()),
            ((sibling,), (one.block,)),
            ((), ()),
        ]
        assert changes[-1].heads == chain.engine.heads


def test_building_and_executing_agree_on_any_parent() -> None:
    with open_chain() as chain:
        genesis = chain.head()
        tx = chain.transfer()
        built = chain.engine.build(genesis, replace(Chain.attributes(genesis), transactions=(tx,)))
        chain.extend(chain.transfer(9))
        chain.extend(chain.transfer(9))
        again = chain.engine.build(genesis, replace(Chain.attributes(genesis), transactions=(tx,)))
        executed = chain.engine.execute(built.block)
        assert again == executed
        assert numbered_from_1(again) == numbered_from_1(built)
        assert chain.reader.block_by_hash(built.block.hash) is None


def test_unknown_parents_are_refused() -> None:
    with open_chain() as chain:
        stranger = replace(chain.head(), extra_data=b"other")
        with pytest.raises(ResetError, match="is not stored"):
            chain.engine.build(stranger, Chain.attributes(stranger))
        with (
            pytest.raises(ResetError, match="is not stored"),
            chain.engine.begin(stranger, Chain.attributes(stranger)),
        ):
            pass
        with pytest.raises(InvalidBlock, match="parentHash"):
            chain.engine.execute(Block(replace(chain.head(), number=1), ()))


def test_readers_in_other_threads_see_whole_commits() -> None:
    with open_chain() as chain:
        done = threading.Event()
        failures: list[str] = []

        def read() -> None:
            while not done.is_set():
                with chain.reader.snapshot() as snapshot:
                    head = chain.reader.heads().unsafe
                    header = chain.reader.header_by_hash(head.hash)
                    if header is None or chain.reader.receipts(head.hash) is None:
                        failures.append(f"block {head.number} is incomplete")
                    hashes = [canonical_hash(snapshot, number) for number in range(20)]
                    held = [block_hash for block_hash in hashes if block_hash is not None]
                    newest = chain.reader.header_by_hash(held[-1])
                    if newest is None or flat_state_root(snapshot) != newest.state_root:
                        failures.append("flat state and canonical chain differ")

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        fork = chain.extend().block.header
        for salt in range(8):
            chain.extend(chain.transfer())
            chain.engine.insert(chain.build(chain.transfer(parent=fork), parent=fork, salt=salt))
        done.set()
        for thread in threads:
            thread.join()
        assert not failures


def test_a_block_can_be_inserted_while_another_is_being_made() -> None:
    with open_chain() as chain:
        parent = chain.head()
        with chain.engine.begin(parent, Chain.attributes(parent)) as execution:
            execution.apply(chain.transfer())
            chain.extend(chain.transfer(5))
            # The snapshot is from before the insertion: the block goes on as it began.
            execution.apply(chain.transfer(parent=parent, nonce_offset=1))
            executed = execution.seal()
        again = chain.engine.execute(executed.block)
        assert numbered_from_1(again) == numbered_from_1(executed)
        chain.engine.insert(executed)
        assert_flat_state_is_the_tries(chain)
