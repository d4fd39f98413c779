"""Income and costs of plans, and whether the figures behind them are those of the chain."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.economics import (
    Data,
    Outcome,
    Payer,
    Plan,
    Rates,
    compare,
    estimate,
    monthly_items,
)
from attribution.faking import faking_costs
from attribution.gas_use import (
    CLAIM,
    DEPOSIT,
    FIRST_DEPOSIT,
    REGISTER_DATASET,
    REGISTER_MODEL,
    TransactionUse,
    append_use,
    settle_use,
)
from attribution.prices import Prices, present_prices
from node.errors import InvalidInput
from node.execution.fees import L1FeeParameters, da_size, l1_fee
from node.types.attribution_record import Influence, Record
from node.types.primitives import keccak256
from node.types.transaction import Transaction
from tests.attribution.market import AUTHOR, LOGGER, OPEN, OWNER, Market, account

PAYERS = [account(f"payer {number}") for number in range(10)]
GWEI = 10**9
PRICES = Prices(
    base_fee=GWEI // 10,
    priority_fee=GWEI // 1000,
    l1=L1FeeParameters(GWEI, 1, 1368, 810_949),
    is_jovian=True,
)
PLAN = Plan(Fraction(1, 100), 50, 10, 4, 1)
RATES = Rates(Fraction(1), Fraction(3000))


@contextmanager
def market_with(datasets: int) -> Iterator[Market]:
    """Open a market with datasets and money."""
    with closing(Market()) as market:
        authors = [account(f"author {number}") for number in range(datasets)]
        market.fund(OWNER, LOGGER, AUTHOR, *authors, *PAYERS, wei=100 * OPEN)
        for author in authors:
            market.register_dataset(author)
        market.mine_all()
        yield market


def receipts(count: int, datasets: int, salt: int) -> list[Record]:
    """Return receipts of one price, each with weights of its own."""
    records = []
    for index in range(count):
        seed = keccak256(salt.to_bytes(8, "big") + index.to_bytes(8, "big"))
        weights = [1 + int.from_bytes(seed[2 * at : 2 * at + 2], "big") % 600 for at in range(16)]
        influences = [Influence(1 + at, weights[at]) for at in range(datasets)]
        records.append(Record(10**7, tuple(influences), seed))
    return records


def check(
    market: Market,
    tx: Transaction,
    use: TransactionUse,
) -> None:
    """Mine a transaction, and compare what it took with what was said."""
    market.mine_all()
    assert market.receipt(tx).gas_used == pytest.approx(use.gas, rel=0.02)
    assert da_size(tx) == pytest.approx(use.size, rel=0.08, abs=6)


@pytest.mark.parametrize("datasets", [0, 1, 3])
def test_appends_and_settlements_take_what_is_said(datasets: int) -> None:
    with market_with(datasets) as market:
        offer = market.register_model()
        for payer in PAYERS:
            market.deposit(offer, payer, 10**9)
        market.append(offer, receipts(200, datasets, 0))
        ids = range(1, datasets + 1)
        market.mine_all()
        market.charge(offer, ids, [market.voucher(offer, PAYERS[0], 1000)])
        market.mine_all()
        for count in (1, 50, 100, 1_000):
            tx = market.append(offer, receipts(count, datasets, count))
            check(market, tx, append_use(count, datasets, datasets))
        for count in (1, 10):
            vouchers = [market.voucher(offer, payer, 1000) for payer in PAYERS[:count]]
            check(market, market.charge(offer, ids, vouchers), settle_use(count, datasets))


def test_the_other_transactions_take_what_is_said() -> None:
    with market_with(2) as market:
        uri = "https://example.org/datasets/abstracts-00009"
        check(market, market.register_dataset(uri=uri), REGISTER_DATASET)
        offer = market.register_model()
        tx = market.mine_all().transactions[-1]
        assert isinstance(tx, Transaction)
        check(market, tx, REGISTER_MODEL)
        check(market, market.deposit(offer, PAYERS[0], 10**9), FIRST_DEPOSIT)
        check(market, market.deposit(offer, PAYERS[0], 10**9), DEPOSIT)
        market.append(offer, receipts(10, 1, 0))
        market.mine_all()
        for _ in range(2):
            market.charge(offer, [1], [market.voucher(offer, PAYERS[0], 1000)])
            market.mine_all()
            claim = market.hub(account("author 0"), "claim")
            market.mine_all()
        check(market, claim, CLAIM)


def outcome(data: Data, **changes: Any) -> Outcome:
    fields = {"price_usd": Fraction(1, 100), "queries_per_month": 50, "payers": 10, "payees": 4}
    plan = Plan(**{**fields, "settlements_per_month": 1, **changes})
    return estimate(plan, PRICES, RATES, data)


def test_fifty_queries_of_a_cent_close_on_blobs_and_not_on_calldata() -> None:
    blobs, calldata = outcome(Data.BLOBS), outcome(Data.CALLDATA)
    assert blobs.closes
    assert not calldata.closes
    assert blobs.break_even_queries is not None
    assert calldata.break_even_queries is not None
    assert blobs.break_even_queries <= 50 < calldata.break_even_queries


def test_at_the_named_prices_blobs_always_pay_and_calldata_can_be_a_loss() -> None:
    rows = compare(PLAN, RATES)
    assert [row.named.name for row in rows] == ["quiet", "usual", "dear"]
    assert [row.blobs.closes for row in rows] == [True, True, True]
    assert [row.calldata.closes for row in rows] == [True, False, False]
    for row in rows:
        assert row.blobs.data is Data.BLOBS
        assert row.calldata == estimate(PLAN, row.named.prices, RATES, Data.CALLDATA)


@given(
    data=st.sampled_from(Data),
    price=st.fractions(min_value=Fraction(1, 10**6), max_value=1),
    queries=st.integers(1, 10**7),
    payers=st.integers(1, 1000),
    payees=st.integers(1, 17),
    settlements=st.integers(1, 100),
)
def test_whatever_the_plan_the_money_adds_up(
    data: Data, price: Fraction, queries: int, payers: int, payees: int, settlements: int
) -> None:
    plan = Plan(price, queries, payers, payees, settlements)
    result = estimate(plan, PRICES, RATES, data)
    spent = sum(cost.usd for cost in result.costs)
    shared = result.owner_usd + (result.dataset_usd or 0) * (payees - 1)
    deposits = sum(cost.usd for cost in result.costs if cost.item.payer is Payer.PAYERS)
    assert shared == plan.income_usd - spent + deposits
    assert result.together_usd == plan.income_usd - spent
    assert result.payers_usd == plan.income_usd + deposits
    if (enough := result.break_even_queries) is not None:
        assert estimate_of(plan, enough, data) >= 0
        assert enough == 1 or estimate_of(plan, enough - 1, data) < 0


def estimate_of(plan: Plan, queries: int, data: Data) -> Fraction:
    """Return what is left of the same plan with so many queries."""
    fields = (plan.payers, plan.payees, plan.settlements_per_month)
    return estimate(Plan(plan.price_usd, queries, *fields), PRICES, RATES, data).together_usd


@given(queries=st.integers(1, 10**6), settlements=st.integers(1, 1000))
def test_every_query_is_appended_once(queries: int, settlements: int) -> None:
    plan = Plan(Fraction(1), queries, 1, 1, settlements)
    (appends,) = (item for item in monthly_items(plan) if item.name == "appends")
    assert appends.gas - 29_812 * appends.transactions == 244 * queries
    assert appends.transactions >= min(settlements, queries)
    assert appends.transactions <= settlements + queries // 1000 + 1


def test_a_model_that_costs_more_a_query_than_it_earns_never_breaks_even() -> None:
    result = outcome(Data.CALLDATA, price_usd=Fraction(1, 10**6))
    assert result.break_even_queries is None
    assert not result.closes


def test_without_a_dataset_everything_is_the_owners() -> None:
    result = outcome(Data.BLOBS, payees=1)
    assert result.dataset_usd is None
    assert {cost.item.payer for cost in result.costs} == {Payer.OWNER, Payer.PAYERS}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("price_usd", Fraction(0), "price: expected above 0"),
        ("queries_per_month", 10**9 + 1, "queriesPerMonth: expected 1 to 1000000000"),
        ("payers", 0, "payers: expected 1 to"),
        ("payees", 18, "payees: expected 1 to 17"),
        ("settlements_per_month", 0, "settlementsPerMonth: expected 1 to"),
    ],
)
def test_a_plan_out_of_range_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        outcome(Data.BLOBS, **{field: value})


def test_prices_are_those_of_the_next_block() -> None:
    with closing(Market()) as market:
        assert present_prices(market.reader).l1 == L1FeeParameters(0, 0, 0, 0)
        market.mine_all()
        prices = present_prices(market.reader)
        assert prices.l1.l1_base_fee == 7 * GWEI
        tx = market.transfer(to=LOGGER.address)
        block = market.mine(tx)
        assert block.header.base_fee == prices.base_fee
        charged = int(da_size(tx) * prices.charged_byte())
        # The Fjord formula keeps fractions of a byte that `da_size` has rounded away.
        assert l1_fee(tx, prices.l1) == pytest.approx(charged, rel=0.01)


def test_faking_costs_something_and_names_each_number() -> None:
    costs = list(faking_costs(PRICES))
    assert all(cost.wei > 0 for cost in costs)
    named = [name for cost in costs for name in cost.numbers]
    assert len(named) == len(set(named))
    assert {"receipts", "payers", "volumeWei", "repeatRate7d"} <= set(named)
