import threading
from dataclasses import replace

import pytest

from node.config import AttributionConfig
from node.errors import (
    DecodingError,
    FeeCapTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidTransaction,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
)
from node.execution.fees import l1_fee, next_base_fee
from node.execution.l1_fees import parse_l1_fee_parameters
from node.genesis import Genesis, GenesisAccount
from node.mempool import (
    MAX_TRANSACTION_BYTES,
    AlreadyKnown,
    PoolFull,
    PoolLimits,
    ReplacementUnderpriced,
)
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.blob_sidecar import InvalidSidecar
from node.types.transaction import (
    ACCESS_LIST,
    BLOB,
    LEGACY,
    SET_CODE,
    Transaction,
)
from tests.node.execution.memory_chain import l1_attributes
from tests.node.execution.signing import GWEI, RECIPIENT, authorize
from tests.node.pooled_chain import (
    ETHER,
    KEYS,
    USERS,
    PooledChain,
    ethereum_genesis,
    open_pool,
    rollup_genesis,
)


def nonces(transactions: tuple[Transaction, ...]) -> list[int]:
    return [tx.nonce for tx in transactions]


def pooled(chain: PooledChain, user: int = 0) -> tuple[list[int], list[int]]:
    """Return the nonces of a user's transactions, pending and queued."""
    content = chain.mempool.content()
    sender = USERS[user]
    return nonces(content.pending.get(sender, ())), nonces(content.queued.get(sender, ()))


def refused(chain: PooledChain, tx: Transaction, error: type[Exception], match: str) -> None:
    before = chain.mempool.content()
    with pytest.raises(error, match=match) as caught:
        chain.mempool.add(tx.raw)
    assert type(caught.value) is error
    assert chain.mempool.content() == before


@pytest.mark.parametrize("genesis", [ethereum_genesis(), rollup_genesis()], ids=["l1", "l2"])
@pytest.mark.parametrize("kind", [LEGACY, ACCESS_LIST, 2, SET_CODE])
def test_transactions_of_every_type_are_included(genesis: Genesis, kind: int) -> None:
    with open_pool(genesis) as chain:
        authorizations = (authorize(KEYS[1], RECIPIENT),) if kind == SET_CODE else ()
        tx = chain.transfer(kind=kind, gas=100_000, authorizations=authorizations)
        assert chain.mempool.add(tx.raw) == tx.hash
        assert chain.mempool.get(tx.hash) == tx
        assert len(chain.mempool) == 1
        assert chain.mine().block.transactions[-1] == tx
        assert len(chain.mempool) == 0
        assert chain.mempool.get(tx.hash) is None


def test_a_transaction_without_replay_protection_enters() -> None:
    # Deterministic deployments are signed once for all chains.
    with open_pool() as chain:
        chain.mempool.add(chain.transfer(kind=LEGACY, chain_id=None).raw)
        assert pooled(chain) == ([0], [])


def test_gaps() -> None:
    with open_pool() as chain:
        for nonce, expected in (
            (3, ([], [3])),
            (0, ([0], [3])),
            (1, ([0, 1], [3])),
            (5, ([0, 1], [3, 5])),
            (2, ([0, 1, 2, 3], [5])),
        ):
            chain.mempool.add(chain.transfer(nonce=nonce).raw)
            assert pooled(chain) == expected
            assert chain.mempool.pending_nonce(USERS[0]) == len(expected[0])
        assert chain.mempool.pending_nonce(USERS[1]) == 0
        assert nonces(chain.mine().block.transactions) == [0, 1, 2, 3]  # type: ignore[arg-type]
        assert pooled(chain) == ([], [5])
        assert chain.mempool.pending_nonce(USERS[0]) == 4
        chain.mempool.add(chain.transfer(nonce=4).raw)
        assert pooled(chain) == ([4, 5], [])


def test_known_transactions() -> None:
    with open_pool() as chain:
        tx = chain.transfer()
        chain.mempool.add(tx.raw)
        refused(chain, tx, AlreadyKnown, "^already known$")
        chain.mine()
        refused(chain, tx, NonceTooLow, f"^nonce too low: address 0x{USERS[0].hex()}, tx: 0 state")


