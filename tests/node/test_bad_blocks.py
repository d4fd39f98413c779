"""Bad blocks at every door: execution, import, replay. A named error, and nothing has changed."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from node.chain_file import import_blocks, read_blocks
from node.engine import Engine
from node.errors import DecodingError, InvalidBlock, InvalidTransaction
from node.evm.rules import Interpreter
from node.genesis import Genesis
from node.replay import replay_blocks
from node.state.flat_check import check_flat_state
from node.state.trie import ordered_root
from node.storage.schema import Table
from node.types.block import AnyTransaction, Block, Header, Withdrawal
from node.types.deposit import make_deposit, user_source_hash
from node.types.primitives import UINT64_MAX, UINT256_MAX, ZERO_HASH, Address, create_address
from node.types.transaction import sign_dynamic_fee
from tests.node.chains import (
    ALICE,
    BOB,
    GENESIS,
    ROLLUP_GENESIS,
    Chain,
    contract_of,
    l1_attributes,
    numbered_from_1,
    open_chain,
)

STRANGE_HASH = b"\x11" * 32


@dataclass(frozen=True)
class Doors:
    """A chain, the next block for it, and the one after that."""

    chain: Chain
    genesis: Genesis
    earlier: tuple[Block, ...]
    good: Block
    following: Block

    def check_refused(self, bad: Block, path: Path, *fields: str) -> None:
        """Send a block through every door: each names one of `fields`, and the store stays."""
        before = self._content()
        with pytest.raises(InvalidBlock) as caught:
            self.chain.engine.execute(bad)
        self._check(caught.value, fields)

        path.write_bytes(b"".join(block.encode() for block in (*self.earlier, bad)))
        with pytest.raises(InvalidBlock) as caught:
            list(import_blocks(self.chain.engine, self.chain.reader, path))
        self._check(caught.value, fields)

        *sound, last = replay_blocks((*self.earlier, bad), self.genesis)
        assert all(report.difference is None for report in sound)
        assert last.difference is not None
        assert last.difference.field in (*fields, "transactionsRoot", "transaction")
        assert "expected" in str(last.difference)
        self.check_untouched(before)

    def check_untouched(self, before: object) -> None:
        assert self._content() == before
        with self.chain.database.read() as snapshot:
            check_flat_state(snapshot, self.chain.head().state_root)
        assert self.chain.engine.heads == self.chain.reader.heads()
        # And it goes on.
        assert self.chain.engine.execute(self.good).block == self.good

    def _content(self) -> dict[Table, dict[bytes, bytes]]:
        with self.chain.database.read() as snapshot:
            return {table: dict(snapshot.items(table)) for table in Table}

    @staticmethod
    def _check(error: InvalidBlock, fields: tuple[str, ...]) -> None:
        assert error.field in fields, str(error)
        assert str(error).startswith(f"{error.field}: expected ")
        assert ", got " in str(error)


def make_doors(genesis: Genesis) -> Iterator[Doors]:
    with open_chain(genesis=genesis) as chain:
        is_rollup = genesis.config.rollup is not None
        creation = chain.creation()
        earlier = (chain.extend(creation).block,)
        contract = contract_of(creation)
        withdrawals = () if is_rollup else (Withdrawal(0, 1, BOB.address, 5),)
        deposits = (deposit(chain),) if is_rollup else ()
        with open_chain(genesis=genesis) as ahead:
            for block in earlier:
                ahead.engine.insert(ahead.engine.execute(block))
            after = 1 if is_rollup else 0  # the deposit uses one of Alice's nonces
            transactions = (
                *deposits,
                ahead.store(contract, 1, 2, nonce_offset=after),
                ahead.transfer(nonce_offset=after + 1),
                ahead.creation(nonce_offset=after + 2),
            )
            good = ahead.build(*transactions, withdrawals=withdrawals)
            ahead.engine.insert(good)
            following = ahead.build(ahead.transfer())
        yield Doors(chain, genesis, earlier, good.block, following.block)


@pytest.fixture(scope="module")
def l1() -> Iterator[Doors]:
    yield from make_doors(GENESIS)


@pytest.fixture(scope="module")
def l2() -> Iterator[Doors]:
    yield from make_doors(ROLLUP_GENESIS)


@pytest.fixture(params=["l1", "l2"])
def doors(request: pytest.FixtureRequest) -> Doors:
    found: Doors = request.getfixturevalue(request.param)
    return found


def deposit(chain: Chain, **changes: object) -> AnyTransaction:
    fields: dict[str, object] = {
        "source_hash": user_source_hash(chain.head().hash, 0),
        "sender": ALICE.address,
        "to": BOB.address,
        "mint": 10**18,
        "value": 10**18,
        "gas": 100_000,
        "data": b"",
    }
    return make_deposit(**{**fields, **changes})  # type: ignore[arg-type]


def with_header(block: Block, **fields: Any) -> Block:
    return replace(block, header=replace(block.header, **fields))


def with_transactions(block: Block, *transactions: AnyTransaction) -> Block:
    """Return a block whose header commits to other transactions."""
    root = ordered_root([tx.raw for tx in transactions])
    return replace(with_header(block, transactions_root=root), transactions=transactions)


def test_the_good_block_is_good(doors: Doors) -> None:
    assert doors.chain.engine.execute(doors.good).block == doors.good
    found = list(replay_blocks((*doors.earlier, doors.good, doors.following), doors.genesis))
    assert [report.difference for report in found] == [None, None, None]


# Each field's wrong values, and which field is named: what a block was built from shows in what
# comes of it.
HEADER: list[tuple[str, Callable[[Header], object], tuple[str, ...]]] = [
    ("parent_hash", lambda header: STRANGE_HASH, ("parentHash",)),
    ("ommers_hash", lambda header: STRANGE_HASH, ("sha3Uncles",)),
    ("coinbase", lambda header: b"\x11" * 20, ("stateRoot",)),
    ("state_root", lambda header: STRANGE_HASH, ("stateRoot",)),
    ("transactions_root", lambda header: STRANGE_HASH, ("transactionsRoot",)),
    ("receipts_root", lambda header: STRANGE_HASH, ("receiptsRoot",)),
    ("bloom", lambda header: b"\x11" * 256, ("logsBloom",)),
    ("difficulty", lambda header: 1, ("difficulty",)),
    ("number", lambda header: header.number + 1, ("number",)),
    ("number", lambda header: header.number - 1, ("number",)),
    ("number", lambda header: UINT64_MAX, ("number",)),
    ("gas_limit", lambda header: header.gas_limit * 2, ("gasLimit", "baseFeePerGas", "free")),
    ("gas_limit", lambda header: header.gas_used - 1, ("gasUsed", "gasLimit")),
    ("gas_used", lambda header: header.gas_used + 1, ("gasUsed",)),
    ("gas_used", lambda header: 0, ("gasUsed",)),
    ("gas_used", lambda header: header.gas_limit + 1, ("gasUsed",)),
    ("timestamp", lambda header: header.timestamp - 1, ("timestamp",)),
    ("timestamp", lambda header: 0, ("timestamp",)),
    ("timestamp", lambda header: header.timestamp + 1, ("stateRoot",)),
    ("extra_data", lambda header: b"\x11" * 33, ("extraData",)),
    ("extra_data", lambda header: b"\x11", ("extraData", "free")),
    ("prev_randao", lambda header: STRANGE_HASH, ("free",)),
    ("nonce", lambda header: b"\x11" * 8, ("nonce",)),
    ("base_fee", lambda header: header.base_fee + 1, ("baseFeePerGas",)),
    ("base_fee", lambda header: 0, ("baseFeePerGas",)),
    ("base_fee", lambda header: UINT256_MAX, ("baseFeePerGas",)),
    ("withdrawals_root", lambda header: STRANGE_HASH, ("withdrawalsRoot",)),
    ("blob_gas_used", lambda header: 131_072, ("blobGasUsed",)),
    ("excess_blob_gas", lambda header: 131_072, ("excessBlobGas",)),
    ("parent_beacon_block_root", lambda header: STRANGE_HASH, ("stateRoot",)),
    ("requests_hash", lambda header: STRANGE_HASH, ("requestsHash",)),
    ("requests_hash", lambda header: None, ("requestsHash",)),
]


def test_the_table_has_every_field_of_a_header() -> None:
    assert {field for field, _, _ in HEADER} == set(Header.__slots__) - {"_hash"}


@pytest.mark.parametrize(("field", "wrong", "named"), HEADER)
def test_wrong_header_fields(
    doors: Doors,
    tmp_path: Path,
    field: str,
    wrong: Callable[[Header], object],
    named: tuple[str, ...],
) -> None:
    bad = with_header(doors.good, **{field: wrong(doors.good.header)})
    if "free" in named and is_valid(doors, bad):
        # But it is another block: the next one says so.
        *_, last = replay_blocks((*doors.earlier, bad, doors.following), doors.genesis)
        assert (last.number, last.hash) == (doors.following.number, doors.following.hash)
        assert last.difference is not None
        assert last.difference.field == "parentHash"
        return
    doors.check_refused(bad, tmp_path / "chain.rlp", *named)


def is_valid(doors: Doors, block: Block) -> bool:
    with suppress(InvalidBlock):
        return doors.chain.engine.execute(block).block == block
    return False


def altered(doors: Doors) -> dict[str, tuple[AnyTransaction, ...]]:
    good = doors.good.transactions
    first = len(good) - 3  # of Alice's own
    stranger = sign_dynamic_fee(
        BOB.private_key,
        chain_id=doors.genesis.config.chain_id,
        nonce=0,
        max_priority_fee_per_gas=1,
        max_fee_per_gas=10**11,
        gas=21_000,
        to=ALICE.address,
    )
    return {
        "none": (),
        "first missing": good[1:],
        "own first missing": good[:first] + good[first + 1 :],
        "last missing": good[:-1],
        "reordered": (*good[:-2], good[-1], good[-2]),
        "reversed": good[::-1],
        "duplicated": (*good, good[-1]),
        "doubled in place": (*good[:-1], good[-2], good[-1]),
        "added": (*good, stranger),
        "added in front": (stranger, *good),
    }


ALTERATIONS = (
    "none",
    "first missing",
    "own first missing",
    "last missing",
    "reordered",
    "reversed",
    "duplicated",
    "doubled in place",
    "added",
    "added in front",
)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_other_transactions_than_the_header_says(doors: Doors, tmp_path: Path, name: str) -> None:
    transactions = altered(doors)[name]
    bad = replace(doors.good, transactions=transactions)
    places = tuple(f"transactions[{index}]" for index in range(len(transactions)))
    named = ("transactionsRoot", "transactions", *places)
    doors.check_refused(bad, tmp_path / "chain.rlp", *named)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_other_transactions_that_the_header_commits_to(
    doors: Doors, tmp_path: Path, name: str
) -> None:
    transactions = altered(doors)[name]
    bad = with_transactions(doors.good, *transactions)
    places = tuple(f"transactions[{index}]" for index in range(len(transactions)))
    doors.check_refused(bad, tmp_path / "chain.rlp", "gasUsed", "transactions", *places)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"gas": 30_000_001}, "transactions[1]"),  # more than the block has
        ({"gas": UINT64_MAX}, "transactions[1]"),
        ({"is_system_transaction": True}, "transactions[1]"),
        # It cannot be afforded, or has too little gas: it fails, which costs all its gas.
        ({"value": 10**30}, "gasUsed"),
        ({"gas": 20_999}, "gasUsed"),
        ({"mint": 1}, "receiptsRoot"),
        ({"sender": BOB.address}, "transactions[2]"),
        ({"source_hash": ZERO_HASH}, "transactions[1]"),
    ],
    ids=str,
)
def test_other_deposits(l2: Doors, tmp_path: Path, change: dict[str, object], named: str) -> None:
    first, _, *others = l2.good.transactions
    bad = with_transactions(l2.good, first, deposit(l2.chain, **change), *others)
    if "source_hash" in change:
        # Its hash is all that tells it apart: then only the transactions' root is another.
        assert l2.chain.engine.execute(bad).block.hash != l2.good.hash
        l2.check_refused(replace(bad, header=l2.good.header), tmp_path / "f", "transactionsRoot")
        return
    l2.check_refused(bad, tmp_path / "chain.rlp", named, "stateRoot")


def test_l1_attributes_that_are_missing_or_come_twice(l2: Doors, tmp_path: Path) -> None:
    first, *others = l2.good.transactions
    parent = l2.earlier[-1].header
    for transactions, named in (
        (others, "transactions[0]"),
        ([others[0], first, *others[1:]], "transactions[0]"),
        ([first, first, *others], "gasUsed"),
        ([first, l1_attributes(parent), *others], "gasUsed"),
        ([], "transactions"),
    ):
        bad = with_transactions(l2.good, *transactions)
        l2.check_refused(bad, tmp_path / "chain.rlp", named)


def test_wrong_withdrawals(l1: Doors, l2: Doors, tmp_path: Path) -> None:
    one = l1.good.withdrawals[0]
    for withdrawals in (
        (),
        (one, one),
        (replace(one, amount=6),),
        (replace(one, address=ALICE.address),),
        (replace(one, index=9),),
        (replace(one, validator_index=9),),
    ):
        bad = replace(l1.good, withdrawals=withdrawals)
        l1.check_refused(bad, tmp_path / "chain.rlp", "withdrawalsRoot", "stateRoot")
    bad = replace(l2.good, withdrawals=(one,))
    l2.check_refused(bad, tmp_path / "chain.rlp", "withdrawals")


def signed(chain: Chain, nonce: int = 0, **changes: object) -> AnyTransaction:
    fields: dict[str, object] = {
        "chain_id": chain.reader.config.chain_id,
        "nonce": nonce,
        "max_priority_fee_per_gas": 1,
        "max_fee_per_gas": 10**11,
        "gas": 200_000,
        "to": None,
    }
    return sign_dynamic_fee(BOB.private_key, **{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": UINT64_MAX}, "nonce has max value|nonce too high"),
        ({"nonce": 1}, "nonce too high: "),
        ({"value": 10**30}, "insufficient funds for gas"),
        ({"max_fee_per_gas": UINT256_MAX}, "insufficient funds for gas"),
        ({"max_fee_per_gas": 1}, "max fee per gas less than block base fee"),
        ({"max_priority_fee_per_gas": 10**12}, "max priority fee per gas higher than"),
        ({"data": bytes(49_153), "gas": 2_000_000}, "max initcode size exceeded"),
        ({"gas": 52_999}, "intrinsic gas too low"),
        ({"gas": 0}, "intrinsic gas too low"),
        ({"gas": UINT64_MAX}, "gas limit reached|insufficient funds"),
        ({"chain_id": 1}, "invalid chain id for signer"),
    ],
    ids=str,
)
def test_transactions_that_no_block_can_hold(
    doors: Doors, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    place = len(doors.good.transactions)
    bad = with_transactions(doors.good, *doors.good.transactions, signed(doors.chain, **changes))  # type: ignore[arg-type]
    with pytest.raises(InvalidBlock, match=reason):
        doors.chain.engine.execute(bad)
    doors.check_refused(bad, tmp_path / "chain.rlp", f"transactions[{place}]")


RUNS_OUT_OF = {
    "gas at once": "fe",
    "gas in a loop": "5b5f56",
    "stack at the top": "5b5f5f5f5f600056",
    "stack at the bottom": "50",
    "memory": "5f6b" + "ff" * 12 + "52",
    "memory, a little at a time": "5f5b6120000180600052600156",
    "calls in calls": "5f5f5f5f5f" + "30" + "5af1",
    "creations in creations": "385f5f39385f5ff0",
    "code size": "6160015ff3",
    "code that begins with 0xef": "60ef5f5360015ff3",
    "gas for its code": "6160005ff3",
    "init code of a creation": "61c0015f5ff0" + "5f5260205ff3",
    "return data": "60015f5f3e",
    "a jump to nowhere": "600356",
}


@pytest.mark.parametrize("name", RUNS_OUT_OF)
@pytest.mark.parametrize("genesis", [GENESIS, ROLLUP_GENESIS], ids=["l1", "l2"])
def test_transactions_that_run_out_of_something(genesis: Genesis, name: str) -> None:
    """They are in the block, they fail, and both interpreters come to the same block."""
    code = bytes.fromhex(RUNS_OUT_OF[name])
    with open_chain(genesis=genesis) as chain:
        executed = chain.extend(signed(chain, data=code), signed(chain, 1, data=code, gas=60_000))
        assert [receipt.gas_used for receipt in executed.receipts[-2:]] <= [200_000, 60_000]
        if name not in ("calls in calls", "creations in creations", "init code of a creation"):
            assert [receipt.status for receipt in executed.receipts[-2:]] == [0, 0]
        else:
            assert executed.receipts[-1].logs == ()
        both = Engine(chain.database, genesis.config, interpreter=Interpreter.BOTH)
        again = both.execute(executed.block)
        assert numbered_from_1(again) == numbered_from_1(executed)
        with chain.database.read() as snapshot:
            check_flat_state(snapshot, chain.head().state_root)


@pytest.mark.parametrize("genesis", [GENESIS, ROLLUP_GENESIS], ids=["l1", "l2"])
def test_running_out_of_gas_at_every_step(genesis: Genesis) -> None:
    """Creations that store, log, call and keep code, each with a little more gas."""
    code = bytes.fromhex("60015f55" + "5f5fa0" + "5f5f5f5f5f305af1" + "60205ff3")
    with open_chain(genesis=genesis) as chain:
        limits = [*range(53_306, 53_330), *range(75_000, 76_300, 50), *range(80_000, 86_000, 300)]
        transactions = [
            signed(chain, nonce, data=code, gas=gas) for nonce, gas in enumerate(limits)
        ]
        executed = chain.extend(*transactions)
        receipts = executed.receipts[-len(limits) :]
        outcomes = [receipt.status for receipt in receipts]
        assert outcomes == sorted(outcomes)
        assert set(outcomes) == {0, 1}
        for receipt, gas in zip(receipts, limits, strict=True):
            assert receipt.gas_used == gas or receipt.status == 1
            account = chain.reader.account(receipt.contract_address or Address(b""), chain.head())
            assert (account is not None) == (receipt.status == 1)
        both = Engine(chain.database, genesis.config, interpreter=Interpreter.BOTH)
        again = both.execute(executed.block)
        assert numbered_from_1(again) == numbered_from_1(executed)


def test_a_nonce_that_cannot_grow(l1: Doors) -> None:
    alloc = dict(GENESIS.alloc)
    alloc[BOB.address] = replace(alloc[BOB.address], nonce=UINT64_MAX - 1)
    genesis = replace(GENESIS, alloc=alloc)
    with open_chain(genesis=genesis) as chain:
        last = chain.extend(signed(chain, UINT64_MAX - 1, to=ALICE.address))
        assert last.receipts[0].status == 1
        head = chain.head()
        attributes = chain.attributes(head)
        with (
            chain.engine.begin(head, attributes) as execution,
            pytest.raises(InvalidTransaction, match=r"nonce has max value"),
        ):
            execution.apply(signed(chain, UINT64_MAX, to=ALICE.address))
        assert chain.reader.account(create_address(BOB.address, 0), head) is None


def test_a_file_that_ends_anywhere(l1: Doors, tmp_path: Path) -> None:
    """Cut at each byte of a block: its prefix, its lengths, its header, each transaction."""
    path = tmp_path / "chain.rlp"
    whole = b"".join(block.encode() for block in l1.earlier)
    last = l1.good.encode()
    for size in range(1, len(last), 3):
        path.write_bytes(whole + last[:size])
        with pytest.raises(DecodingError, match=rf"^block at offset {len(whole)}: the file ends"):
            list(read_blocks(path))
    path.write_bytes(whole)
    assert tuple(read_blocks(path)) == l1.earlier


@pytest.mark.parametrize("size", [1, 2, 3, 100, -100, -1])
def test_importing_a_file_that_ends_too_early(l1: Doors, tmp_path: Path, size: int) -> None:
    path = tmp_path / "chain.rlp"
    path.write_bytes(b"".join(block.encode() for block in l1.earlier) + l1.good.encode()[:size])
    before = l1._content()
    with pytest.raises(DecodingError, match=r"the file ends inside it, \d+ bytes are missing"):
        list(import_blocks(l1.chain.engine, l1.chain.reader, path))
    l1.check_untouched(before)
    with pytest.raises(DecodingError, match=r"the file ends inside it"):
        list(replay_blocks(read_blocks(path), GENESIS))
