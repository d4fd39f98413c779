from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import InvalidInput
from node.gas_price import (
    MAX_HISTORY_BLOCKS,
    MAX_TIP,
    MIN_TIP,
    FeeHistory,
    fee_history,
    suggest_priority_fee,
)
from node.types.block import Block
from node.types.primitives import BlockNumber
from node.types.transaction import BLOB, Transaction
from tests.node.execution.signing import GWEI
from tests.node.pooled_chain import PooledChain, ethereum_genesis, open_pool, rollup_genesis


def history(
    chain: PooledChain, count: int, percentiles: tuple[float, ...] | None = None
) -> FeeHistory:
    newest = chain.head().number
    return fee_history(chain.reader, chain.genesis.config, count, newest, percentiles)


def tips_and_gas(chain: PooledChain, block: Block) -> list[tuple[int, int]]:
    """Return (tip, gas used) of the signed transactions, lowest tip first."""
    receipts = chain.reader.receipts(block.hash)
    assert receipts is not None
    return sorted(
        (min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - block.header.base_fee), r.gas_used)
        for tx, r in zip(block.transactions, receipts, strict=True)
        if isinstance(tx, Transaction)
    )


def reward(chain: PooledChain, block: Block, percentile: Fraction) -> int:
    """Return the tip of the unit of gas that stands at a percentile of them all, in order."""
    paid = tips_and_gas(chain, block)
    units = [tip for tip, gas in paid for _ in range(gas)]
    if not units:
        return 0
    place = int(len(units) * percentile / 100)
    return units[max(place - 1, 0)]


BLOCKS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 30), st.sampled_from([0, 1, 100])),
        max_size=6,
    ),
    min_size=1,
    max_size=4,
)
PERCENTILES = st.lists(st.integers(0, 100), max_size=6).map(sorted)


@pytest.mark.parametrize("is_rollup", [False, True])
@settings(max_examples=20)
@given(blocks=BLOCKS, percentiles=PERCENTILES, count=st.integers(1, 6))
def test_history_is_the_plain_count(
    is_rollup: bool, blocks: list[list[tuple[int, int, int]]], percentiles: list[int], count: int
) -> None:
    with open_pool(rollup_genesis() if is_rollup else ethereum_genesis()) as chain:
        for offers in blocks:
            for user, tip, size in offers:
                nonce = chain.mempool.pending_nonce(chain.transfer(user).sender)
                tx = chain.transfer(
                    user, nonce, tip=tip * GWEI, cap=20 * GWEI if tip < 20 else 40 * GWEI,
                    gas=50_000, data=b"\x01" * size,
                )  # fmt: skip
                chain.mempool.add(tx.raw)
            chain.mine()
        result = history(chain, count, tuple(map(float, percentiles)))
        shown = [
            chain.reader.block_by_number(BlockNumber(number))
            for number in range(max(len(blocks) - count + 1, 0), len(blocks) + 1)
        ]
        held = [block for block in shown if block is not None]
        assert result.oldest == held[0].number
        assert result.gas_used_ratios == tuple(
            block.header.gas_used / block.header.gas_limit for block in held
        )
        assert result.rewards == tuple(
            tuple(reward(chain, block, Fraction(percentile)) for percentile in percentiles)
            for block in held
        )
        following = chain.mine().block.header
        assert result.base_fees == (*(b.header.base_fee for b in held), following.base_fee)
        assert result.blob_base_fees == (1,) * (len(held) + 1)
        assert result.blob_gas_used_ratios == (0.0,) * len(held)


def test_blobs_on_ethereum() -> None:
    with open_pool() as chain:
        # Nine blobs a block, three more than the target: the price climbs.
        for number in range(40):
            blobs = (b"\x01" * 32,) * 9
            tx = chain.transfer(
                number % 3, number // 3, kind=BLOB, blob_hashes=blobs, blob_cap=100 * GWEI
            )
            chain.insert(tx)
        result = history(chain, 3)
        assert result.blob_gas_used_ratios == (1.0, 1.0, 1.0)
        assert result.blob_base_fees[0] > 1
        assert result.blob_base_fees == tuple(sorted(set(result.blob_base_fees)))
        # What was said of the next block turns out to be so.
        chain.insert()
        assert history(chain, 3).blob_base_fees[:3] == result.blob_base_fees[1:]