@pytest.mark.parametrize(
    ("cap", "tip", "is_enough"),
    [
        (110, 11, True),
        (109, 11, False),
        (110, 10, False),
        (200, 10, False),
        (100, 20, False),
        (200, 20, True),
    ],
)
def test_replacement_takes_a_tenth_more_of_both_prices(cap: int, tip: int, is_enough: bool) -> None:
    with open_pool() as chain:
        old = chain.transfer(nonce=1, cap=100 * GWEI, tip=10 * GWEI)
        chain.mempool.add(old.raw)
        new = chain.transfer(nonce=1, cap=cap * GWEI, tip=tip * GWEI, value=2)
        if not is_enough:
            refused(chain, new, ReplacementUnderpriced, "^replacement transaction underpriced")
            return
        chain.mempool.add(new.raw)
        assert chain.mempool.content().queued == {USERS[0]: (new,)}
        assert chain.mempool.get(old.hash) is None
        assert len(chain.mempool) == 1


def test_a_tip_of_nothing_is_not_outbid_by_nothing() -> None:
    with open_pool() as chain:
        chain.mempool.add(chain.transfer(tip=0, cap=2 * GWEI).raw)
        refused(
            chain,
            chain.transfer(tip=0, cap=9 * GWEI),
            ReplacementUnderpriced,
            "expected a tip 10 % above 0 wei, got 0",
        )
        chain.mempool.add(chain.transfer(tip=1, cap=9 * GWEI).raw)


