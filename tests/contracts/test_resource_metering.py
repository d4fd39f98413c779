"""The deposit market: its cap, its price rule against a model, the L1 gas that it burns."""

import pytest

from tests.contracts.conftest import ALICE, L1Contracts
from tests.contracts.local_chain import Contract, LocalChain, Outcome, OutOfGas, Reverted

TO_TEXT = "0x" + "70" * 20
GWEI = 10**9
MAXIMUM = 20_000_000
TARGET = 2_000_000


@pytest.fixture
def portal(l1: L1Contracts) -> Contract:
    # Burning is bounded by the price over the L1 base fee: high, it leaves room for big deposits.
    l1.portal.chain.base_fee = 1_000 * GWEI
    return l1.portal


def buy(portal: Contract, l2_gas: int) -> Outcome:
    return portal.send("depositTransaction", TO_TEXT, 0, l2_gas, False, b"", sender=ALICE)


def price_after(price: int, sold: int, blocks: int) -> int:
    """The rule, block by block."""
    price += price * (sold - TARGET) // (TARGET * 8)
    for _ in range(blocks - 1):
        price = price * 7 // 8
    return max(price, GWEI)


def test_first_state(portal: Contract) -> None:
    assert portal.read("params") == (GWEI, 0, 100)
    assert portal.read("MAX_RESOURCE_LIMIT") == MAXIMUM
    assert portal.read("TARGET_RESOURCE_LIMIT") == TARGET


def test_a_block_sells_no_more_than_its_maximum(portal: Contract) -> None:
    buy(portal, MAXIMUM - 100_000)
    buy(portal, 100_000)
    with pytest.raises(Reverted, match="DepositGasExhausted") as refusal:
        buy(portal, 21_000)
    assert refusal.value.arguments == (21_000, 0)
    portal.chain.block_number += 1
    buy(portal, 21_000)


def test_one_deposit_cannot_exceed_the_maximum(portal: Contract) -> None:
    with pytest.raises(Reverted, match="DepositGasExhausted") as refusal:
        buy(portal, 2**64 - 1)
    assert refusal.value.arguments == (2**64 - 1, MAXIMUM)


def test_a_refused_deposit_sells_nothing(portal: Contract) -> None:
    with pytest.raises(Reverted, match="GasLimitTooLow"):
        buy(portal, 20_999)
    assert portal.read("params") == (GWEI, 0, 100)


def test_the_price_rises_after_full_blocks(portal: Contract) -> None:
    price = GWEI
    for _ in range(3):
        buy(portal, MAXIMUM)
        portal.chain.block_number += 1
        price = price_after(price, MAXIMUM, 1)
    buy(portal, 21_000)
    assert portal.read("params") == (price, 21_000, 103)


@pytest.mark.parametrize("blocks", [1, 2, 3, 10, 12, 100, 10_000, 2**63])
def test_the_price_falls_over_empty_blocks(portal: Contract, blocks: int) -> None:
    price = GWEI
    for _ in range(4):
        buy(portal, MAXIMUM)
        portal.chain.block_number += 1
        price = price_after(price, MAXIMUM, 1)
    buy(portal, 21_000)
    portal.chain.block_number += blocks
    buy(portal, 21_000)
    expected = price_after(price, 21_000, min(blocks, 1_000))
    # The contract rounds once for many blocks, the model after each.
    assert portal.read("params")[0] == pytest.approx(expected, abs=blocks)


def test_the_price_never_falls_below_its_minimum(portal: Contract) -> None:
    for _ in range(3):
        portal.chain.block_number += 1
        buy(portal, 21_000)
    assert portal.read("params")[0] == GWEI


def test_the_highest_price_fits(portal: Contract) -> None:
    """From the largest state that the slot can hold, the market goes on without overflow."""
    highest = 2**128 - 1
    chain = portal.chain
    chain.state.set_storage(portal.address, 0, 100 << 192 | MAXIMUM << 128 | highest)
    chain.base_fee = 2**200
    chain.block_number = 101
    buy(portal, 21_000)
    assert portal.read("params")[0] == highest
    chain.state.set_storage(portal.address, 0, 100 << 192 | MAXIMUM << 128 | highest)
    chain.block_number = 100 + 2_000
    buy(portal, 21_000)
    assert portal.read("params")[0] == GWEI


def test_l1_gas_is_burnt_for_l2_gas(portal: Contract) -> None:
    """What the deposit itself uses counts: only the rest is burnt."""
    portal.chain.base_fee = 10 * GWEI
    outcome = buy(portal, 2_000_000)
    assert 200_000 <= outcome.gas_used < 202_000


def test_a_low_l1_base_fee_does_not_raise_the_burn(portal: Contract) -> None:
    portal.chain.base_fee = 7
    outcome = buy(portal, 200_000)
    assert 200_000 <= outcome.gas_used < 202_000


def test_too_little_gas_to_burn_undoes_the_deposit(chain: LocalChain, portal: Contract) -> None:
    portal.chain.base_fee = GWEI
    arguments = (TO_TEXT, 0, 5_000_000, False, b"")
    with pytest.raises(OutOfGas):
        portal.send("depositTransaction", *arguments, sender=ALICE, gas=1_000_000)
    assert portal.read("params") == (GWEI, 0, 100)
