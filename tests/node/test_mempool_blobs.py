"""Blob transactions in the pool: what is refused leaves no trace, what enters has proofs."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from node.errors import (
    DecodingError,
    FeeCapTooLow,
    InsufficientFunds,
    InvalidTransaction,
    NonceTooHigh,
    TransactionTypeNotSupported,
)
from node.evm.kzg import BLS_MODULUS
from node.mempool import AlreadyKnown, PoolFull, PoolLimits, ReplacementUnderpriced
from node.types.blob_sidecar import BLOB_PROOFS, CELL_PROOFS, BlobSidecar, InvalidSidecar
from node.types.blob_transaction import encode_pooled_transaction
from node.types.transaction import BLOB, Transaction
from tests.node.blobs import blob, blob_transaction, carrying, sidecar
from tests.node.execution.signing import GWEI, sign
from tests.node.pooled_chain import (
    KEYS,
    USERS,
    PooledChain,
    ethereum_genesis,
    open_pool,
    rollup_genesis,
)

VERSIONS = pytest.mark.parametrize("version", [BLOB_PROOFS, CELL_PROOFS], ids=["blob", "cell"])


def add(chain: PooledChain, tx: Transaction) -> None:
    assert chain.mempool.add(encode_pooled_transaction(tx)) == tx.hash


def refused(chain: PooledChain, raw: bytes, error: type[Exception], message: str) -> None:
    before = chain.mempool.content(), len(chain.mempool)
    with pytest.raises(error) as caught:
        chain.mempool.add(raw)
    assert type(caught.value) is error
    assert str(caught.value).startswith(message)
    assert (chain.mempool.content(), len(chain.mempool)) == before


@VERSIONS
def test_either_proofs_get_in_and_blob_proofs_are_kept(version: int) -> None:
    with open_pool() as chain:
        tx = blob_transaction(sidecar(1, 2, version=version))
        heard: list[Transaction] = []
        chain.mempool.subscribe(heard.append)
        add(chain, tx)
        pooled = chain.mempool.get(tx.hash)
        assert pooled == tx
        assert pooled.sidecar == heard[0].sidecar == sidecar(1, 2)
        refused(chain, encode_pooled_transaction(tx), AlreadyKnown, "already known")


def _with(made: BlobSidecar, **fields: Any) -> BlobSidecar:
    return replace(made, **fields)


@VERSIONS
def test_what_is_wrong_with_blobs_is_named(version: int) -> None:
    good = sidecar(1, 2, version=version)
    other = sidecar(3, version=version)
    each = len(other.proofs)
    tx = blob_transaction(good)
    large = blob(1)[:64] + BLS_MODULUS.to_bytes(32, "big") + blob(1)[96:]
    kzg = "KZG verification error: invalid blob proof: "
    cases: tuple[tuple[BlobSidecar | None, str], ...] = (
        (None, "missing sidecar in blob transaction"),
        (other, "invalid number of 1 blobs compared to 2 blob hashes"),
        (
            _with(good, commitments=good.commitments[:1]),
            "invalid number of 1 blob commitments compared to 2 blob hashes",
        ),
        (
            _with(good, proofs=good.proofs[:-1]),
            f"invalid number of {2 * each - 1} blob proofs expected {2 * each}",
        ),
        (
            _with(good, version=1 - version),
            f"invalid number of {2 * each} blob proofs expected {258 - 2 * each}",
        ),
        (
            _with(good, commitments=(good.commitments[0], *other.commitments)),
            f"blob 1: computed hash 0x{other.versioned_hashes()[0].hex()} mismatches transaction "
            f"one 0x{tx.blob_versioned_hashes[1].hex()}",
        ),
        (
            _with(good, proofs=good.proofs[:each] + other.proofs),
            kzg + "blob 1: its commitment and proof do not prove it",
        ),
        (
            _with(good, blobs=(good.blobs[0], *other.blobs)),
            kzg + "blob 1: its commitment and proof do not prove it",
        ),
        (
            _with(good, blobs=(large, good.blobs[1])),
            kzg + "blob 0: field element 2 is not below the modulus",
        ),
    )
    with open_pool() as chain:
        for wrong, message in cases:
            refused(chain, carrying(tx, wrong), InvalidSidecar, message)
        refused(
            chain,
            carrying(tx, _with(good, version=2)),
            DecodingError,
            "unsupported blob tx version 2",
        )
        raw = encode_pooled_transaction(tx)
        refused(chain, raw[:-1], DecodingError, "RLP: an item of")
        add(chain, tx)


def test_as_many_blobs_as_fit_into_a_block() -> None:
    with open_pool() as chain:
        tx = blob_transaction(sidecar(*range(10), version=CELL_PROOFS))
        message = "too many blobs in transaction: have 10, permitted 9"
        refused(chain, encode_pooled_transaction(tx), InvalidSidecar, message)
        add(chain, blob_transaction(sidecar(*range(9), version=CELL_PROOFS)))
        without = sign(kind=BLOB, key=KEYS[1], blob_hashes=(), gas=21_000)
        refused(chain, without.raw, InvalidTransaction, "blob transaction missing blob hashes")
        version = sign(kind=BLOB, key=KEYS[1], blob_hashes=(b"\2" * 32,), gas=21_000)
        message = "blob 0 has invalid hash version: have 2 want 1"
        refused(chain, version.raw, InvalidTransaction, message)


def test_nothing_larger_is_decoded() -> None:
    with open_pool() as chain:
        refused(chain, b"\3" + bytes(3_000_000), InvalidTransaction, "oversized data: transaction ")
        refused(chain, b"\2" + bytes(200_000), InvalidTransaction, "oversized data: transaction ")


def test_a_rollup_takes_none() -> None:
    message = "transaction type not supported: a rollup takes no blob transactions (type 3)"
    with open_pool(rollup_genesis()) as chain:
        for raw in (
            encode_pooled_transaction(blob_transaction(sidecar(1, 2))),
            sign(kind=BLOB, key=KEYS[0]).raw,
        ):
            refused(chain, raw, TransactionTypeNotSupported, message)
        with pytest.raises(TransactionTypeNotSupported, match="not supported: 3"):
            chain.mempool.add_transaction(blob_transaction(sidecar(1)))


def test_a_blob_fee_cap_of_nothing() -> None:
    with open_pool() as chain:
        refused(
            chain,
            encode_pooled_transaction(blob_transaction(sidecar(1), max_fee_per_blob_gas=0)),
            FeeCapTooLow,
            "transaction gas price below minimum: blob fee cap 0, minimum needed 1",
        )
        add(chain, blob_transaction(sidecar(1), max_fee_per_blob_gas=1))


def test_blobs_must_be_affordable() -> None:
    cost = 21_000 * 100 * GWEI + 2 * 131_072 * GWEI
    tx = encode_pooled_transaction(blob_transaction(sidecar(1, 2)))
    with open_pool(ethereum_genesis({USERS[0]: cost - 1})) as chain:
        refused(chain, tx, InsufficientFunds, "insufficient funds for gas * price + value")
    with open_pool(ethereum_genesis({USERS[0]: cost})) as chain:
        chain.mempool.add(tx)


def test_who_cannot_have_it_included_has_no_proofs_checked() -> None:
    wrong = _with(sidecar(1), proofs=sidecar(2).proofs)
    with open_pool() as chain:
        far = blob_transaction(wrong, nonce=5_000)
        refused(chain, encode_pooled_transaction(far), NonceTooHigh, "nonce too high")


@pytest.mark.parametrize(
    ("cap", "tip", "blob_cap", "lacking"),
    [
        (200, 2, 2, None),
        (199, 2, 2, "fee cap 100 % above 100000000000 wei, got 199000000000"),
        (200, 1, 2, "tip 100 % above 1000000000 wei, got 1000000000"),
        (200, 2, 1, "blob fee cap 100 % above 1000000000 wei, got 1000000000"),
    ],
)
def test_replacement_doubles_every_price(
    cap: int, tip: int, blob_cap: int, lacking: str | None
) -> None:
    with open_pool() as chain:
        old = blob_transaction(sidecar(1, 2))
        add(chain, old)
        new = blob_transaction(
            sidecar(3),
            max_fee_per_gas=cap * GWEI,
            max_priority_fee_per_gas=tip * GWEI,
            max_fee_per_blob_gas=blob_cap * GWEI,
        )
        if lacking is not None:
            message = f"replacement transaction underpriced: expected a {lacking}"
            refused(chain, encode_pooled_transaction(new), ReplacementUnderpriced, message)
            return
        add(chain, new)
        assert (chain.mempool.get(old.hash), len(chain.mempool)) == (None, 1)


@pytest.mark.parametrize("blobs_first", [True, False])
def test_replacement_between_types_doubles_both_prices(blobs_first: bool) -> None:
    with open_pool() as chain:
        fields = {"cap": 199 * GWEI, "tip": 2 * GWEI}
        if blobs_first:
            add(chain, blob_transaction(sidecar(1)))
            raw = chain.transfer(**fields).raw
        else:
            chain.mempool.add(chain.transfer().raw)
            doubled = {"max_fee_per_gas": 199 * GWEI, "max_priority_fee_per_gas": 2 * GWEI}
            raw = encode_pooled_transaction(blob_transaction(sidecar(1), **doubled))
        refused(chain, raw, ReplacementUnderpriced, "replacement transaction underpriced")
        if blobs_first:
            chain.mempool.add(chain.transfer(cap=200 * GWEI, tip=2 * GWEI).raw)
            assert len(chain.mempool) == 1


def test_a_sender_has_a_few_only() -> None:
    with open_pool(limits=PoolLimits(with_blobs_per_sender=2)) as chain:
        chain.mempool.add(chain.transfer().raw)
        for nonce in (1, 2):
            add(chain, blob_transaction(sidecar(1), nonce=nonce))
        third = encode_pooled_transaction(blob_transaction(sidecar(1), nonce=3))
        refused(chain, third, PoolFull, "account limit exceeded: pooled 2 txs with blobs, limit 2")
        doubled = {"max_fee_per_gas": 200 * GWEI, "max_priority_fee_per_gas": 2 * GWEI}
        add(
            chain,
            blob_transaction(sidecar(1), nonce=2, max_fee_per_blob_gas=2 * GWEI, **doubled),
        )
        add(chain, blob_transaction(sidecar(1), user=1))
        chain.mempool.add(chain.transfer(nonce=3).raw)


def test_blobs_count_for_the_size_of_the_pool() -> None:
    with open_pool(limits=PoolLimits(transactions=50, size=300_000)) as chain:
        cheap = blob_transaction(sidecar(1))
        add(chain, cheap)
        add(chain, blob_transaction(sidecar(2), user=1))
        third = blob_transaction(sidecar(3), user=2)
        refused(chain, encode_pooled_transaction(third), PoolFull, "txpool is full")
        add(chain, blob_transaction(sidecar(3), user=2, max_priority_fee_per_gas=2 * GWEI))
        assert len(chain.mempool) == 2
        chain.mempool.add(chain.transfer(user=3).raw)


def test_the_same_from_many_threads_enters_once() -> None:
    with open_pool() as chain:
        raw = encode_pooled_transaction(blob_transaction(sidecar(1, version=CELL_PROOFS)))
        outcomes: list[object] = []

        def add() -> None:
            try:
                outcomes.append(chain.mempool.add(raw))
            except AlreadyKnown as error:
                outcomes.append(error)

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 1
        assert (len(outcomes), len(chain.mempool)) == (4, 1)