def test_funds_count_all_pending_transactions() -> None:
    cost = 21_000 * 10 * GWEI + ETHER
    with open_pool(ethereum_genesis({USERS[0]: 3 * cost})) as chain:

        def transfer(nonce: int, value: int = ETHER, cap: int = 10 * GWEI) -> Transaction:
            return chain.transfer(nonce=nonce, value=value, cap=cap, tip=cap)

        poor = f"insufficient funds for gas \\* price \\+ value: address 0x{USERS[0].hex()} have"
        refused(chain, transfer(0, 3 * cost), InsufficientFunds, f"^{poor} {3 * cost} want")
        # In any order of nonces: each next one needs what the others do not.
        for nonce in (2, 0, 1):
            chain.mempool.add(transfer(nonce).raw)
        refused(
            chain, transfer(3, 0), InsufficientFunds, rf"\({3 * cost} of it for other pending ones"
        )
        # A replacement counts in the place of what it replaces.
        refused(chain, transfer(1, ETHER + 1, 11 * GWEI), InsufficientFunds, poor)
        chain.mempool.add(transfer(1, 0, 20 * GWEI).raw)
        chain.mempool.add(transfer(3, ETHER // 2).raw)
        assert pooled(chain) == ([0, 1, 2, 3], [])


def test_an_account_that_does_not_exist_owns_nothing() -> None:
    with open_pool() as chain:
        refused(chain, chain.transfer(key=b"\x01" * 32), InsufficientFunds, "have 0 want")


@pytest.mark.parametrize("jovian", [False, True])
def test_a_rollups_transaction_pays_for_l1_too(jovian: bool) -> None:
    genesis = rollup_genesis({USERS[0]: 0}, min_base_fee=0 if jovian else None)
    fees = {"operator_fee_scalar": 2_000_000, "operator_fee_constant": 77}
    if jovian:
        fees["da_footprint_gas_scalar"] = 400
    with open_pool(genesis) as chain:
        chain.l1_fees = fees
        tx = chain.transfer(value=5, cap=10 * GWEI)
        operator = (21_000 * 2_000_000 * 100 if jovian else 21_000 * 2) + 77
        parameters = parse_l1_fee_parameters(l1_attributes(**fees).data)
        cost = 21_000 * 10 * GWEI + 5 + l1_fee(tx, parameters) + operator
        # In the genesis state L1Block knows no price yet: only the first block's deposit tells it.
        chain.insert()
        pay = chain.transfer(1, to=USERS[0], value=cost - 1, gas=30_000)
        chain.insert(pay)
        assert chain.balance(USERS[0]) == cost - 1
        refused(chain, tx, InsufficientFunds, f"have {cost - 1} want {cost} ")
        chain.insert(chain.transfer(1, 1, to=USERS[0], value=1, gas=30_000))
        chain.mempool.add(tx.raw)
        assert chain.mine().block.transactions[1:] == (tx,)


def test_a_fee_cap_below_the_next_base_fee() -> None:
    with open_pool() as chain:
        base_fee = next_base_fee(chain.genesis.config, chain.head())
        refused(
            chain,
            chain.transfer(cap=base_fee - 1, tip=0),
            FeeCapTooLow,
            f"^max fee per gas less than block base fee: .* maxFeePerGas: {base_fee - 1}, "
            f"baseFee: {base_fee}$",
        )
        chain.mempool.add(chain.transfer(cap=base_fee, tip=0).raw)
        assert len(chain.mine().block.transactions) == 1


def test_contents_that_are_refused() -> None:
    with open_pool() as chain:
        limit = chain.head().gas_limit
        for tx, error, match in (
            (chain.transfer(chain_id=900), InvalidTransaction, "^invalid chain id.*900 want 901"),
            (chain.transfer(gas=20_999), IntrinsicGasTooLow, "^intrinsic gas too low"),
            (chain.transfer(data=b"\x01" * 100), IntrinsicGasTooLow, "^intrinsic gas too low"),
            (chain.transfer(tip=101 * GWEI), TipAboveFeeCap, "^max priority fee per gas higher"),
            (
                chain.transfer(gas=limit + 1),
                InvalidTransaction,
                f"^exceeds block gas limit: have {limit + 1}, limit {limit}$",
            ),
            (chain.transfer(kind=BLOB), InvalidSidecar, "^missing sidecar in blob transaction$"),
            (chain.transfer(high_s=True), InvalidTransaction, "^invalid sender"),
            (chain.transfer(nonce=2_001), NonceTooHigh, "^nonce too high: .* at most 2000 ahead"),
            (chain.transfer(kind=SET_CODE), InvalidTransaction, "empty auth list"),
        ):
            refused(chain, tx, error, match)
        assert len(chain.mempool) == 0
        chain.mempool.add(chain.transfer(gas=limit, nonce=2_000, cap=2 * GWEI).raw)


def test_bytes_that_are_no_transaction() -> None:
    with open_pool() as chain:
        for raw in (b"", b"\x02", b"\x7e\xc0", chain.transfer().raw + b"\x00"):
            with pytest.raises(DecodingError):
                chain.mempool.add(raw)


def test_the_size_of_a_transaction() -> None:
    with open_pool() as chain:
        gas = 29_000_000
        room = MAX_TRANSACTION_BYTES - len(chain.transfer(gas=gas, data=bytes(70_000)).raw)
        largest = chain.transfer(gas=gas, data=bytes(70_000 + room))
        assert len(largest.raw) == MAX_TRANSACTION_BYTES
        chain.mempool.add(largest.raw)
        larger = chain.transfer(gas=gas, data=bytes(70_001 + room), nonce=1)
        refused(chain, larger, InvalidTransaction, "^oversized data: transaction size 135169")
        # Found before anything is decoded.
        with pytest.raises(InvalidTransaction, match="oversized data"):
            chain.mempool.add(b"\xff" * (MAX_TRANSACTION_BYTES + 1))


def test_the_lane_has_its_own_prices_and_size_in_the_pool() -> None:
    lane = AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=2**20)
    with open_pool(rollup_genesis(lane=lane)) as chain:
        most = b"\xff" * 128 * 1024
        fields = {"to": ATTRIBUTION_ADDRESS, "value": 0}
        least = 21_000 + 4 * len(most)
        tx = chain.transfer(0, data=most, gas=least - 1, **fields)
        refused(chain, tx, IntrinsicGasTooLow, f"^intrinsic gas too low: .* want {least}$")
        chain.mempool.add(chain.transfer(0, data=most, gas=least, **fields).raw)
        tx = chain.transfer(1, data=most + b"\xff", gas=least + 4, **fields)
        refused(chain, tx, InvalidTransaction, "^oversized data: .* limit 131072 a transaction$")
        tx = chain.transfer(1, data=most[:1000], gas=21_000 + 4 * 1000, value=0)
        refused(chain, tx, IntrinsicGasTooLow, "^intrinsic gas too low")


def test_attribution_calldata_that_fits_into_no_block() -> None:
    lane = AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=1_000)
    with open_pool(rollup_genesis(lane=lane)) as chain:
        fields = {"to": ATTRIBUTION_ADDRESS, "value": 0, "gas": 1_000_000}
        chain.mempool.add(chain.transfer(data=bytes(1_000), **fields).raw)
        tx = chain.transfer(nonce=1, data=bytes(1_001), **fields)
        refused(chain, tx, InvalidTransaction, "^oversized data: attribution calldata of 1001")


