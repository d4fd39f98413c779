"""GasPriceOracle answers what the node charges, to the wei, under the rules of both forks."""

from collections.abc import Iterator
from random import Random

import pytest

from node.genesis.predeploys import (
    GAS_PRICE_ORACLE_ADDRESS,
    L1_FEE_VAULT_ADDRESS,
    OPERATOR_FEE_VAULT_ADDRESS,
)
from node.types.fastlz import fastlz_length
from rpc.encoding.rollup_fees import rollup_fees
from tests.contracts.local_chain import Reverted
from tests.contracts.priced_chain import Draft, L1Prices, PricedChain, open_priced_chain
from tests.contracts.rollup import L2Contract

TRANSACTIONS = 1_000
A_BLOCK = 25
SIGNATURE = 68
PRICES = L1Prices(1368, 810_949, 20 * 10**9, 3 * 10**9, 5_000, 7 * 10**9)


def oracle_of(rollup: PricedChain) -> L2Contract:
    return L2Contract(rollup, "GasPriceOracle", GAS_PRICE_ORACLE_ADDRESS)


@pytest.fixture(params=[False, True], ids=["isthmus", "jovian"])
def rollup(request: pytest.FixtureRequest) -> Iterator[PricedChain]:
    with open_priced_chain(is_jovian=request.param) as rollup:
        rollup.prices = PRICES
        rollup.extend()
        yield rollup


def model(length: int, prices: L1Prices) -> int:
    """The fee for a FastLZ length, by the specification's formula."""
    size = max(100_000_000, 836_500 * length - 42_585_600)
    price = 16 * prices.base_fee_scalar * prices.base_fee
    price += prices.blob_base_fee_scalar * prices.blob_base_fee
    return size * price // 10**12


def test_flags_tell_the_forks(rollup: PricedChain) -> None:
    oracle = oracle_of(rollup)
    flags = ("isEcotone", "isFjord", "isIsthmus", "isJovian")
    assert [oracle.read(flag) for flag in flags] == [True, True, True, rollup.is_jovian]


def test_prices_are_those_of_the_block(rollup: PricedChain) -> None:
    oracle = oracle_of(rollup)
    base_fee = rollup.chain.head().base_fee
    expected = {
        "l1BaseFee": PRICES.base_fee,
        "blobBaseFee": PRICES.blob_base_fee,
        "baseFeeScalar": PRICES.base_fee_scalar,
        "blobBaseFeeScalar": PRICES.blob_base_fee_scalar,
        "decimals": 6,
        "DECIMALS": 6,
        "version": "1.0.0",
    }
    assert {name: oracle.read(name) for name in expected} == expected
    # A simulated call without a gas price sees no base fee, as in geth.
    assert oracle.read("gasPrice") == oracle.read("baseFee") in (0, base_fee)


@pytest.mark.parametrize("name", ["overhead", "scalar"])
def test_parts_of_older_formulas_are_gone(rollup: PricedChain, name: str) -> None:
    with pytest.raises(Reverted, match=rf"GasPriceOracle: {name}\(\) is deprecated"):
        oracle_of(rollup).read(name)


def test_the_operator_fee_has_the_forks_form(rollup: PricedChain) -> None:
    oracle = oracle_of(rollup)
    gas = 123_456
    scaled = gas * 5_000 * 100 if rollup.is_jovian else gas * 5_000 // 10**6
    assert oracle.read("getOperatorFee", gas) == scaled + 7 * 10**9
    assert oracle.read("getOperatorFee", 0) == 7 * 10**9
    # No sum is too large to answer.
    highest = oracle.read("getOperatorFee", 2**256 - 1)
    assert highest >= (2**256 - 1) // 10**6


def test_a_chain_without_prices_charges_nothing() -> None:
    with open_priced_chain(is_jovian=False) as rollup:
        oracle = oracle_of(rollup)
        assert oracle.read("getL1Fee", bytes(range(256))) == 0
        assert oracle.read("getOperatorFee", 21_000) == 0


@pytest.mark.parametrize("size", [0, 1, 100, 500, 1_000, 5_000])
def test_the_upper_bound_holds_for_noise(rollup: PricedChain, size: int) -> None:
    """Also where the OP Stack's own formula, one byte more for 255, would be too low."""
    noise = Random(size).randbytes(size)
    bound = oracle_of(rollup).read("getL1FeeUpperBound", size)
    assert bound >= oracle_of(rollup).read("getL1Fee", noise)
    length = size + SIGNATURE
    usual, incompressible = length + length // 255 + 16, length + (length + 31) // 32
    assert bound == model(max(usual, incompressible), PRICES)


def test_estimates_before_signing_are_near() -> None:
    """The signature takes 66 to 71 bytes, and more or less of the rest is compressed with it."""
    random = Random(6)
    for _ in range(300):
        draft = Draft.random(random, nonce=random.choice([0, 5, 300, 70_000]))
        estimate = fastlz_length(draft.unsigned) + SIGNATURE
        assert -5 <= estimate - draft.signed().fastlz_length <= 12


def test_a_thousand_random_transactions_pay_what_the_oracle_says() -> None:
    """Each of a signed transaction: its own L1 fee; together what the vaults have got."""
    random = Random(5)
    for is_jovian in (False, True):
        with open_priced_chain(is_jovian=is_jovian) as rollup:
            for _ in range(TRANSACTIONS // A_BLOCK // 2):
                rollup.prices = L1Prices.random(random)
                nonce = rollup.nonce()
                drafts = [Draft.random(random, nonce + i) for i in range(A_BLOCK)]
                check_block(rollup, drafts)


def check_block(rollup: PricedChain, drafts: list[Draft]) -> None:
    oracle = oracle_of(rollup)
    before = [rollup.balance(a) for a in (L1_FEE_VAULT_ADDRESS, OPERATOR_FEE_VAULT_ADDRESS)]
    transactions = [draft.signed() for draft in drafts]
    executed = rollup.extend(*transactions)
    shown = rollup_fees(rollup.chain.reader.config, executed.block, transactions)
    l1_fees = operator_fees = 0
    for draft, tx, receipt, fields in zip(
        drafts, transactions, executed.receipts[1:], shown, strict=True
    ):
        fee = oracle.read("getL1Fee", tx.raw)
        assert fee == int(fields["l1Fee"], 16)
        assert oracle.read("getL1GasUsed", tx.raw) == int(fields["l1GasUsed"], 16)
        estimate = oracle.read("getL1Fee", draft.unsigned)
        assert estimate == model(fastlz_length(draft.unsigned) + SIGNATURE, rollup.prices)
        assert oracle.read("getL1FeeUpperBound", len(draft.unsigned)) >= fee
        l1_fees += fee
        operator_fees += oracle.read("getOperatorFee", receipt.gas_used)
    after = [rollup.balance(a) for a in (L1_FEE_VAULT_ADDRESS, OPERATOR_FEE_VAULT_ADDRESS)]
    assert [after[0] - before[0], after[1] - before[1]] == [l1_fees, operator_fees]
