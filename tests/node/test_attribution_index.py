"""The attribution index of random chains with reorgs is the one that is rebuilt from them."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.calldata import encode_append
from attribution.records import Influence, Record
from node import attribution_index
from node.attribution_entries import Funding, Place
from node.attribution_lookup import (
    batches,
    fundings,
    hub_logs,
    hub_logs_from,
    streams_naming,
)
from node.attribution_rebuild import needs_rebuilding, rebuild
from node.config import AttributionConfig
from node.engine import Engine
from node.errors import CorruptStore, CriticalError
from node.execution.transition import ExecutedBlock
from node.genesis import DevAccount, dev_accounts, l2_genesis
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.reader import Reader
from node.storage.database import Database
from node.storage.schema import Table
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.attribution_summary import DatasetSummary, decode_summary, encode_summary, summarise
from node.types.deposit import DepositTransaction, make_deposit
from node.types.primitives import Address, Hash32, create_address, keccak256
from node.types.transaction import Transaction, sign_dynamic_fee
from tests.node.chains import Chain
from tests.node.hub_calls import register_dataset, register_model

GENESIS = l2_genesis(
    chain_id=901,
    timestamp=1_700_000_000,
    attribution=AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=2**20),
)
ACCOUNTS = dev_accounts()[:3]
NEWCOMERS = tuple(Address(keccak256(b"newcomer" + bytes([index]))[:20]) for index in range(4))
# Calls the precompile with its own input: receipts whose records no transaction to it holds.
RELAY = bytes.fromhex("366000600037600060003660006000610a775af100")
RELAY_CREATION = bytes.fromhex("60%02x600c60003960%02x6000f3" % ((len(RELAY),) * 2)) + RELAY


@dataclass
class IndexedChain:
    """A rollup with attribution; `extend` makes blocks of actions, told apart by letters."""

    database: Database = field(default_factory=lambda: Database.open(None))
    kept_blocks: int | None = None
    nonces: dict[Address, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        engine = Engine(self.database, GENESIS.config, kept_blocks=self.kept_blocks)
        engine.initialise(GENESIS)
        self.chain = Chain(self.database, engine, Reader(self.database, GENESIS.config))

    def sign(self, sender: DevAccount, to: Address | None, data: bytes, value: int) -> Transaction:
        """Sign the sender's next transaction of the block in the making."""
        account = self.chain.reader.account(sender.address, self.chain.head())
        assert account is not None
        nonce = self.nonces.setdefault(sender.address, account.nonce)
        self.nonces[sender.address] += 1
        return sign_dynamic_fee(
            sender.private_key,
            chain_id=GENESIS.config.chain_id,
            nonce=nonce,
            max_priority_fee_per_gas=10**9,
            max_fee_per_gas=10**11,
            gas=2_000_000,
            to=to,
            value=value,
            data=data,
        )

    def extend(self, *transactions: Transaction, salt: int = 0) -> ExecutedBlock:
        """Insert a block on the head."""
        self.nonces.clear()
        return self.chain.extend(*transactions, salt=salt)

    def append(self, sender: DevAccount, stream: int, count: int, seq: int) -> Transaction:
        """Sign an append of records that differ."""
        return self.sign(sender, ATTRIBUTION_ADDRESS, records_call(stream, seq, count), 0)

    def contents(self) -> dict[bytes, bytes]:
        """Return the whole index."""
        with self.database.read() as snapshot:
            return dict(snapshot.items(Table.ATTRIBUTION))

    def rebuilt(self) -> dict[bytes, bytes]:
        """Return the whole index after rebuilding it."""
        for _ in rebuild(self.database, GENESIS.config):
            pass
        return self.contents()

    def count(self, logger: Address, stream: int) -> int:
        """Return how many receipts the index knows."""
        with self.database.read() as snapshot:
            return sum(batch.count for batch in batches(snapshot, logger, stream))


def records_call(stream: int, seq: int, count: int) -> bytes:
    """Return an append of records that differ."""
    records = [
        Record(
            amount=100 + (seq + index) // 2,
            influences=tuple(Influence(dataset, 3000) for dataset in range(1, 1 + index % 3)),
            commitment=keccak256(bytes([index])),
        )
        for index in range(count)
    ]
    return encode_append(stream, seq, records)


ACTIONS = st.tuples(
    st.sampled_from(["pay", "create", "append", "relay", "dataset", "model", "fail"]),
    st.integers(0, 2),
    st.integers(0, 3),
)
BLOCKS = st.tuples(st.integers(0, 3), st.lists(ACTIONS, max_size=4))