def test_a_contract_does_not_send() -> None:
    genesis = ethereum_genesis()
    contract = GenesisAccount(balance=ETHER, code=b"\x00")
    delegated = GenesisAccount(balance=ETHER, code=b"\xef\x01\x00" + RECIPIENT)
    alloc = {**genesis.alloc, USERS[0]: contract, USERS[1]: delegated}
    with open_pool(replace(genesis, alloc=alloc)) as chain:
        refused(chain, chain.transfer(0), SenderNotEoa, f"^sender not an eoa: .*{USERS[0].hex()}")
        chain.mempool.add(chain.transfer(1).raw)


def test_the_limit_of_one_sender() -> None:
    with open_pool(limits=PoolLimits(per_sender=2)) as chain:
        for nonce in (0, 1):
            chain.mempool.add(chain.transfer(nonce=nonce).raw)
        refused(chain, chain.transfer(nonce=2, tip=9 * GWEI), PoolFull, "^txpool is full: 2 trans")
        chain.mempool.add(chain.transfer(nonce=1, tip=2 * GWEI, cap=200 * GWEI).raw)
        chain.mempool.add(chain.transfer(1).raw)
        chain.mine()
        chain.mempool.add(chain.transfer(nonce=2).raw)


def test_a_full_pool_keeps_the_best_offers() -> None:
    with open_pool(limits=PoolLimits(transactions=3)) as chain:
        add = chain.mempool.add
        cheap = [chain.transfer(user, tip=(user + 1) * GWEI) for user in range(3)]
        for tx in cheap:
            add(tx.raw)
        refused(chain, chain.transfer(3, tip=GWEI), PoolFull, "^txpool is full: 3 .* or more$")
        refused(chain, chain.transfer(4, tip=GWEI), PoolFull, "^txpool is full")
        add(chain.transfer(5, tip=4 * GWEI).raw)
        assert chain.mempool.get(cheap[0].hash) is None
        # What waits behind a gap goes first and displaces nothing that can run.
        refused(chain, chain.transfer(6, 1, tip=50 * GWEI), PoolFull, "^txpool is full")
        # Nor does what has to wait for a transaction that is not worth its place.
        refused(chain, chain.transfer(1, 1, tip=50 * GWEI), PoolFull, "^txpool is full")
        # Room for a better price of one's own is always there.
        add(chain.transfer(1, tip=5 * GWEI, cap=200 * GWEI).raw)
        assert {tx.tip for tx in map(Offer, chain.mempool.best(0))} == {3, 4, 5}


class Offer:
    def __init__(self, tx: Transaction) -> None:
        self.tip = tx.max_priority_fee_per_gas // GWEI


def test_a_gap_filler_takes_the_place_of_what_waits_behind_it() -> None:
    with open_pool(limits=PoolLimits(transactions=2)) as chain:
        chain.mempool.add(chain.transfer(0, 1).raw)
        chain.mempool.add(chain.transfer(0, 2).raw)
        chain.mempool.add(chain.transfer(0, 0).raw)
        assert pooled(chain) == ([0, 1], [])


def test_the_bytes_of_a_full_pool() -> None:
    with open_pool(limits=PoolLimits(size=10_000)) as chain:
        data = bytes(4_000)
        fields = {"gas": 300_000, "data": data}
        small = chain.transfer(3, tip=0)
        for tx in (
            chain.transfer(0, tip=2 * GWEI, **fields),
            chain.transfer(1, tip=3 * GWEI, **fields),
            small,
        ):
            chain.mempool.add(tx.raw)
        # The small one would not make enough room, and nothing goes in vain.
        refused(chain, chain.transfer(2, tip=GWEI, **fields), PoolFull, "^txpool is full")
        chain.mempool.add(chain.transfer(2, tip=4 * GWEI, **fields).raw)
        assert pooled(chain, 0) == pooled(chain, 3) == ([], [])
        # A replacement that is larger than what it replaces needs room as well.
        larger = {"tip": 6 * GWEI, "cap": 200 * GWEI, "gas": 3_000_000, "data": bytes(7_000)}
        chain.mempool.add(chain.transfer(2, **larger).raw)
        assert len(chain.mempool) == 1


