from collections.abc import Iterator

import pytest

from node.errors import CorruptStore, CriticalError, ExecutionReverted, InvalidInput
from node.execution.simulate import CallRequest
from node.execution.transition import ExecutedBlock
from node.log_filter import LocatedLog, LogFilter
from node.reader import Reader, TransactionLocation
from node.state.proofs import verify_proof
from node.state.view import decode_account
from node.storage.database import Database
from node.storage.schema import Table
from node.types.block import Header
from node.types.primitives import Address, BlockNumber, Hash32, keccak256
from node.types.rlp_codec import decode
from tests.node.chains import ALICE, BOB, GENESIS, STORE_AND_LOG, Chain, contract_of, open_chain

NOBODY = Address(b"\x99" * 20)
UNKNOWN = Hash32(b"\x77" * 32)


class Story:
    """A chain of three blocks; the last of them has a sibling that was unwound."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.reader = chain.reader
        creation = chain.creation()
        self.contract = contract_of(creation)
        self.one = chain.extend(creation, chain.transfer(nonce_offset=1))
        self.two = chain.extend(
            chain.store(self.contract, 1, 2), chain.store(self.contract, 3, 4, nonce_offset=1)
        )
        fork = chain.head()
        self.lost = chain.extend(chain.store(self.contract, 1, 7))
        self.three = chain.build(chain.store(self.contract, 1, 9, parent=fork), parent=fork, salt=1)
        chain.engine.insert(self.three)


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with open_chain() as chain:
        yield Story(chain)


def test_blocks_by_number_and_hash(story: Story) -> None:
    reader = story.reader
    for number, executed in enumerate((story.one, story.two, story.three), start=1):
        block = executed.block
        assert reader.block_by_number(BlockNumber(number)) == block
        assert reader.header_by_number(BlockNumber(number)) == block.header
        assert reader.canonical_hash(BlockNumber(number)) == block.hash
        assert reader.header(BlockNumber(number)) == reader.header(block.hash) == block.header
    for executed in (story.one, story.lost, story.three):
        assert reader.block_by_hash(executed.block.hash) == executed.block
        assert reader.header_by_hash(executed.block.hash) == executed.block.header
        assert reader.receipts(executed.block.hash) == executed.receipts
    assert reader.head_header() == story.three.block.header
    assert reader.is_canonical(story.three.block.hash)
    assert not reader.is_canonical(story.lost.block.hash)


@pytest.mark.parametrize("number", [4, 2**64 - 1, 2**70, -1])
def test_numbers_beyond_the_chain(story: Story, number: int) -> None:
    assert story.reader.block_by_number(BlockNumber(number)) is None
    assert story.reader.header_by_number(BlockNumber(number)) is None
    assert story.reader.canonical_hash(BlockNumber(number)) is None


def test_unknown_hashes(story: Story) -> None:
    assert story.reader.block_by_hash(UNKNOWN) is None
    assert story.reader.header_by_hash(UNKNOWN) is None
    assert story.reader.receipts(UNKNOWN) is None
    assert story.reader.transaction(UNKNOWN) is None
    assert not story.reader.is_canonical(UNKNOWN)


def test_receipts_are_rebuilt_in_full(story: Story) -> None:
    # A second reader has nothing cached.
    reader = Reader(story.chain.database, GENESIS.config)
    receipts = reader.receipts(story.one.block.hash)
    assert receipts == story.one.receipts
    assert receipts[0].contract_address == story.contract
    assert receipts[1].gas_used == 21_000
    assert receipts[1].cumulative_gas_used == receipts[0].gas_used + 21_000


def test_transactions_by_hash(story: Story) -> None:
    for executed in (story.one, story.two, story.three):
        for index, tx in enumerate(executed.block.transactions):
            location = story.reader.transaction(tx.hash)
            assert location == TransactionLocation(executed.block, index)
    assert story.reader.transaction(story.lost.block.transactions[0].hash) is None


def test_state_of_every_block(story: Story) -> None:
    def slot_one(executed: ExecutedBlock) -> int:
        return story.reader.storage(story.contract, 1, executed.block.header)

    assert [slot_one(b) for b in (story.one, story.two, story.lost, story.three)] == [0, 2, 7, 9]
    genesis = story.reader.header_by_number(BlockNumber(0))
    assert genesis is not None
    assert story.reader.account(story.contract, genesis) is None
    assert story.reader.code(story.contract, genesis) == b""
    assert story.reader.storage(story.contract, 1, genesis) == 0
    assert story.reader.code(story.contract, story.one.block.header) == STORE_AND_LOG
    assert story.reader.code(BOB.address, story.one.block.header) == b""
    bob = story.reader.account(BOB.address, story.three.block.header)
    assert bob is not None
    assert bob.balance == GENESIS.alloc[BOB.address].balance + 1


def everything(story: Story, **conditions: object) -> LogFilter:
    return LogFilter(from_block=0, to_block=3, **conditions)  # type: ignore[arg-type]


def word(value: int) -> Hash32:
    return Hash32(value.to_bytes(32, "big"))


def test_logs_of_a_range(story: Story) -> None:
    found = story.reader.logs(everything(story))
    assert [(item.block_number, item.log.topics) for item in found] == [
        (2, (word(1),)),
        (2, (word(3),)),
        (3, (word(1),)),
    ]
    two = story.two.block
    assert found[1] == LocatedLog(
        story.two.receipts[1].logs[0],
        two.hash,
        two.number,
        two.header.timestamp,
        two.transactions[1].hash,
        1,
        1,
    )


def test_logs_are_filtered(story: Story) -> None:
    def places(wanted: LogFilter) -> list[tuple[int, int]]:
        return [(item.block_number, item.log_index) for item in story.reader.logs(wanted)]

    assert places(everything(story, topics=((word(1),),))) == [(2, 0), (3, 0)]
    assert places(everything(story, topics=((word(3), word(4)),))) == [(2, 1)]
    assert places(everything(story, topics=(None,))) == [(2, 0), (2, 1), (3, 0)]
    assert places(everything(story, topics=(None, None))) == []
    assert places(everything(story, addresses=(NOBODY,))) == []
    assert places(everything(story, addresses=(NOBODY, story.contract))) == [(2, 0), (2, 1), (3, 0)]
    assert places(LogFilter(from_block=3, to_block=1000)) == [(3, 0)]
    assert places(LogFilter(from_block=0, to_block=1)) == []


def test_logs_of_one_block_even_an_unwound_one(story: Story) -> None:
    (found,) = story.reader.logs(LogFilter(block_hash=story.lost.block.hash))
    assert found.block_hash == story.lost.block.hash
    with pytest.raises(InvalidInput, match="unknown block 0x77"):
        story.reader.logs(LogFilter(block_hash=UNKNOWN))


def test_too_many_logs_are_refused(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.reader.MAX_LOGS", 2)
    with pytest.raises(InvalidInput, match="more than 2 results"):
        story.reader.logs(everything(story))
    with pytest.raises(InvalidInput, match="block range too large"):
        story.reader.logs(LogFilter(from_block=0, to_block=10**9))


@pytest.mark.parametrize("which", ["two", "lost", "three"])
def test_proofs_verify_against_the_header(story: Story, which: str) -> None:
    header: Header = getattr(story, which).block.header
    proof = story.reader.proof(story.contract, (1, 3, 5), header)
    raw = verify_proof(header.state_root, keccak256(story.contract), proof.account_proof)
    assert raw is not None
    assert proof.account == decode_account(raw)
    assert [item.slot for item in proof.storage] == [1, 3, 5]
    for item in proof.storage:
        key = keccak256(item.slot.to_bytes(32, "big"))
        value = verify_proof(proof.account.storage_root, key, item.proof)
        found = 0 if value is None else int.from_bytes(bytes(decode(value)), "big")  # type: ignore[arg-type]
        assert found == item.value == story.reader.storage(story.contract, item.slot, header)


def test_proof_that_an_account_is_absent(story: Story) -> None:
    header = story.three.block.header
    proof = story.reader.proof(NOBODY, (1,), header)
    assert proof.account is None
    assert verify_proof(header.state_root, keccak256(NOBODY), proof.account_proof) is None
    assert (proof.storage[0].value, proof.storage[0].proof) == (0, ())


# PUSH1 1 SLOAD PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN; and one that reverts.
BLOCK_HASHES = bytes.fromhex("6001430340600052" + "6002430340602052" + "60406000f3")


def test_calls_run_on_any_block(story: Story) -> None:
    request = CallRequest(sender=ALICE.address, data=BLOCK_HASHES)
    output = story.reader.call(request, story.three.block.header).output
    assert output == story.two.block.hash + story.one.block.hash
    # The context of an unwound block has its own ancestors.
    child = story.chain.build(parent=story.lost.block.header)
    assert child.block.header.parent_hash == story.lost.block.hash
    with pytest.raises(ExecutionReverted):
        story.reader.call(CallRequest(data=bytes.fromhex("60006000fd")), story.three.block.header)


def test_gas_is_estimated(story: Story) -> None:
    request = CallRequest(sender=ALICE.address, to=BOB.address, value=1)
    assert story.reader.estimate_gas(request, story.three.block.header) == 21_000


def test_ancestors_of_an_unwound_branch(story: Story) -> None:
    with open_chain() as chain:
        base = chain.extend()
        lost = [chain.extend(salt=1) for _ in range(3)]
        chain.engine.set_heads(unsafe=base.block.header.ref)
        for _ in range(5):
            chain.extend(salt=2)
        creation = CallRequest(sender=ALICE.address, data=BLOCK_HASHES)
        output = chain.reader.call(creation, lost[2].block.header).output
        assert output == lost[1].block.hash + lost[0].block.hash


def test_a_store_without_a_chain() -> None:
    with Database.open(None) as database:
        reader = Reader(database, GENESIS.config)
        for ask in (reader.heads, reader.head_header):
            with pytest.raises(CriticalError, match="initialise"):
                ask()
        assert reader.block_by_number(BlockNumber(0)) is None
        assert reader.logs(LogFilter(0, 10)) == []


@pytest.mark.parametrize("table", [Table.HEADERS, Table.BODIES, Table.RECEIPTS])
@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_damaged_values_are_never_served(table: Table, damage: str) -> None:
    with open_chain() as chain:
        executed = chain.extend(chain.creation())
        block_hash = executed.block.hash
        with chain.database.write() as tx:
            value = tx.get(table, block_hash)
            assert value is not None
            tx.delete(table, block_hash)
            if damage == "cut":
                tx.put(table, block_hash, value[:-1])
            elif damage == "changed":
                tx.put(table, block_hash, b"\xc1" + value[1:])
        if table is Table.HEADERS and damage == "missing":
            assert chain.reader.header_by_hash(block_hash) is None
        else:
            with pytest.raises(CorruptStore, match=block_hash.hex()):
                chain.reader.receipts(block_hash)
        with pytest.raises(CorruptStore, match=block_hash.hex()):
            chain.reader.receipts(chain.reader.head_header().hash)
