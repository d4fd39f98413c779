"""Taking the batcher's data out of L1."""

import pytest

from consensus.codec.blob import BLOB_SIZE, encode_blob
from consensus.derivation.outcomes import Drained
from node.errors import ResetError, TemporaryError
from node.types.deposit import make_deposit
from node.types.primitives import Address, Hash32, keccak256
from node.types.rlp_codec import RlpItem, encode, encode_uint
from node.types.transaction import address_of_key, decode_signed_transaction
from tests.consensus.derivation.stages import Stages, make_stages
from tests.consensus.rollup import (
    BATCHER,
    INBOX,
    OTHER_KEY,
    batcher_transaction,
    config_log,
    rollup_config,
    signed_with,
    with_logs,
)
from tests.fakes.l1_source import FakeL1, Included


@pytest.fixture
def l1() -> FakeL1:
    return FakeL1()


@pytest.fixture
def stages(l1: FakeL1) -> Stages:
    return make_stages(rollup_config(l1), l1)


async def drain(stages: Stages) -> list[bytes]:
    """Return all data of the current L1 block."""
    found = []
    while not isinstance(data := await stages.retrieval.next_data(), Drained):
        found.append(data)
    return found


async def advance(stages: Stages) -> list[bytes]:
    """Return all data of the next L1 block."""
    await stages.traversal.advance()
    return await drain(stages)


async def test_inbox_and_batcher_decide(l1: FakeL1, stages: Stages) -> None:
    assert await drain(stages) == []
    l1.mine(
        Included(batcher_transaction(b"first")),
        Included(batcher_transaction(b"elsewhere", to=Address(bytes(20)))),
        Included(batcher_transaction(b"impostor", key=OTHER_KEY)),
        Included(batcher_transaction(b"second", nonce=1)),
    )
    assert await advance(stages) == [b"first", b"second"]


async def test_failed_transactions_count(l1: FakeL1, stages: Stages) -> None:
    l1.mine(Included(batcher_transaction(b"data"), status=0))
    assert await advance(stages) == [b"data"]


@pytest.mark.parametrize(("kind", "expected"), [(1, [b"data"]), (2, [b"data"]), (4, [])])
async def test_types(l1: FakeL1, stages: Stages, kind: int, expected: list[bytes]) -> None:
    transaction = signed_with(kind, b"data")
    assert transaction.sender == BATCHER
    l1.mine(Included(transaction))
    assert await advance(stages) == expected


async def test_blobs(l1: FakeL1, stages: Stages) -> None:
    names = [keccak256(b"one"), keccak256(b"two"), keccak256(b"three")]
    blobs = (encode_blob(b"first"), b"\xff" * BLOB_SIZE, encode_blob(b"second"))
    l1.published_blobs = dict(zip(names, blobs, strict=True))
    l1.mine(
        Included(batcher_transaction(b"before")),
        Included(signed_with(3, b"ignored", names)),
        Included(batcher_transaction(b"after")),
    )
    assert await advance(stages) == [b"before", b"first", b"second", b"after"]


async def test_blobs_that_do_not_come_are_waited_for(l1: FakeL1, stages: Stages) -> None:
    name = keccak256(b"one")
    l1.published_blobs = {name: encode_blob(b"data")}
    l1.mine(Included(signed_with(3, b"", [name])))
    await stages.traversal.advance()
    l1.fail(1, after=1)
    with pytest.raises(TemporaryError):
        await stages.retrieval.next_data()
    assert await drain(stages) == [b"data"]


@pytest.mark.parametrize("blocks_after", [0, 2])
async def test_blobs_of_a_block_that_l1_replaced_reset(
    l1: FakeL1, stages: Stages, blocks_after: int
) -> None:
    name = keccak256(b"one")
    l1.published_blobs = {name: encode_blob(b"data")}
    l1.mine(Included(signed_with(3, b"", [name])))
    await stages.traversal.advance()
    l1.fork(l1.genesis.number)
    if blocks_after:
        l1.mine_empty(blocks_after)
    l1.fail(1, after=1)  # a beacon node has nothing but what is canonical
    with pytest.raises(ResetError, match="whose blobs are needed, is not canonical any more"):
        await stages.retrieval.next_data()


async def test_deposits_on_l1_are_nobodys_batches(l1: FakeL1, stages: Stages) -> None:
    deposit = make_deposit(
        source_hash=Hash32(bytes(32)), sender=BATCHER, to=INBOX, mint=0, value=0, gas=1, data=b"x"
    )
    l1.mine(Included(deposit))
    assert await advance(stages) == []


async def test_unrecoverable_signatures_are_skipped(l1: FakeL1, stages: Stages) -> None:
    fields: list[RlpItem] = [
        encode_uint(900),
        b"",
        b"\x01",
        b"\x01",
        encode_uint(21000),
        INBOX,
        b"",
        b"x",
        [],
    ]
    hopeless = decode_signed_transaction(
        b"\x02" + encode([*fields, b"", b"\x05", bytes([255] * 32)])
    )
    l1.mine(Included(hopeless))
    assert await advance(stages) == []


async def test_key_rotation(l1: FakeL1, stages: Stages) -> None:
    new = bytes(12) + address_of_key(OTHER_KEY)
    both = (
        Included(batcher_transaction(b"old key")),
        Included(batcher_transaction(b"new key", key=OTHER_KEY)),
    )
    l1.mine(*both)
    # The update counts for its whole block, transactions before the event included.
    l1.mine(*both, with_logs(config_log(0, new)))
    l1.mine(*both)
    assert await advance(stages) == [b"old key"]
    assert await advance(stages) == [b"new key"]
    assert await advance(stages) == [b"new key"]


async def test_temporary_failure_loses_nothing(l1: FakeL1, stages: Stages) -> None:
    l1.mine(Included(batcher_transaction(b"data")))
    await stages.traversal.advance()
    l1.fail(2)
    for _ in range(2):
        with pytest.raises(TemporaryError):
            await stages.retrieval.next_data()
    assert await drain(stages) == [b"data"]


async def test_reset(l1: FakeL1, stages: Stages) -> None:
    l1.mine(Included(batcher_transaction(b"1")), Included(batcher_transaction(b"2")))
    await drain(stages)
    await stages.traversal.advance()
    assert await stages.retrieval.next_data() == b"1"
    stages.retrieval.reset(stages.start)
    assert stages.retrieval.current_l1 == l1.genesis
    assert await drain(stages) == []
    assert await advance(stages) == [b"1", b"2"]
    # A block that was being opened is forgotten as well.
    l1.mine(Included(batcher_transaction(b"3")))
    await stages.traversal.advance()
    l1.fail(1)
    with pytest.raises(TemporaryError):
        await stages.retrieval.next_data()
    stages.retrieval.reset(stages.start)
    assert await drain(stages) == []