def test_what_is_included_elsewhere_leaves() -> None:
    with open_pool() as chain:
        for nonce in range(3):
            chain.mempool.add(chain.transfer(nonce=nonce).raw)
        # Other transactions than those in the pool use two of the nonces.
        chain.insert(*(chain.transfer(nonce=nonce, value=9) for nonce in range(2)))
        assert pooled(chain) == ([2], [])


def test_unwound_transactions_come_back() -> None:
    with open_pool() as chain:
        add, genesis = chain.mempool.add, chain.head()
        for user in range(2):
            for nonce in range(3):
                add(chain.transfer(user, nonce).raw)
        first = chain.mine()
        add(chain.transfer(0, 3).raw)
        add(chain.transfer(2, 0).raw)
        chain.mine()
        add(chain.transfer(0, 4).raw)
        assert len(chain.mempool) == 1
        # The sibling holds another transaction with the first user's nonce 0, and nothing else.
        other = chain.transfer(0, 0, value=7)
        chain.insert(other, parent=genesis, salt=1)
        assert pooled(chain, 0) == ([1, 2, 3, 4], [])
        assert pooled(chain, 1) == ([0, 1, 2], [])
        assert pooled(chain, 2) == ([0], [])
        assert chain.mempool.get(first.block.transactions[0].hash) is None
        # Back again: what the first chain has included leaves once more.
        chain.engine.insert(first)
        assert pooled(chain, 0) == ([3, 4], [])
        assert pooled(chain, 1) == ([], [])


