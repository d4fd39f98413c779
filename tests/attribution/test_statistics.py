"""Statistics of random histories against an obvious recomputation."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.median import median
from attribution.registry import Appointment, Dataset, Model
from attribution.self_dealing import (
    RULE_SET_VERSION,
    RULES,
    Funders,
    is_known_self_dealt,
    is_no_funder,
)
from attribution.settlements import Charge, Payment, Settlement
from attribution.statistics import dataset_statistics, model_statistics
from attribution.use import DatasetUse, ModelUse
from node.attribution_entries import Batch, Place
from node.genesis.dev_accounts import dev_accounts
from node.genesis.predeploys import (
    ATTRIBUTION_HUB_ADDRESS,
    L2_CROSS_DOMAIN_MESSENGER_ADDRESS,
    L2_STANDARD_BRIDGE_ADDRESS,
    SEQUENCER_FEE_VAULT_ADDRESS,
)
from node.types.attribution_record import Influence, Record, encode_records
from node.types.attribution_summary import summarise
from node.types.primitives import ZERO_ADDRESS, ZERO_HASH, Address, BlockNumber
from tests.attribution.slow_statistics import (
    Append,
    Settle,
    payment_numbers,
    receipt_numbers,
    self_dealt,
    waits,
)

START, DAY = 1_700_000_000, 86_400
DATASET, DATASETS = 2, 3
ACCOUNTS = [Address(bytes([0xA0 + index]) * 20) for index in range(8)]
OWNER, FIRST_LOGGER, SECOND_LOGGER, DATASET_OWNER = ACCOUNTS[:4]
LOGGERS = (FIRST_LOGGER, SECOND_LOGGER)
FAUCET = dev_accounts()[0].address
NOWHERE = Place(BlockNumber(0), 0, 0)
MODEL = Model(
    key=ZERO_HASH,
    stream=0,
    owner=OWNER,
    model_hash=ZERO_HASH,
    salt=ZERO_HASH,
    uri="",
    price_gwei=0,
    owner_bps=5000,
    payouts=(OWNER,),
    declared_datasets=(),
    appointments=tuple(Appointment(logger, NOWHERE) for logger in LOGGERS),
    registered=NOWHERE,
    registered_at=START,
)
ENTRY = Dataset(DATASET, DATASET_OWNER, (DATASET_OWNER,), ZERO_HASH, "", NOWHERE, START)

RECORDS = st.builds(
    Record,
    amount=st.integers(0, 3) | st.integers(0, 1000),
    influences=st.dictionaries(st.integers(0, 5), st.integers(1, 1600), max_size=4).map(
        lambda weights: tuple(Influence(*entry) for entry in sorted(weights.items()))
    ),
    commitment=st.just(ZERO_HASH),
)
APPENDS = st.builds(
    Append,
    logger=st.sampled_from(LOGGERS),
    timestamp=st.integers(0, 40 * DAY).map(lambda late: START + late),
    records=st.lists(RECORDS, min_size=1, max_size=6).map(tuple),
    is_hidden=st.integers(0, 4).map(lambda drawn: drawn == 0),
    is_deposit=st.integers(0, 4).map(lambda drawn: drawn == 0),
)
SETTLES = st.builds(
    Settle,
    logger=st.sampled_from(LOGGERS),
    timestamp=st.integers(0, 40 * DAY).map(lambda late: START + late),
    charges=st.lists(
        st.tuples(st.sampled_from(ACCOUNTS), st.integers(1, 2000)), min_size=1, max_size=5
    ).map(tuple),
    payments=st.lists(
        st.tuples(st.integers(1, DATASETS), st.booleans(), st.integers(1, 10**12)), max_size=4
    ).map(tuple),
    is_deposit=st.integers(0, 4).map(lambda drawn: drawn == 0),
)
FUNDERS = st.dictionaries(
    st.sampled_from(ACCOUNTS),
    st.lists(st.sampled_from([*ACCOUNTS, FAUCET, ATTRIBUTION_HUB_ADDRESS]), max_size=3),
)
HISTORIES = st.tuples(st.lists(APPENDS, max_size=6), st.lists(SETTLES, max_size=6), FUNDERS)


def known(funders: Mapping[Address, list[Address]]) -> Funders:
    """Return a lookup of who funded whom."""
    return lambda account: funders.get(account, [])


def in_order(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: item.timestamp)


def use_of(appends: list[Append], settles: list[Settle]) -> ModelUse:
    """Return a history as the index would give it."""
    batches: dict[Address, list[Batch]] = {logger: [] for logger in LOGGERS}
    for number, append in enumerate(appends):
        raw = encode_records(append.records)
        batches[append.logger].append(
            Batch(
                logger=append.logger,
                stream=0,
                from_seq=sum(batch.count for batch in batches[append.logger]),
                place=Place(BlockNumber(number), 0, 0),
                timestamp=append.timestamp,
                is_deposit=append.is_deposit,
                count=len(append.records),
                amount=sum(record.amount for record in append.records),
                summary=None if append.is_hidden else summarise(raw),
            )
        )
    return ModelUse(MODEL, batches, [settlement_of(settle) for settle in settles], DATASETS)


def settlement_of(settle: Settle) -> Settlement:
    return Settlement(
        model_key=ZERO_HASH,
        logger=settle.logger,
        place=NOWHERE,
        timestamp=settle.timestamp,
        is_deposit=settle.is_deposit,
        charges=tuple(Charge(*charge) for charge in settle.charges),
        payments=tuple(
            Payment(dataset, ZERO_ADDRESS, int(is_credited), wei)
            for dataset, is_credited, wei in settle.payments
        ),
        charged_gwei=settle.charged,
        unsettled_gwei=settle.charged,
        payout=OWNER,
        owner_wei=0,
    )


@settings(max_examples=80, deadline=None)
@given(HISTORIES)
def test_a_models_numbers_are_those_of_the_recomputation(
    history: tuple[list[Append], list[Settle], dict[Address, list[Address]]],
) -> None:
    appends, settles, funders = in_order(history[0]), in_order(history[1]), history[2]
    now = START + 40 * DAY
    numbers = model_statistics(use_of(appends, settles), known(funders), now)
    assert asdict(numbers.receipts) == receipt_numbers(appends, settles, DATASETS)
    assert asdict(numbers.raw) == payment_numbers(settles, set(), now)
    dealers = self_dealt(
        set(ACCOUNTS), set(MODEL.insiders), funders, {FAUCET, ATTRIBUTION_HUB_ADDRESS}
    )
    assert asdict(numbers.organic) == payment_numbers(settles, dealers, now)
    used = {payer for settle in settles if not settle.is_deposit for payer, _ in settle.charges}
    assert numbers.self_dealt_payers == len(used & dealers)


@settings(max_examples=80, deadline=None)
@given(HISTORIES)
def test_a_datasets_numbers_are_those_of_the_recomputation(
    history: tuple[list[Append], list[Settle], dict[Address, list[Address]]],
) -> None:
    appends, settles, funders = in_order(history[0]), in_order(history[1]), history[2]
    now = START + 40 * DAY
    use = DatasetUse(ENTRY, [use_of(appends, settles)])
    numbers = dataset_statistics(use, known(funders), now)
    assert asdict(numbers.raw) == payment_numbers(settles, set(), now, DATASET)
    insiders = set(MODEL.insiders) | {DATASET_OWNER}
    dealers = self_dealt(set(ACCOUNTS), insiders, funders, {FAUCET, ATTRIBUTION_HUB_ADDRESS})
    assert asdict(numbers.organic) == payment_numbers(settles, dealers, now, DATASET)
    named = [
        (record, entry)
        for append in appends
        if not append.is_deposit and not append.is_hidden
        for record in append.records
        for entry in record.influences
        if entry.dataset == DATASET
    ]
    assert numbers.receipts.receipts == len(named)
    credit = sum(record.amount * entry.weight for record, entry in named)
    assert numbers.receipts.amount_gwei == credit // 10_000
    paid = [
        payment
        for settle in settles
        if not settle.is_deposit
        for payment in settle.payments
        if payment[0] == DATASET
    ]
    total = sum(wei for _, _, wei in paid)
    declared = sum(wei for _, is_credited, wei in paid if not is_credited)
    assert numbers.receipts.unattributed_share == (Fraction(declared, total) if total else None)
    # A dataset's receipts count with their whole batch: as if a contract had written it.
    whole = [replace(append, is_hidden=True) for append in appends]
    assert numbers.receipts.settled_receipts == sum(
        sum(entry.dataset == DATASET and record.amount > 0 for entry in record.influences)
        for append, original in zip(whole, appends, strict=True)
        if not original.is_deposit
        and not original.is_hidden
        and any(found is append for _, found in waits(whole, settles))
        for record in original.records
    )


@pytest.mark.parametrize(
    "account",
    [
        ATTRIBUTION_HUB_ADDRESS,
        L2_CROSS_DOMAIN_MESSENGER_ADDRESS,
        L2_STANDARD_BRIDGE_ADDRESS,
        SEQUENCER_FEE_VAULT_ADDRESS,
        FAUCET,
    ],
)
def test_what_everybody_has_money_from_is_no_funder(account: Address) -> None:
    assert is_no_funder(account)
    payer = ACCOUNTS[7]
    # Even as an insider: the money says nothing about who the payer is.
    assert not is_known_self_dealt(payer, {account}, known({payer: [account]}))
    assert is_known_self_dealt(account, {account}, known({}))


def test_two_hops_and_no_more() -> None:
    chain = known({account: [funder] for account, funder in pairwise(ACCOUNTS)})
    assert is_known_self_dealt(ACCOUNTS[4], {ACCOUNTS[6]}, chain)
    assert not is_known_self_dealt(ACCOUNTS[4], {ACCOUNTS[7]}, chain)
    circle = known({ACCOUNTS[4]: [ACCOUNTS[5]], ACCOUNTS[5]: [ACCOUNTS[4]]})
    assert not is_known_self_dealt(ACCOUNTS[4], {OWNER}, circle)


def test_the_rules_are_named_and_versioned() -> None:
    assert RULE_SET_VERSION == "1"
    assert any("2 hops" in rule for rule in RULES)


@given(st.dictionaries(st.integers(-5, 5), st.integers(0, 3)))
def test_a_median_is_that_of_all_values(counts: dict[int, int]) -> None:
    values = sorted(value for value, count in counts.items() for _ in range(count))
    assert median(counts) == (values[(len(values) - 1) // 2] if values else None)
