"""What the index says of a market, against what was done there."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from attribution.chain_facts import ChainFacts
from attribution.settlements import Charge
from attribution.statistics import dataset_statistics, model_statistics
from node.attribution_index import begin, remove_block
from node.errors import PrunedHistory
from node.types.primitives import checksum_address
from tests.attribution.market import (
    AUTHOR,
    LOGGER,
    OPEN,
    OWNER,
    Market,
    account,
    record,
)

ANNA, BERT = account("anna"), account("bert")
SECOND_LOGGER = account("second logger")


@pytest.fixture
def market() -> Iterator[Market]:
    with closing(Market()) as market:
        market.fund(OWNER, LOGGER, AUTHOR, ANNA, SECOND_LOGGER)
        yield market


def test_a_model_and_its_settlements(market: Market) -> None:
    market.register_dataset()
    market.register_dataset()
    market.mine_all()
    offer = market.register_model(datasets=[2])
    market.mine_all()
    market.fund(BERT, sender=OWNER, wei=5 * OPEN)
    for payer in (ANNA, BERT):
        market.deposit(offer, payer, 10_000)
    market.mine_all()
    market.append(offer, [record(100, d1=6000), record(200), record(100, d1=10_000)])
    market.mine_all()
    vouchers = [market.voucher(offer, ANNA, 100), market.voucher(offer, BERT, 200)]
    market.charge(offer, [1], vouchers)
    market.mine_all()
    market.hub(OWNER, "appointLogger", offer.key, checksum_address(SECOND_LOGGER.address), [1])
    market.mine_all()
    market.append(offer, [record(70)])  # too late: it counts no more
    market.append(offer, [record(50)], logger=SECOND_LOGGER)
    market.mine_all()

    model = market.model(offer)
    assert model.owner == OWNER.address
    assert model.declared_datasets == (2,)
    assert [entry.logger for entry in model.appointments] == [LOGGER.address, SECOND_LOGGER.address]
    assert model.insiders == {OWNER.address, LOGGER.address, SECOND_LOGGER.address}
    head = market.reader.head_header()
    with market.reader.snapshot() as snapshot:
        facts = ChainFacts(snapshot)
        use = facts.model_use(model)
        (settlement,) = use.settlements
        assert settlement.charges == (Charge(ANNA.address, 100), Charge(BERT.address, 200))
        assert [payment.dataset for payment in settlement.payments] == [1, 2]
        assert {logger: len(stream) for logger, stream in use.batches.items()} == {
            LOGGER.address: 1,
            SECOND_LOGGER.address: 1,
        }
        numbers = model_statistics(use, facts.funders, head.timestamp)
        assert (numbers.receipts.receipts, numbers.receipts.amount_gwei) == (4, 450)
        assert numbers.receipts.median_price_gwei == 100
        assert (numbers.receipts.settlement_lag_s, numbers.receipts.settled_receipts) == (1, 2)
        assert numbers.raw.volume_wei == 300 * 10**9
        assert numbers.raw.payers == 2
        assert numbers.self_dealt_payers == 1
        assert numbers.organic.volume_wei == 100 * 10**9
        dataset = facts.dataset(1)
        assert dataset is not None
        numbers = dataset_statistics(facts.dataset_use(dataset), facts.funders, head.timestamp)
        assert (numbers.receipts.receipts, numbers.receipts.amount_gwei) == (2, 160)
        assert numbers.raw.volume_wei == settlement.payments[0].wei
        assert facts.dataset(3) is None
        assert facts.dataset_count() == 2
        assert facts.model_keys(None, 10) == [offer.key]


def test_what_an_index_of_a_pruned_chain_does_not_know_is_said(market: Market) -> None:
    market.register_dataset()
    offer = market.register_model()
    market.mine_all()
    registered = market.reader.heads().unsafe.number
    market.hub(OWNER, "setPrice", offer.key, 7)
    market.mine_all()
    with market.database.write() as tx:
        for number in range(registered + 1):
            remove_block(tx, number)
        begin(tx, registered + 1)
    with market.reader.snapshot() as snapshot:
        facts = ChainFacts(snapshot)
        assert facts.model_keys(None, 10) == []
        assert facts.dataset(1) is None
        with pytest.raises(PrunedHistory, match=f"before block {registered + 1} is not known here"):
            facts.model(offer.key)
