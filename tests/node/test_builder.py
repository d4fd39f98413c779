from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.builder import FillLimits, fill
from node.config import AttributionConfig
from node.execution.transition import ExecutedBlock
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.transaction import Transaction
from tests.node.chains import numbered_from_1
from tests.node.execution.signing import GWEI
from tests.node.pooled_chain import (
    ETHER,
    UNLIMITED,
    USERS,
    PooledChain,
    ethereum_genesis,
    open_pool,
    rollup_genesis,
)

SMALL_BLOCKS = ethereum_genesis(gas_limit=100_000)


def add_all(chain: PooledChain, *transactions: Transaction) -> None:
    for tx in transactions:
        chain.mempool.add(tx.raw)


def signed(executed: ExecutedBlock) -> list[Transaction]:
    return [tx for tx in executed.block.transactions if isinstance(tx, Transaction)]


def pooled(chain: PooledChain) -> set[Transaction]:
    content = chain.mempool.content()
    return {tx for part in (content.pending, content.queued) for own in part.values() for tx in own}


def bytes_limit(max_da_bytes: int) -> FillLimits:
    return FillLimits(out_of_time=lambda: False, max_da_bytes=max_da_bytes)


def after(calls: int) -> Callable[[], bool]:
    """Return a clock that has run out once it was looked at `calls` times."""
    asked = iter(range(calls))
    return lambda: next(asked, None) is None


def test_the_highest_tips_come_first_and_each_senders_nonces_in_order() -> None:
    with open_pool() as chain:
        low, high = chain.transfer(0, 0, tip=GWEI), chain.transfer(0, 1, tip=9 * GWEI)
        middle, late = chain.transfer(1, 0, tip=5 * GWEI), chain.transfer(2, 0, tip=5 * GWEI)
        legacy = chain.transfer(3, 0, kind=0, cap=7 * GWEI)
        add_all(chain, high, late, middle, low, legacy)
        assert signed(chain.mine()) == [legacy, late, middle, low, high]


def test_gas_runs_out() -> None:
    with open_pool(SMALL_BLOCKS) as chain:
        large = chain.transfer(0, 0, gas=60_000, tip=9 * GWEI)
        larger = chain.transfer(1, 0, gas=90_000, tip=8 * GWEI)
        behind = chain.transfer(1, 1, tip=99 * GWEI)
        small = [chain.transfer(2, nonce, tip=GWEI) for nonce in range(4)]
        add_all(chain, large, larger, behind, *small)
        # After `large`, which uses 21,000 of its gas, 79,000 is left: `larger` has to wait and its
        # sender's next one with it, whatever it offers.
        executed = chain.mine()
        assert signed(executed) == [large, *small[:3]]
        assert pooled(chain) == {larger, behind, small[3]}
        assert signed(chain.mine()) == [larger, behind, small[3]]


def test_a_full_block_is_not_looked_at_any_further() -> None:
    with open_pool(SMALL_BLOCKS) as chain:
        add_all(chain, *(chain.transfer(user) for user in range(8)))
        looks = []

        def out_of_time() -> bool:
            looks.append(None)
            return False

        assert len(signed(chain.mine(limits=FillLimits(out_of_time, 2**31)))) == 4
        assert len(looks) == 5
        assert len(signed(chain.mine())) == 4


def test_time_runs_out() -> None:
    with open_pool() as chain:
        add_all(chain, *(chain.transfer(0, nonce) for nonce in range(5)))
        assert signed(chain.mine(limits=FillLimits(lambda: True, 2**31))) == []
        included = signed(chain.mine(limits=FillLimits(after(3), 2**31)))
        assert [tx.nonce for tx in included] == [0, 1, 2]
        assert len(chain.mempool) == 2


def test_bytes_run_out() -> None:
    with open_pool() as chain:
        wide = chain.transfer(0, 0, gas=200_000, data=bytes(500), tip=3 * GWEI)
        narrow = [chain.transfer(user, 0, tip=GWEI) for user in range(1, 4)]
        add_all(chain, wide, *narrow)
        limit = len(narrow[0].raw) * 2 + len(wide.raw)
        executed = chain.mine(limits=bytes_limit(limit))
        assert signed(executed) == [wide, *narrow[:2]]
        assert sum(len(tx.raw) for tx in signed(executed)) == limit
        assert pooled(chain) == {narrow[2]}


def test_what_is_larger_than_any_block_leaves() -> None:
    with open_pool() as chain:
        wide = chain.transfer(0, 0, gas=200_000, data=bytes(500), tip=3 * GWEI)
        behind, other = chain.transfer(0, 1), chain.transfer(1, 0)
        add_all(chain, wide, behind, other)
        assert signed(chain.mine(limits=bytes_limit(len(wide.raw) - 1))) == [other]
        assert pooled(chain) == {behind}


def test_what_needs_more_gas_than_any_block_has_leaves() -> None:
    with open_pool(rollup_genesis()) as chain:
        greedy, other = chain.transfer(0, 0, gas=20_000_000), chain.transfer(1, 0)
        add_all(chain, greedy, other)
        with chain.begin(gas_limit=10_000_000) as execution:
            assert fill(execution, chain.mempool, UNLIMITED) == (other,)
        assert pooled(chain) == {other}