@settings(max_examples=25, deadline=None)
@given(st.lists(BLOCKS, max_size=8))
def test_after_any_blocks_and_reorgs_it_is_what_the_chain_says(
    steps: list[tuple[int, list[tuple[str, int, int]]]],
) -> None:
    rollup = IndexedChain()
    with rollup.database:
        relay = deploy_relay(rollup)
        floor = rollup.chain.head()
        for salt, (depth, actions) in enumerate(steps):
            head = rollup.chain.head()
            target = max(floor.number, head.number - depth)
            header = rollup.chain.reader.header_by_number(target)  # type: ignore[arg-type]
            assert header is not None
            rollup.chain.engine.set_heads(unsafe=header.ref)
            rollup.extend(*perform(rollup, relay, actions), salt=salt)
        written = rollup.contents()
        assert written == rollup.rebuilt()
        header = rollup.chain.reader.header_by_number(0)  # type: ignore[arg-type]
        assert header is not None
        rollup.chain.engine.set_heads(unsafe=header.ref)
        assert rollup.contents() == {}


def deploy_relay(rollup: IndexedChain) -> Address:
    """Create the contract that appends what it is given."""
    rollup.extend(rollup.sign(ACCOUNTS[0], None, RELAY_CREATION, 0))
    return create_address(ACCOUNTS[0].address, 0)


def perform(
    rollup: IndexedChain, relay: Address, actions: list[tuple[str, int, int]]
) -> list[Transaction]:
    """Sign what the actions stand for."""
    transactions: list[Transaction] = []
    written: dict[tuple[Address, int], int] = {}
    rollup.nonces.clear()
    for name, who, which in actions:
        sender = ACCOUNTS[who]
        if name == "pay":
            value = 5 * 2 ** rollup.nonces.get(sender.address, 0)
            transactions.append(rollup.sign(sender, NEWCOMERS[which], b"", value))
        elif name == "create":
            transactions.append(rollup.sign(sender, None, RELAY_CREATION, 0))
        elif name in ("append", "relay"):
            logger = sender.address if name == "append" else relay
            key = (logger, which)
            seq = written.setdefault(key, rollup.count(*key))
            call = records_call(which, seq, which + 1)
            to = ATTRIBUTION_ADDRESS if name == "append" else relay
            transactions.append(rollup.sign(sender, to, call, 0))
            written[key] += which + 1
        elif name == "dataset":
            call = register_dataset(bytes([which]) * 32, "u", sender.address)
            transactions.append(rollup.sign(sender, ATTRIBUTION_HUB_ADDRESS, call, 0))
        elif name == "model":
            call = register_model(bytes([which]) * 32, logger=sender.address, owner=sender.address)
            transactions.append(rollup.sign(sender, ATTRIBUTION_HUB_ADDRESS, call, 0))
        else:
            transactions.append(rollup.sign(sender, ATTRIBUTION_ADDRESS, b"\x01", 0))
    return transactions


def test_what_it_finds() -> None:
    rollup = IndexedChain()
    with rollup.database:
        relay = deploy_relay(rollup)
        alice, bob = ACCOUNTS[:2]
        first = rollup.append(alice, 7, 3, 0)
        second = rollup.append(alice, 7, 4, 3)
        paid = rollup.sign(alice, NEWCOMERS[0], b"", 5)
        again = rollup.sign(bob, NEWCOMERS[0], b"", 5)
        by_contract = rollup.sign(bob, relay, records_call(7, 0, 2), 0)
        block = rollup.extend(first, second, paid, again, by_contract).block
        with rollup.database.read() as snapshot:
            found = list(batches(snapshot, alice.address, 7))
            assert [(batch.from_seq, batch.count) for batch in found] == [(0, 3), (3, 4)]
            assert [batch.place for batch in found] == [
                Place(block.number, 1, 0),
                Place(block.number, 2, 0),
            ]
            assert found[0].timestamp == block.header.timestamp
            assert not found[0].is_deposit
            assert found[0].amount == 100 + 100 + 101
            assert found[0].summary is not None
            assert found[0].summary.amounts == ((100, 2), (101, 1))
            assert found[0].summary.datasets == {
                1: DatasetSummary(201 * 3000, ((100, 1), (101, 1))),
                2: DatasetSummary(101 * 3000, ((101, 1),)),
            }
            for seq, expected in ((2, found), (3, found[1:]), (6, found[1:]), (7, [])):
                assert list(batches(snapshot, alice.address, 7, seq)) == expected
            assert list(batches(snapshot, bob.address, 7)) == []
            assert list(streams_naming(snapshot, 2)) == [(alice.address, 7)]
            assert list(streams_naming(snapshot, 3)) == []
            (hidden,) = batches(snapshot, relay, 7)
            assert (hidden.count, hidden.amount, hidden.summary) == (2, 200, None)
            assert list(fundings(snapshot, NEWCOMERS[0])) == [
                Funding(alice.address, block.number, 3),
                Funding(bob.address, block.number, 4),
            ]
            (creation,) = fundings(snapshot, relay)
            assert creation.funder == alice.address
            assert list(fundings(snapshot, NEWCOMERS[1])) == []
            assert list(fundings(snapshot, alice.address)) == []