def test_counts() -> None:
    with open_pool() as chain:
        for _ in range(3):
            chain.insert()
        assert history(chain, 0) == FeeHistory(BlockNumber(4), (), (), (), (), None)
        assert history(chain, 0, (50.0,)).rewards == ()
        assert history(chain, 2).oldest == 2
        assert history(chain, 4) == history(chain, 100) == history(chain, MAX_HISTORY_BLOCKS + 1)
        assert len(history(chain, 100).gas_used_ratios) == 4
        with pytest.raises(InvalidInput, match="number of blocks of at least 0, got -1"):
            history(chain, -1)
        with pytest.raises(InvalidInput, match="block 4 is beyond the head"):
            fee_history(chain.reader, chain.genesis.config, 1, BlockNumber(4), None)


def test_the_number_of_blocks_is_bounded() -> None:
    with open_pool() as chain:
        for _ in range(MAX_HISTORY_BLOCKS):
            chain.insert()
        result = history(chain, 2 * MAX_HISTORY_BLOCKS)
        assert (result.oldest, len(result.gas_used_ratios)) == (1, MAX_HISTORY_BLOCKS)


@pytest.mark.parametrize(
    ("percentiles", "match"),
    [
        ((-0.1,), "got 0.0 before -0.1"),
        ((100.1,), "got 0.0 before 100.1"),
        ((50.0, 49.9), "got 50.0 before 49.9"),
        ((float("nan"),), "before nan"),
        ((float("inf"),), "before inf"),
        ((1.0,) * 101, "expected at most 100 percentiles, got 101"),
    ],
)
def test_percentiles_that_are_refused(percentiles: tuple[float, ...], match: str) -> None:
    with open_pool() as chain, pytest.raises(InvalidInput, match=match):
        history(chain, 1, percentiles)


@pytest.mark.parametrize("is_rollup", [False, True])
def test_suggestions(is_rollup: bool) -> None:
    with open_pool(rollup_genesis() if is_rollup else ethereum_genesis()) as chain:
        # Blocks of nobody's transactions say nothing; a rollup's deposits pay no tip.
        chain.insert()
        assert suggest_priority_fee(chain.reader) == MIN_TIP
        chain.insert(*(chain.transfer(user, 0, tip=user * GWEI) for user in range(6)))
        # The 60th percentile of the tips 0 to 5.
        assert suggest_priority_fee(chain.reader) == 3 * GWEI
        for _ in range(19):
            chain.insert()
        assert suggest_priority_fee(chain.reader) == 3 * GWEI
        chain.insert()
        assert suggest_priority_fee(chain.reader) == MIN_TIP


@pytest.mark.parametrize(("tip", "expected"), [(0, MIN_TIP), (10**13, MAX_TIP), (GWEI, GWEI)])
def test_suggestions_are_bounded(tip: int, expected: int) -> None:
    with open_pool() as chain:
        chain.insert(*(chain.transfer(user, tip=tip, cap=10**13) for user in range(3)))
        assert suggest_priority_fee(chain.reader) == expected


@given(st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=20)
def test_a_suggestion_beats_the_share_of_tips_that_it_should(tips: list[int]) -> None:
    with open_pool() as chain:
        chain.insert(
            *(
                chain.transfer(index, tip=tip * GWEI, cap=500 * GWEI)
                for index, tip in enumerate(tips)
            )
        )
        suggested = suggest_priority_fee(chain.reader)
        wanted = sorted(tips)[(len(tips) - 1) * 60 // 100] * GWEI if tips else 0
        assert suggested == max(wanted, MIN_TIP)
        assert sum(tip * GWEI < suggested for tip in tips) <= 0.6 * len(tips) or not wanted
