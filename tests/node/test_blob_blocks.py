"""Blobs from the pool into blocks of the dev chain, and back when a block is unwound."""

from dataclasses import replace
from pathlib import Path

from node.chain import UNDO_BLOCKS
from node.clock import VirtualClock
from node.dev_chain import DevChain
from node.engine import Engine
from node.execution.fees import GAS_PER_BLOB, blob_base_fee, blob_base_fee_at, next_excess_blob_gas
from node.mempool import Mempool
from node.reader import Reader
from node.storage.database import Database
from node.types.blob_sidecar import CELL_PROOFS
from node.types.blob_transaction import encode_pooled_transaction
from node.types.transaction import Transaction
from tests.node.blobs import blob, blob_transaction, sidecar
from tests.node.execution.signing import GWEI
from tests.node.pooled_chain import GENESIS_TIME, PooledChain, ethereum_genesis, open_pool


def add(chain: PooledChain, *transactions: Transaction) -> None:
    for tx in transactions:
        chain.mempool.add(encode_pooled_transaction(tx))


def produce(chain: PooledChain) -> tuple[Transaction, ...]:
    """Let the dev chain make a block of the pool."""
    dev = DevChain(chain.engine, chain.reader, chain.mempool, VirtualClock(GENESIS_TIME))
    transactions = dev.produce(0).block.transactions
    assert all(isinstance(tx, Transaction) for tx in transactions)
    return transactions  # type: ignore[return-value]


def stored(chain: PooledChain, tx: Transaction) -> list[bytes | None]:
    found = [chain.reader.blob(name) for name in tx.blob_versioned_hashes]
    return [None if item is None else item.data for item in found]


def test_blobs_are_stored_with_their_block() -> None:
    with open_pool() as chain:
        tx = blob_transaction(sidecar(1, 2, version=CELL_PROOFS))
        add(chain, tx)
        assert stored(chain, tx) == [None, None]
        assert produce(chain) == (tx,)
        assert stored(chain, tx) == [blob(1), blob(2)]
        block = chain.reader.block_by_hash(chain.head().hash)
        assert block is not None
        assert block.transactions == (tx,)
        assert block.header.blob_gas_used == 2 * GAS_PER_BLOB
        assert len(chain.mempool) == 0


def test_a_block_holds_nine_blobs_and_the_best_tips_go_first() -> None:
    with open_pool() as chain:
        transactions = [
            blob_transaction(sidecar(*seeds), user=user, max_priority_fee_per_gas=tip * GWEI)
            for user, (seeds, tip) in enumerate(
                [((1, 2, 3, 4, 5), 3), ((6, 7, 8, 9, 10), 2), ((11, 12), 1), ((13, 14), 4)]
            )
        ]
        add(chain, *transactions)
        payment = chain.transfer(user=5)
        chain.mempool.add(payment.raw)
        first, second, third, fourth = transactions
        assert produce(chain) == (fourth, first, third, payment)
        assert chain.head().blob_gas_used == 9 * GAS_PER_BLOB
        assert produce(chain) == (second,)
        assert stored(chain, second) == [blob(seed) for seed in (6, 7, 8, 9, 10)]


def test_a_blob_fee_cap_below_the_price_waits() -> None:
    with open_pool(replace(ethereum_genesis(), excess_blob_gas=16_000_000)) as chain:
        price = _next_blob_price(chain)
        assert price > 2
        low = blob_transaction(sidecar(1), max_fee_per_blob_gas=price // 2)
        high = blob_transaction(sidecar(2), user=1, max_fee_per_blob_gas=price)
        add(chain, low, high)
        assert produce(chain) == (high,)
        assert blob_base_fee(chain.genesis.config, chain.head()) == price
        waited = 0
        while not (included := produce(chain)):
            waited += 1
            assert len(chain.mempool) == 1
        assert included == (low,)
        assert waited > 0


def _next_blob_price(chain: PooledChain) -> int:
    config, head = chain.genesis.config, chain.head()
    excess = next_excess_blob_gas(config, head, head.timestamp + 1)
    return blob_base_fee_at(config, head.timestamp + 1, excess)


def test_unwound_transactions_come_back_with_their_blobs() -> None:
    with open_pool() as chain:
        parent = chain.head()
        tx = blob_transaction(sidecar(1, 2))
        add(chain, tx)
        chain.mine()
        chain.engine.set_heads(unsafe=parent.ref)
        assert stored(chain, tx) == [blob(1), blob(2)]
        again = chain.mempool.get(tx.hash)
        assert again == tx
        assert again.sidecar == sidecar(1, 2)
        assert produce(chain) == (tx,)
        assert stored(chain, tx) == [blob(1), blob(2)]


def test_without_their_blobs_they_do_not_come_back() -> None:
    with open_pool() as chain:
        parent = chain.head()
        tx = blob_transaction(sidecar(1))
        chain.insert(replace(tx, sidecar=None))  # as from elsewhere
        assert stored(chain, tx) == [None]
        chain.engine.set_heads(unsafe=parent.ref)
        assert len(chain.mempool) == 0


def test_blobs_survive_a_restart(tmp_path: Path) -> None:
    genesis = ethereum_genesis()
    tx = blob_transaction(sidecar(1))
    with Database.open(tmp_path) as database:
        engine = Engine(database, genesis.config, undo_blocks=UNDO_BLOCKS)
        engine.initialise(genesis)
        reader = Reader(database, genesis.config)
        chain = PooledChain(genesis, engine, reader, Mempool(reader, genesis.config))
        add(chain, tx)
        assert produce(chain) == (tx,)
    with Database.open(tmp_path) as database:
        found = Reader(database, genesis.config).blob(tx.blob_versioned_hashes[0])
        assert found is not None
        assert (found.data, found.commitment) == (blob(1), sidecar(1).commitments[0])