def test_events_of_the_hub_by_kind_argument_and_block() -> None:
    rollup = IndexedChain()
    with rollup.database:
        alice, bob = ACCOUNTS[:2]
        calls = [register_dataset(bytes([index]) * 32, "u", alice.address) for index in range(4)]
        for index, call in enumerate(calls):
            rollup.extend(rollup.sign((alice, bob)[index % 2], ATTRIBUTION_HUB_ADDRESS, call, 0))
        with rollup.database.read() as snapshot:
            logs = list(hub_logs_from(snapshot, 1, 4))
            assert [log.place.block for log in logs] == [1, 2, 3, 4]
            assert list(hub_logs_from(snapshot, 2, 3)) == logs[1:3]
            event = logs[0].topics[0]
            assert list(hub_logs(snapshot, event)) == logs
            assert list(hub_logs(snapshot, event, newest_first=True)) == logs[::-1]
            assert list(hub_logs(snapshot, event, after=logs[1].place)) == logs[2:]
            earlier = hub_logs(snapshot, event, after=logs[2].place, newest_first=True)
            assert list(earlier) == logs[1::-1]
            owner = bob.address.rjust(32, b"\x00")
            assert list(hub_logs(snapshot, event, 2, owner)) == [logs[1], logs[3]]
            assert list(hub_logs(snapshot, event, 2, owner, after=logs[1].place)) == [logs[3]]
            assert list(hub_logs(snapshot, Hash32(bytes(32)))) == []


def test_a_store_without_index_says_so_until_it_is_rebuilt(tmp_path: Path) -> None:
    rollup = IndexedChain(Database.open(tmp_path))
    with rollup.database:
        rollup.extend(rollup.append(ACCOUNTS[0], 7, 3, 0))
        assert not needs_rebuilding(rollup.database, GENESIS.config)
        with rollup.database.write() as tx:
            assert attribution_index.check_indexed(tx) == 1
            attribution_index.end(tx)
        assert needs_rebuilding(rollup.database, GENESIS.config)
        with rollup.database.read() as snapshot, pytest.raises(CriticalError, match="no attribut"):
            attribution_index.check_indexed(snapshot)
        assert list(rebuild(rollup.database, GENESIS.config)) == [(1, 1)]
        assert not needs_rebuilding(rollup.database, GENESIS.config)
        assert rollup.count(ACCOUNTS[0].address, 7) == 3


def test_a_chain_without_attribution_has_no_index() -> None:
    plain = l2_genesis(chain_id=901, timestamp=1_700_000_000)
    with Database.open(None) as database:
        engine = Engine(database, plain.config)
        engine.initialise(plain)
        chain = Chain(database, engine, Reader(database, plain.config))
        chain.extend(chain.pay(NEWCOMERS[0], 5))
        with database.read() as snapshot:
            assert list(snapshot.items(Table.ATTRIBUTION)) == []
        assert not needs_rebuilding(database, plain.config)


def test_a_damaged_entry_is_noticed() -> None:
    rollup = IndexedChain()
    with rollup.database:
        rollup.extend(rollup.append(ACCOUNTS[0], 7, 3, 0))
        with rollup.database.write() as tx:
            for key, value in list(tx.items(Table.ATTRIBUTION)):
                tx.put(Table.ATTRIBUTION, key, value[:-1] + bytes([value[-1] ^ 1]))
        with rollup.database.read() as snapshot, pytest.raises(CorruptStore):
            list(batches(snapshot, ACCOUNTS[0].address, 7))
        with pytest.raises(CorruptStore):
            rollup.chain.engine.set_heads(unsafe=rollup.chain.reader.heads().finalized)


RECORDS = st.lists(
    st.builds(
        Record,
        amount=st.integers(0, 3) | st.integers(0, 2**64 - 1),
        influences=st.dictionaries(st.integers(0, 9), st.integers(1, 1000), max_size=10).map(
            lambda weights: tuple(Influence(*entry) for entry in sorted(weights.items()))
        ),
        commitment=st.just(Hash32(bytes(32))),
    ),
    min_size=1,
    max_size=20,
)


