"""The trie nodes that the engine holds in memory: none that is not stored, whatever happens."""

import random

import pytest

from node.errors import CorruptStore, InvalidTransaction, ResetError
from node.execution.transition import ExecutedBlock
from node.state.flat_check import check_flat_state
from node.state.linked_node import LinkedNode
from node.state.node_cache import NodeCache
from node.storage.schema import Table
from node.types.block import BlockRef
from tests.node.chains import BOB, Chain, contract_of, open_chain
from tests.node.storage.stored_nodes import node_stored_as, state_of


def held(chain: Chain) -> dict[bytes, LinkedNode]:
    cache = chain.engine._nodes
    return {**cache._old, **cache._young}


def assert_all_are_stored(chain: Chain) -> None:
    with chain.database.read() as snapshot:
        for number, node in held(chain).items():
            assert snapshot.get(Table.TRIE_NODES, number) == node


def numbers(executed: ExecutedBlock) -> set[bytes]:
    """Return the numbers of the nodes that a block makes."""
    return {number for number, _ in executed.changes.nodes.items()}


def test_a_block_that_is_not_inserted_leaves_nothing() -> None:
    with open_chain() as chain:
        chain.extend(chain.transfer(1))
        executed = chain.build(chain.transfer(2))
        assert held(chain)
        assert_all_are_stored(chain)
        assert not numbers(executed) & held(chain).keys()


def test_a_transaction_that_is_refused_leaves_nothing() -> None:
    with open_chain() as chain:
        chain.extend(chain.transfer(1))
        tx = chain.transfer(1)
        with pytest.raises(InvalidTransaction):
            chain.build(tx, tx)
        assert_all_are_stored(chain)


def test_an_insertion_that_fails_leaves_nothing() -> None:
    with open_chain() as chain:
        chain.extend(chain.transfer(1))
        executed = chain.build(chain.transfer(2))
        elsewhere = BlockRef(executed.block.hash, chain.head().number)
        with pytest.raises(ResetError):
            chain.engine.insert(executed, safe=elsewhere)
        assert not numbers(executed) & held(chain).keys()
        chain.engine.insert(executed)
        assert numbers(executed) <= held(chain).keys()
        assert_all_are_stored(chain)


def test_random_reorgs_give_the_changes_of_an_engine_that_holds_nothing() -> None:
    rng = random.Random(5)
    with open_chain() as chain, open_chain() as plain:
        creation = chain.creation()
        for each in (chain, plain):
            each.extend(creation)
        contract = contract_of(creation)
        headers = [chain.head()]
        for salt in range(60):
            parent = rng.choice(headers[-4:])
            txs = [
                chain.store(
                    contract, rng.randrange(5), rng.randrange(3), parent=parent, nonce_offset=offset
                )
                for offset in range(rng.randrange(3))
            ]
            executed = chain.build(*txs, parent=parent, salt=salt)
            plain.engine._nodes = NodeCache(0)
            assert plain.engine.execute(executed.block).changes == executed.changes
            for each in (chain, plain):
                each.engine.insert(executed)
            headers = [header for header in headers if header.number <= parent.number]
            headers.append(executed.block.header)
            assert_all_are_stored(chain)


def test_a_damaged_node_is_not_held() -> None:
    with open_chain() as chain:
        chain.extend(chain.transfer(1))
        head = chain.head()
        root = state_of(chain.database, head)
        assert root is not None
        chain.engine._nodes = NodeCache()
        with (
            node_stored_as(chain.database, root, b"\xc0"),
            pytest.raises(CorruptStore, match="another hash"),
        ):
            chain.build(chain.transfer(2))
        assert root[32:] not in held(chain)


def test_a_block_that_was_made_before_another_was_inserted_is_numbered_after_it() -> None:
    with open_chain() as chain:
        chain.extend(chain.transfer(1))
        parent = chain.head()
        one, other = chain.build(chain.transfer(2)), chain.build(chain.transfer(3), salt=1)
        assert numbers(one) & numbers(other)
        chain.engine.insert(one)
        chain.engine.insert(other)
        assert_all_are_stored(chain)
        third = chain.build(chain.transfer(4))
        assert third.changes.nodes.first == other.changes.nodes.first + len(
            one.changes.nodes.nodes + other.changes.nodes.nodes
        )
        chain.engine.insert(third)
        assert_all_are_stored(chain)
        with chain.database.read() as snapshot:
            check_flat_state(snapshot, chain.head().state_root)
        for header in (parent, one.block.header, other.block.header, third.block.header):
            assert chain.reader.account(BOB.address, header) is not None


def test_a_block_that_comes_back_is_not_written_again() -> None:
    with open_chain() as chain:
        chain.extend(chain.transfer(1))
        parent = chain.head()
        executed = chain.extend(chain.transfer(2))
        made_on_it = chain.build(chain.transfer(3))
        with chain.database.read() as snapshot:
            stored = list(snapshot.items(Table.TRIE_NODES))
        chain.engine.set_heads(unsafe=parent.ref)
        chain.engine.insert(executed)
        with chain.database.read() as snapshot:
            assert list(snapshot.items(Table.TRIE_NODES)) == stored
        chain.engine.insert(made_on_it)
        assert_all_are_stored(chain)
