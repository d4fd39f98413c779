"""The trie nodes that the engine holds in memory: none that is not stored, whatever happens."""

import random

import pytest

from node.errors import CorruptStore, InvalidTransaction, ResetError
from node.state.node_cache import NodeCache
from node.types.block import BlockRef
from node.types.primitives import Hash32
from tests.node.chains import Chain, contract_of, open_chain
from tests.node.storage.stored_nodes import node_stored_as


def held(chain: Chain) -> dict[Hash32, bytes]:
    cache = chain.engine._nodes
    return {**cache._old, **cache._young}


def assert_all_are_stored(chain: Chain) -> None:
    with chain.database.read() as snapshot:
        for node_hash, raw in held(chain).items():
            assert snapshot.trie_node(node_hash) == raw


def test_a_block_that_is_not_inserted_leaves_nothing() -> None:
    with open_chain() as chain:
        chain.extend(chain.transfer(1))
        executed = chain.build(chain.transfer(2))
        assert held(chain)
        assert_all_are_stored(chain)
        assert not executed.changes.trie_nodes.keys() & held(chain).keys()


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
        assert not executed.changes.trie_nodes.keys() & held(chain).keys()
        chain.engine.insert(executed)
        assert executed.changes.trie_nodes.keys() <= held(chain).keys()
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
        root = chain.head().state_root
        chain.engine._nodes = NodeCache()
        with (
            node_stored_as(chain.database, root, b"\xc0"),
            pytest.raises(CorruptStore, match="another hash"),
        ):
            chain.build(chain.transfer(2))
        assert root not in held(chain)