@given(RECORDS)
def test_a_summary_says_what_its_records_say(records: list[Record]) -> None:
    summary = summarise(b"".join(record.encode() for record in records))
    amounts = [amount for amount, count in summary.amounts for _ in range(count)]
    assert amounts == [record.amount for record in records]
    for dataset in range(10):
        named = [
            (record.amount, entry.weight)
            for record in records
            for entry in record.influences
            if entry.dataset == dataset
        ]
        entry = summary.datasets.get(dataset)
        assert (entry is None) == (not named)
        if entry is not None:
            assert entry.credit == sum(amount * weight for amount, weight in named)
            assert entry.receipts == len(named)
            prices = [price for price, count in entry.prices for _ in range(count)]
            assert prices == sorted(amount for amount, _ in named)
    assert decode_summary(encode_summary(summary)) == summary


def test_what_is_pruned_stays_in_the_index_but_cannot_be_rebuilt() -> None:
    rollup = IndexedChain(kept_blocks=4)
    with rollup.database:
        alice = ACCOUNTS[0]
        dataset = register_dataset(bytes(32), "u", alice.address)
        rollup.extend(
            rollup.append(alice, 7, 3, 0), rollup.sign(alice, ATTRIBUTION_HUB_ADDRESS, dataset, 0)
        )
        before = rollup.contents()
        for salt in range(8):
            rollup.chain.engine.set_heads(safe=rollup.chain.head().ref)
            rollup.chain.engine.set_heads(finalized=rollup.chain.head().ref)
            rollup.extend(salt=salt)
        kept = rollup.chain.reader.first_kept()
        assert kept > 1
        assert rollup.contents() == before
        rollup.extend(rollup.append(alice, 7, 2, 3))
        assert rollup.count(alice.address, 7) == 5
        rollup.rebuilt()
        with rollup.database.read() as snapshot:
            kept = rollup.chain.reader.first_kept()
            assert attribution_index.check_indexed(snapshot) == kept + 1
            assert [batch.from_seq for batch in batches(snapshot, alice.address, 7)] == [3]


def test_rebuilding_tells_how_far_it_is_and_begins_anew_if_it_was_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.attribution_rebuild.BLOCKS_A_COMMIT", 2)
    rollup = IndexedChain()
    with rollup.database:
        for seq in range(5):
            rollup.extend(rollup.append(ACCOUNTS[0], 7, 1, seq))
        written = rollup.contents()
        steps = rebuild(rollup.database, GENESIS.config)
        assert next(steps) == (2, 5)
        steps.close()  # type: ignore[attr-defined]
        assert needs_rebuilding(rollup.database, GENESIS.config)
        assert list(rebuild(rollup.database, GENESIS.config)) == [(2, 5), (4, 5), (5, 5)]
        assert rollup.contents() == written


def test_an_account_is_funded_by_whoever_gives_it_more_than_it_has() -> None:
    rollup = IndexedChain()
    with rollup.database:
        alice, bob, carol = ACCOUNTS
        for sender, value in ((alice, 1), (bob, 10), (carol, 11), (alice, 12), (bob, 35)):
            rollup.extend(rollup.sign(sender, NEWCOMERS[0], b"", value))
        with rollup.database.read() as snapshot:
            funders = [found.funder for found in fundings(snapshot, NEWCOMERS[0])]
        # 1, then 10 to 1; 11 to 11 and 12 to 22 are not more than it had; 35 to 34 is.
        assert funders == [alice.address, bob.address, bob.address]
        assert rollup.contents() == rollup.rebuilt()


def test_deposits_are_told_apart_and_fund_like_others() -> None:
    rollup = IndexedChain()
    with rollup.database:
        sender = Address(b"\x77" * 20)
        deposits = [
            forced(sender, ATTRIBUTION_ADDRESS, records_call(7, 0, 2), mint=0, value=0),
            forced(sender, NEWCOMERS[0], b"", mint=50, value=20),
            forced(sender, NEWCOMERS[1], b"", mint=0, value=10**30),  # more than there is
            forced(NEWCOMERS[2], NEWCOMERS[2], b"", mint=9, value=9),  # to itself
        ]
        executed = rollup.chain.build(*deposits)
        rollup.chain.engine.insert(executed)
        with rollup.database.read() as snapshot:
            (batch,) = batches(snapshot, sender, 7)
            assert batch.is_deposit
            assert batch.summary is not None
            (money,) = fundings(snapshot, NEWCOMERS[0])
            assert money.funder == sender
            assert list(fundings(snapshot, NEWCOMERS[1])) == []
            assert list(fundings(snapshot, NEWCOMERS[2])) == []
        assert rollup.contents() == rollup.rebuilt()


def forced(
    sender: Address, to: Address, data: bytes, *, mint: int, value: int
) -> DepositTransaction:
    """Return what a user forces onto L2 by L1."""
    return make_deposit(
        source_hash=keccak256(sender + to + data),
        sender=sender,
        to=to,
        mint=mint,
        value=value,
        gas=200_000,
        data=data,
    )