def test_unwinding_alone_brings_transactions_back() -> None:
    with open_pool() as chain:
        start = chain.head()
        total = chain.balance(USERS[0])
        # Together they cost almost all that the sender owns: they come back in nonce order.
        for nonce in range(3):
            chain.mempool.add(chain.transfer(nonce=nonce, value=total * 33 // 100).raw)
            chain.mine()
        chain.engine.set_heads(unsafe=start.ref)
        assert pooled(chain) == ([0, 1, 2], [])
        assert len(chain.mine().block.transactions) == 3


def test_an_unwound_transaction_comes_back_though_the_base_fee_has_risen() -> None:
    with open_pool() as chain:
        for _ in range(5):
            start = chain.head()
            chain.insert()
        cap = next_base_fee(chain.genesis.config, chain.head())
        assert cap < next_base_fee(chain.genesis.config, start)
        tx = chain.transfer(cap=cap, tip=0)
        chain.mempool.add(tx.raw)
        chain.mine()
        chain.engine.set_heads(unsafe=start.ref)
        assert pooled(chain) == ([0], [])
        assert list(chain.mempool.best(next_base_fee(chain.genesis.config, start))) == []
        assert chain.mine().block.transactions == ()
        for _ in range(3):
            chain.mine()
        assert len(chain.mempool) == 0


def test_what_was_unwound_and_cannot_be_paid_any_more_is_gone() -> None:
    with open_pool(ethereum_genesis({USERS[0]: ETHER})) as chain:
        start = chain.head()
        chain.mempool.add(chain.transfer(0, 0, value=ETHER // 2, cap=2 * GWEI).raw)
        chain.mempool.add(chain.transfer(0, 1, value=ETHER // 4, cap=2 * GWEI).raw)
        chain.mine()
        chain.insert(chain.transfer(0, 0, value=ETHER * 9 // 10), parent=start, salt=1)
        assert len(chain.mempool) == 0


def test_transactions_that_their_sender_cannot_pay_any_more_leave() -> None:
    with open_pool(ethereum_genesis({USERS[0]: ETHER})) as chain:
        for nonce, value in ((1, ETHER // 2), (2, 0), (3, ETHER // 3)):
            chain.mempool.add(chain.transfer(0, nonce, value=value, cap=2 * GWEI).raw)
        # The first nonce goes by another way, and takes most of the money with it.
        chain.insert(chain.transfer(0, 0, value=ETHER * 4 // 5))
        assert pooled(chain) == ([], [2])


def test_an_authorization_uses_a_nonce() -> None:
    with open_pool() as chain:
        for nonce in range(3):
            chain.mempool.add(chain.transfer(0, nonce).raw)
        tx = chain.transfer(
            1,
            kind=SET_CODE,
            gas=100_000,
            tip=9 * GWEI,
            authorizations=(authorize(KEYS[0], RECIPIENT),),
        )
        chain.mempool.add(tx.raw)
        # The authorization comes first: the pool's nonce 0 is outdated within the block itself.
        included = chain.mine().block.transactions
        assert included == (tx, chain.transfer(0, 1), chain.transfer(0, 2))
        assert len(chain.mempool) == 0


def test_a_sender_is_never_stuck() -> None:
    """Whatever leaves the pool in whatever way, its nonce can be used again."""
    with open_pool() as chain:
        first, second = chain.transfer(0, 0), chain.transfer(0, 1)
        chain.mempool.add(first.raw)
        chain.mempool.add(second.raw)
        chain.mempool.drop(first)
        chain.mempool.drop(first)
        assert pooled(chain) == ([], [1])
        chain.mempool.add(first.raw)
        chain.mempool.drop(second)
        chain.mempool.drop(first)
        assert len(chain.mempool) == 0
        chain.mempool.add(second.raw)
        chain.mempool.add(first.raw)
        assert len(chain.mine().block.transactions) == 2
        chain.mempool.drop(first)
        chain.mempool.add(chain.transfer(0, 2).raw)
        assert pooled(chain) == ([2], [])


def test_dropping_what_was_replaced_leaves_the_replacement() -> None:
    with open_pool() as chain:
        old, new = chain.transfer(), chain.transfer(tip=2 * GWEI, cap=200 * GWEI)
        chain.mempool.add(old.raw)
        chain.mempool.add(new.raw)
        chain.mempool.drop(old)
        assert chain.mempool.content().pending == {USERS[0]: (new,)}


def test_listeners_hear_of_what_enters() -> None:
    with open_pool() as chain:
        heard: list[Transaction] = []
        stop = chain.mempool.subscribe(heard.append)
        tx = chain.transfer()
        chain.mempool.add(tx.raw)
        with pytest.raises(AlreadyKnown):
            chain.mempool.add(tx.raw)
        assert heard == [tx]
        stop()
        chain.mempool.add(chain.transfer(nonce=1).raw)
        assert heard == [tx]


def test_the_same_transaction_from_many_threads_enters_once() -> None:
    with open_pool() as chain:
        tx = chain.transfer()
        start, outcomes = threading.Barrier(6), list[str]()

        def send() -> None:
            start.wait()
            try:
                chain.mempool.add(tx.raw)
            except AlreadyKnown:
                outcomes.append("known")
            else:
                outcomes.append("added")

        run_all([threading.Thread(target=send) for _ in range(6)])
        assert sorted(outcomes) == ["added", *["known"] * 5]


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("genesis", [ethereum_genesis(), rollup_genesis()], ids=["l1", "l2"])
@pytest.mark.parametrize("reorgs", [False, True])
def test_senders_in_threads_while_blocks_are_committed(genesis: Genesis, reorgs: bool) -> None:
    """Nothing that was accepted is lost, or left behind a block's back."""
    count = 25
    with open_pool(genesis) as chain:
        failures: list[str] = []

        def send(user: int) -> None:
            for nonce in range(count):
                chain.mempool.add(chain.transfer(user, nonce).raw)
                # Between a reorg's commit and its report, what was unwound is nowhere.
                if not reorgs and chain.mempool.pending_nonce(USERS[user]) != nonce + 1:
                    failures.append(f"user {user}: pending nonce after {nonce}")

        threads = [threading.Thread(target=send, args=(user,)) for user in range(4)]
        for thread in threads:
            thread.start()
        number = 0
        while any(thread.is_alive() for thread in threads):
            fork = chain.head()
            chain.mine()
            number += 1
            if reorgs and number % 3 == 0:
                chain.insert(parent=fork, salt=number)  # and what the block held comes back
        assert not failures
        while len(chain.mempool):
            before = len(chain.mempool)
            chain.mine()
            assert len(chain.mempool) < before
        assert [chain.nonce(user) for user in USERS[:4]] == [count] * 4