def test_the_attribution_lane_is_full() -> None:
    lane = AttributionConfig(time=0, calldata_gas=4, block_calldata_limit=1_000)
    with open_pool(rollup_genesis(lane=lane)) as chain:
        fields = {"to": ATTRIBUTION_ADDRESS, "value": 0, "gas": 1_000_000}
        first = chain.transfer(0, data=bytes(700), tip=3 * GWEI, **fields)
        second = chain.transfer(1, data=bytes(700), tip=2 * GWEI, **fields)
        third = chain.transfer(2, data=bytes(300), tip=GWEI, **fields)
        plain = chain.transfer(3, data=bytes(700), gas=200_000, tip=0)
        add_all(chain, first, second, third, plain)
        assert signed(chain.mine()) == [first, third, plain]
        assert signed(chain.mine()) == [second]


def test_the_da_footprint_is_full() -> None:
    with open_pool(rollup_genesis(min_base_fee=0)) as chain:
        chain.l1_fees = {"da_footprint_gas_scalar": 65_535}
        # 100 bytes at the least, each at 65,535 gas: four fit into 30,000,000.
        transactions = [chain.transfer(user) for user in range(6)]
        add_all(chain, *transactions)
        executed = chain.mine()
        assert signed(executed) == transactions[:4]
        assert executed.block.header.blob_gas_used == 4 * 100 * 65_535
        assert pooled(chain) == set(transactions[4:])


def test_money_that_is_gone_when_the_block_is_built() -> None:
    """The L1 fee rises after a sender's transactions were found to be affordable."""
    costs = 2 * 21_000 * 2 * GWEI
    with open_pool(rollup_genesis({USERS[0]: costs + ETHER // 1000})) as chain:
        poor = [chain.transfer(0, nonce, cap=2 * GWEI, value=0) for nonce in range(2)]
        rich = chain.transfer(1, tip=0)
        add_all(chain, *poor, rich)
        chain.l1_fees = {"l1_base_fee": 10**15}
        # It can never pay at this price: it leaves, and what follows it waits for its nonce.
        assert signed(chain.mine()) == [rich]
        assert pooled(chain) == {poor[1]}
        assert signed(chain.mine()) == []
        # Nothing is stuck: the nonce is free, and all goes on when the price has fallen.
        chain.l1_fees = {}
        chain.insert()
        chain.mempool.add(poor[0].raw)
        assert signed(chain.mine()) == poor


def test_a_sender_without_money_costs_one_attempt() -> None:
    with open_pool(rollup_genesis({USERS[0]: ETHER // 100})) as chain:
        add_all(
            chain, *(chain.transfer(0, nonce, cap=2 * GWEI, tip=2 * GWEI) for nonce in range(50))
        )
        chain.l1_fees = {"l1_base_fee": 10**17}
        looks = []

        def out_of_time() -> bool:
            looks.append(None)
            return False

        chain.mine(limits=FillLimits(out_of_time, 2**31))
        assert len(looks) == 1
        # What is left costs no attempt at all.
        looks.clear()
        chain.mine(limits=FillLimits(out_of_time, 2**31))
        assert looks == []
        assert len(chain.mempool) == 49


def test_another_parent_than_the_head_drops_nothing() -> None:
    with open_pool() as chain:
        genesis = chain.head()
        add_all(chain, chain.transfer(0, 0))
        chain.mine()
        add_all(chain, chain.transfer(0, 1))
        before = pooled(chain)
        with chain.begin(parent=genesis) as execution:
            assert fill(execution, chain.mempool, UNLIMITED) == ()
        assert pooled(chain) == before
        # And what an abandoned block has included is still there.
        with chain.begin() as execution:
            assert len(fill(execution, chain.mempool, UNLIMITED)) == 1
        assert pooled(chain) == before


@pytest.mark.parametrize("is_rollup", [False, True])
@settings(max_examples=25)
@given(
    offers=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 3),
            st.integers(0, 3),
            st.sampled_from([21_000, 50_000, 120_000]),
            st.sampled_from([0, 10, 400]),
        ),
        max_size=20,
    ),
    max_da_bytes=st.sampled_from([100, 300, 1_000, 10_000]),
    seconds=st.integers(0, 25),
)
def test_limits_hold_and_the_block_is_valid(
    is_rollup: bool,
    offers: list[tuple[int, int, int, int, int]],
    max_da_bytes: int,
    seconds: int,
) -> None:
    make, taken = (rollup_genesis, 1_000_000) if is_rollup else (ethereum_genesis, 0)
    with open_pool(make(gas_limit=taken + 300_000)) as chain:
        for user, nonce, tip, gas, size in offers:
            tx = chain.transfer(user, nonce, tip=tip * GWEI, gas=gas, data=b"\x01" * size)
            try:
                chain.mempool.add(tx.raw)
            except Exception:  # noqa: BLE001 - too little gas for the data, or a nonce taken
                continue
        before, nonces = pooled(chain), {user: chain.nonce(user) for user in USERS[:4]}
        parent = chain.head()
        executed = chain.mine(limits=FillLimits(after(seconds), max_da_bytes))
        included = signed(executed)
        assert executed.block.header.gas_used <= executed.block.header.gas_limit
        assert sum(len(tx.raw) for tx in included) <= max_da_bytes
        assert len(included) <= seconds
        for user, nonce in nonces.items():
            own = [tx.nonce for tx in included if tx.sender == user]
            assert own == list(range(nonce, nonce + len(own)))
        # Nothing is lost but what no block can hold.
        lost = before - set(included) - pooled(chain)
        assert all(len(tx.raw) > max_da_bytes for tx in lost)
        again = chain.engine.execute(executed.block)
        assert numbered_from_1(again) == numbered_from_1(executed)
        assert executed.block.header.parent_hash == parent.hash
