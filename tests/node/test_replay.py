"""Replay finds every changed byte, and says where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from node.block_store import encode_receipts
from node.chain_file import export_blocks
from node.errors import DecodingError, InvalidInput
from node.genesis import read_genesis
from node.indices import canonical_hash
from node.replay import BlockReport, Difference, replay, replay_blocks, replay_file
from node.storage.schema import Table, number_key
from node.types.block import Block, Withdrawal
from node.types.deposit import make_deposit, user_source_hash
from node.types.primitives import BlockNumber, Hash32, create_address
from tests.node.chains import (
    ALICE,
    BOB,
    CREATION_CODE,
    GENESIS,
    ROLLUP_GENESIS,
    Chain,
    contract_of,
    open_chain,
)
from tests.node.storage.stored_nodes import node_stored_as, state_of

VECTOR = Path(__file__).parents[2] / "../shared/vectors/l1-prague"
LAST = 3


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with open_chain() as chain:
        creation = chain.creation()
        chain.extend(creation, chain.transfer(nonce_offset=1))
        contract = contract_of(creation)
        chain.extend(chain.store(contract, 1, 2), chain.transfer(nonce_offset=1))
        withdrawals = (Withdrawal(300, 1, ALICE.address, 5), Withdrawal(301, 2, BOB.address, 0))
        chain.engine.insert(chain.build(withdrawals=withdrawals))
        yield chain


@pytest.fixture(scope="module")
def rollup() -> Iterator[Chain]:
    with open_chain(genesis=ROLLUP_GENESIS) as chain:
        deposit = make_deposit(
            source_hash=user_source_hash(chain.head().hash, 0),
            sender=ALICE.address,
            to=None,
            mint=10**18,
            value=0,
            gas=300_000,
            data=CREATION_CODE,
        )
        chain.extend(deposit, chain.transfer(nonce_offset=1))
        contract = create_address(ALICE.address, 0)
        chain.extend(chain.store(contract, 1, 2))
        chain.extend(chain.creation())
        yield chain


def reports(chain: Chain, first: int = 0, last: int = LAST) -> list[BlockReport]:
    return list(replay(chain.reader, BlockNumber(first), BlockNumber(last)))


def difference(chain: Chain, number: int) -> Difference | None:
    (report,) = reports(chain, number, number)
    return report.difference


@contextmanager
def stored(chain: Chain, table: Table, key: bytes, value: bytes | None) -> Iterator[None]:
    """Change one stored value, and put the old one back at the end."""
    with chain.database.write() as tx:
        before = tx.get(table, key)
        if value is None:
            tx.delete(table, key)
        else:
            tx.put(table, key, value)
    yield
    with chain.database.write() as tx:
        if before is None:
            tx.delete(table, key)
        else:
            tx.put(table, key, before)


def value_of(chain: Chain, table: Table, number: int) -> tuple[bytes, bytes]:
    """Return a canonical block's hash and what a table holds under it."""
    with chain.database.read() as snapshot:
        block_hash = canonical_hash(snapshot, number)
        assert block_hash is not None
        value = snapshot.get(table, block_hash)
        assert value is not None
        return block_hash, value


def test_a_sound_chain_replays(chain: Chain) -> None:
    found = reports(chain)
    assert [report.number for report in found] == [0, 1, 2, 3]
    assert [report.transaction_count for report in found] == [0, 2, 2, 0]
    assert all(report.difference is None for report in found)
    head = chain.head()
    assert found[-1].hash == head.hash
    assert found[2].gas_used > 42_000


def test_a_sound_rollup_replays(rollup: Chain) -> None:
    found = reports(rollup)
    assert [report.transaction_count for report in found] == [0, 3, 2, 2]
    assert all(report.difference is None for report in found)


def test_the_nonce_of_a_deposit_is_compared(rollup: Chain) -> None:
    original = block(rollup, 1)
    receipts = rollup.reader.receipts(original.hash)
    assert receipts is not None
    assert receipts[1].contract_address == create_address(ALICE.address, 0)
    wrong = encode_receipts((receipts[0], replace(receipts[1], deposit_nonce=5), receipts[2]))
    with stored(rollup, Table.RECEIPTS, original.hash, wrong):
        assert difference(rollup, 1) == Difference("depositNonce", 0, 5, 1)


def test_a_rollup_has_no_withdrawals(rollup: Chain) -> None:
    original = block(rollup, 1)
    wrong = replace(original, withdrawals=(Withdrawal(0, 0, ALICE.address, 1),))
    with stored(rollup, Table.BODIES, original.hash, wrong.encode_body()):
        found = difference(rollup, 1)
    assert found is not None
    assert found.field == "withdrawalsRoot"


def test_replay_ends_at_the_first_difference(chain: Chain) -> None:
    block_hash, receipts = value_of(chain, Table.RECEIPTS, 2)
    with stored(chain, Table.RECEIPTS, block_hash, receipts[:-1]):
        found = reports(chain)
    assert [report.number for report in found] == [0, 1, 2]
    assert [report.difference is None for report in found] == [True, True, False]


HEADER_FIELDS = {
    "hash", "header", "number", "parentHash", "transactionsRoot", "gasUsed", "receiptsRoot",
    "logsBloom", "stateRoot", "withdrawalsRoot", "requestsHash", "blobGasUsed", "excessBlobGas",
    "baseFeePerGas", "difficulty", "nonce", "sha3Uncles",
}  # fmt: skip
BODY_FIELDS = {"body", "transactionsRoot", "withdrawalsRoot"}
RECEIPT_FIELDS = {
    "receipts", "receipt", "type", "status", "cumulativeGasUsed", "logsBloom", "logs",
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "fields", "step"),
    [
        (Table.HEADERS, HEADER_FIELDS, 3),
        (Table.BODIES, BODY_FIELDS, 1),
        (Table.RECEIPTS, RECEIPT_FIELDS, 3),
    ],
)
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_every_changed_byte_is_found(
    chain: Chain, table: Table, fields: set[str], step: int, number: int
) -> None:
    check_every_changed_byte(chain, table, fields, step, number)


ROLLUP_RECEIPT_FIELDS = RECEIPT_FIELDS | {"depositNonce"}


@pytest.mark.parametrize(
    ("table", "fields", "step"),
    [
        (Table.HEADERS, HEADER_FIELDS, 5),
        (Table.BODIES, BODY_FIELDS, 3),
        (Table.RECEIPTS, ROLLUP_RECEIPT_FIELDS, 5),
    ],
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_changed_byte_of_a_rollup_is_found(
    rollup: Chain, table: Table, fields: set[str], step: int, number: int
) -> None:
    check_every_changed_byte(rollup, table, fields, step, number)


def check_every_changed_byte(
    chain: Chain, table: Table, fields: set[str], step: int, number: int
) -> None:
    block_hash, value = value_of(chain, table, number)
    seen = set()
    for position in range(number % step, len(value), step):
        changed = bytearray(value)
        changed[position] ^= 1 << (position % 8)
        with stored(chain, table, block_hash, bytes(changed)):
            found = difference(chain, number)
        assert found is not None, f"byte {position}"
        assert found.field in fields, f"byte {position}: {found}"
        assert str(found)
        seen.add(found.field)
    assert seen
    assert difference(chain, number) is None


@pytest.mark.parametrize("table", [Table.HEADERS, Table.BODIES, Table.RECEIPTS])
def test_missing_and_cut_values_are_found(chain: Chain, table: Table) -> None:
    block_hash, value = value_of(chain, table, 2)
    for wrong in (None, b"", value[:-1], value + b"\x00"):
        with stored(chain, table, block_hash, wrong):
            assert difference(chain, 2) is not None


def block(chain: Chain, number: int) -> Block:
    found = chain.reader.block_by_number(BlockNumber(number))
    assert found is not None
    return found


def test_the_field_of_a_header_is_named(chain: Chain) -> None:
    header = block(chain, 2).header
    wrong = replace(header, state_root=header.receipts_root, gas_used=header.gas_used + 1)
    with stored(chain, Table.HEADERS, header.hash, wrong.encode()):
        assert difference(chain, 2) == Difference("gasUsed", header.gas_used, header.gas_used + 1)
    wrong = replace(header, state_root=header.receipts_root)
    with stored(chain, Table.HEADERS, header.hash, wrong.encode()):
        found = difference(chain, 2)
    assert found == Difference("stateRoot", header.state_root, header.receipts_root)
    # Nothing but the hash commits to what a block was built from.
    wrong = replace(header, extra_data=b"x")
    with stored(chain, Table.HEADERS, header.hash, wrong.encode()):
        assert difference(chain, 2) == Difference("hash", header.hash, wrong.hash)


def test_the_transaction_of_a_body_is_named(chain: Chain) -> None:
    original = block(chain, 2)
    other = chain.transfer(5)
    wrong = replace(original, transactions=(original.transactions[0], other))
    with stored(chain, Table.BODIES, original.hash, wrong.encode_body()):
        found = difference(chain, 2)
    assert found is not None
    assert (found.field, found.transaction_index) == ("transactionsRoot", 1)
    assert str(found).startswith("transaction 1: transactionsRoot: expected 0x")


def test_the_transaction_and_field_of_a_receipt_are_named(chain: Chain) -> None:
    original = block(chain, 2)
    receipts = chain.reader.receipts(original.hash)
    assert receipts is not None
    for changes, field in (
        ({"status": 0}, "status"),
        ({"cumulative_gas_used": 1}, "cumulativeGasUsed"),
        ({"logs": receipts[0].logs}, "logs"),
        ({"bloom": b"\x01" * 256}, "logsBloom"),
        ({"type": 1}, "type"),
    ):
        wrong = encode_receipts((receipts[0], replace(receipts[1], **changes)))
        with stored(chain, Table.RECEIPTS, original.hash, wrong):
            found = difference(chain, 2)
        assert found is not None
        assert (found.field, found.transaction_index) == (field, 1)


def test_wrong_indices_are_found(chain: Chain) -> None:
    two, three = block(chain, 2), block(chain, 3)
    with stored(chain, Table.CANONICAL, number_key(2), None):
        found = difference(chain, 2)
        assert found is not None
        assert found.field == "canonical"
    with stored(chain, Table.CANONICAL, number_key(2), three.hash):
        assert difference(chain, 2) == Difference("number", 2, 3)
        assert difference(chain, 3) == Difference("parentHash", three.hash, two.hash)
    with stored(chain, Table.NUMBERS, two.hash, number_key(3)):
        assert difference(chain, 2) == Difference("number by hash", 2, 3)
    with stored(chain, Table.TRANSACTIONS, two.transactions[1].hash, None):
        found = difference(chain, 2)
        assert found is not None
        assert (found.field, found.transaction_index) == ("transaction by hash", 1)


def test_damaged_state_of_the_parent_is_found(chain: Chain) -> None:
    root = state_of(chain.database, block(chain, 1).header)
    assert root is not None
    for wrong in (None, b"\xc0"):
        with node_stored_as(chain.database, root, wrong):
            found = difference(chain, 2)
        assert found is not None
        assert found.field == "state"
        assert root[:32].hex() in str(found)
    root = state_of(chain.database, block(chain, 0).header)
    with node_stored_as(chain.database, root, None):
        found = difference(chain, 0)
        assert found is not None
        assert found.field == "stateRoot"


def test_unwound_siblings_do_not_matter(chain: Chain) -> None:
    with open_chain() as other:
        fork = other.head()
        other.extend(other.transfer())
        other.engine.insert(other.build(other.transfer(parent=fork), parent=fork, salt=1))
        assert all(report.difference is None for report in reports(other, 0, 1))


def write_file(chain: Chain, path: Path, first: int = 0) -> bytes:
    list(export_blocks(chain.reader, path, BlockNumber(first), BlockNumber(LAST)))
    return path.read_bytes()


@pytest.mark.parametrize("first", [0, 1])
def test_a_file_replays_from_its_genesis(chain: Chain, tmp_path: Path, first: int) -> None:
    write_file(chain, tmp_path / "chain.rlp", first)
    assert list(replay_file(tmp_path / "chain.rlp", GENESIS)) == reports(chain, first)


def test_geths_file_replays() -> None:
    if not VECTOR.exists():
        pytest.skip("the folder with public test vectors is absent")
    found = list(replay_file(VECTOR / "chain.rlp", read_genesis(VECTOR / "genesis.json")))
    assert len(found) == 20
    assert all(report.difference is None for report in found)


def test_every_changed_byte_of_a_file_is_found(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "chain.rlp"
    content = write_file(chain, path)
    for position in range(0, len(content), 23):
        changed = bytearray(content)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(bytes(changed))
        try:
            found = list(replay_file(path, GENESIS))
        except DecodingError as error:
            assert "block at offset" in str(error)
        else:
            last = found[-1]
            # A header's own fields are only committed to by the hash, which the last block's
            # successor would hold: then it is another block with another hash.
            assert last.difference is not None or last.hash != chain.head().hash


def blocks(chain: Chain) -> list[Block]:
    return [block(chain, number) for number in range(LAST + 1)]


def test_replay_ends_at_a_transaction(chain: Chain, rollup: Chain) -> None:
    for of, genesis in ((chain, GENESIS), (rollup, ROLLUP_GENESIS)):
        second = block(of, 2)
        receipts = of.reader.receipts(second.hash)
        assert receipts is not None
        for index, tx in enumerate(second.transactions):
            for found in (
                list(replay(of.reader, BlockNumber(0), BlockNumber(LAST), upto=tx.hash)),
                list(replay_blocks(blocks(of), genesis, upto=tx.hash)),
            ):
                assert [report.number for report in found] == [0, 1, 2]
                assert all(report.difference is None for report in found)
                assert found[2].transaction_count == index + 1
                assert found[2].gas_used == receipts[index].cumulative_gas_used


def test_what_follows_the_transaction_is_not_looked_at(chain: Chain) -> None:
    original = block(chain, 2)
    receipts = chain.reader.receipts(original.hash)
    assert receipts is not None
    upto = original.transactions[0].hash
    wrong = encode_receipts((receipts[0], replace(receipts[1], status=0)))
    with stored(chain, Table.RECEIPTS, original.hash, wrong):
        assert all(
            report.difference is None
            for report in replay(chain.reader, BlockNumber(2), BlockNumber(2), upto=upto)
        )
        assert difference(chain, 2) == Difference("status", 1, 0, 1)


def test_a_transaction_that_is_in_no_block(chain: Chain) -> None:
    unknown = Hash32(b"\x07" * 32)
    with pytest.raises(InvalidInput, match=r"0x0707.* is in none of blocks 0 to 3"):
        list(replay(chain.reader, BlockNumber(0), BlockNumber(LAST), upto=unknown))
    late = block(chain, 2).transactions[0].hash
    with pytest.raises(InvalidInput, match="is in none of blocks 0 to 1"):
        list(replay(chain.reader, BlockNumber(0), BlockNumber(1), upto=late))
    with pytest.raises(InvalidInput, match=r"0x0707.* is in none of the blocks"):
        list(replay_blocks(blocks(chain), GENESIS, upto=unknown))
