"""The attribution methods of a real node, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.types.primitives import checksum_address
from tests.attribution.market import (
    AUTHOR,
    GWEI,
    LOGGER,
    OPEN,
    OWNER,
    Market,
    Offer,
    account,
    record,
)
from tests.node.test_attribution_index import RELAY_CREATION, records_call
from tests.rpc.chain import RpcFailure, RpcNode, rollup_chain, serve

ANNA, BERT = account("anna"), account("bert")
UNKNOWN = "0x" + "ab" * 32


@pytest.fixture
async def served() -> AsyncIterator[tuple[Market, RpcNode]]:
    market = Market()
    async with serve(market) as node:
        market.fund(OWNER, LOGGER, AUTHOR, ANNA)
        market.register_dataset()
        market.register_dataset(uri="ipfs://other")
        market.mine_all()
        yield market, node


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


def sell(market: Market, *, declared: tuple[int, ...] = (2,)) -> Offer:
    """Register a model with two payers, of which the owner has funded one."""
    offer = market.register_model(datasets=declared)
    market.mine_all()
    market.fund(BERT, sender=OWNER, wei=5 * OPEN)
    for payer in (ANNA, BERT):
        market.deposit(offer, payer, 10**6)
    market.mine_all()
    return offer


async def test_what_an_append_wrote_is_in_receipts_and_numbers_one_block_later(
    served: tuple[Market, RpcNode],
) -> None:
    market, node = served
    offer = sell(market)
    key = hexed(offer.key)
    before = await node.call("attribution_getModelStats", key)
    assert before["receipts"]["receipts"] == "0x0"
    tx = market.append(offer, [record(100, d1=6000), record(200)])
    block = market.mine_all()
    numbers = await node.call("attribution_getModelStats", key)
    assert numbers["blockNumber"] == hex(block.number)
    assert numbers["receipts"]["receipts"] == "0x2"
    assert numbers["receipts"]["amountGwei"] == hex(300)
    assert numbers["receipts"]["medianPriceGwei"] == hex(100)
    assert numbers["receipts"]["unattributedShare"] == 0.8
    assert numbers["receipts"]["settlementLagSeconds"] is None
    where = (hexed(LOGGER.address), hex(offer.stream))
    assert await node.call("attribution_getHead", *where) == {
        "count": "0x2",
        "amountGwei": hex(300),
        "credited": hex(600_000),
    }
    page = await node.call("attribution_getReceipts", *where)
    (batch,) = page["batches"]
    assert batch["transactionHash"] == hexed(tx.hash)
    assert batch["blockNumber"] == hex(block.number)
    assert batch["receipts"][0] == {
        "seq": "0x0",
        "amountGwei": hex(100),
        "influences": [{"dataset": "0x1", "weight": hex(6000)}],
        "commitment": hexed(record(100, d1=6000).commitment),
    }
    assert page["nextSeq"] is None


async def test_pages_of_receipts_go_on_where_they_end(served: tuple[Market, RpcNode]) -> None:
    market, node = served
    offer = sell(market)
    for size in (3, 1, 4):
        market.append(offer, [record(100 + index) for index in range(size)])
    market.mine_all()
    where = (hexed(LOGGER.address), hex(offer.stream))
    for limit in range(1, 10):
        seen: list[int] = []
        following: str | None = "0x0"
        while following is not None:
            page = await node.call("attribution_getReceipts", *where, following, hex(limit))
            receipts = [entry for batch in page["batches"] for entry in batch["receipts"]]
            assert 0 < len(receipts) <= limit
            seen += [int(entry["seq"], 16) for entry in receipts]
            following = page["nextSeq"]
        assert seen == list(range(8))
    beyond = await node.call("attribution_getReceipts", *where, "0x8")
    assert beyond == {"batches": [], "nextSeq": None}


async def test_receipts_of_a_contract_are_counted_but_not_shown(
    served: tuple[Market, RpcNode],
) -> None:
    market, node = served
    creation = market.transfer(sender=OWNER, to=None, data=RELAY_CREATION, value=0)
    market.mempool.add_transaction(creation)
    market.mine_all()
    relay = market.receipt(creation).contract_address
    assert relay is not None
    offer = market.register_model(logger=relay)
    market.mine_all()
    for seq in (0, 3):
        market.submit(OWNER, relay, records_call(offer.stream, seq, 3))
    market.mine_all()
    numbers = (await node.call("attribution_getModelStats", hexed(offer.key)))["receipts"]
    assert (numbers["receipts"], numbers["hiddenReceipts"]) == ("0x6", "0x6")
    assert numbers["medianPriceGwei"] is None
    where = (hexed(relay), hex(offer.stream))
    page = await node.call("attribution_getReceipts", *where, "0x1", "0x1")
    assert [batch["receipts"] for batch in page["batches"]] == [None]
    assert page["nextSeq"] == "0x3"


async def test_settlements_payees_and_the_two_columns(served: tuple[Market, RpcNode]) -> None:
    market, node = served
    offer = sell(market)
    key = hexed(offer.key)
    market.append(offer, [record(100, d1=6000), record(200), record(100, d1=10_000)])
    market.mine_all()
    for gwei in (50, 100):
        vouchers = [market.voucher(offer, payer, gwei) for payer in (ANNA, BERT)]
        market.charge(offer, [1], vouchers)
        market.mine_all()
    payments = (await node.call("attribution_getModelStats", key))["payments"]
    raw, organic = payments["raw"], payments["notKnownSelfDealt"]
    assert (raw["volumeWei"], organic["volumeWei"]) == (hex(300 * GWEI), hex(150 * GWEI))
    assert (raw["payers"], organic["payers"], payments["selfDealtPayers"]) == ("0x2", "0x1", "0x1")
    assert raw["largestPayerShare"] == 0.5
    assert organic["repeatRate7d"] == 1.0
    dataset = await node.call("attribution_getDatasetStats", "0x2")
    assert dataset["receipts"]["receipts"] == "0x0"
    assert dataset["receipts"]["unattributedShare"] == 1.0
    assert int(dataset["payments"]["raw"]["volumeWei"], 16) > 0

    whole = await node.call("attribution_getPayouts", key)
    assert [entry["chargedGwei"] for entry in whole["settlements"]] == [hex(100), hex(200)]
    first = await node.call("attribution_getPayouts", key, None, 1)
    second = await node.call("attribution_getPayouts", key, first["next"], 1)
    assert first["settlements"] + second["settlements"] == whole["settlements"]
    assert second["next"] is None
    for payee in whole["payees"]:
        owed = market_view(market, "owed", payee["account"])
        assert owed == int(payee["ownerWei"], 16) + int(payee["datasetsWei"], 16)
    total = sum(
        int(payee[name], 16) for payee in whole["payees"] for name in ("ownerWei", "datasetsWei")
    )
    assert total == 300 * GWEI


def market_view(market: Market, name: str, account: str) -> int:
    """Ask the Hub."""
    from node.execution.simulate import CallRequest
    from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
    from tests.node.hub_calls import hub_call

    request = CallRequest(to=ATTRIBUTION_HUB_ADDRESS, data=hub_call(name, account))
    return int.from_bytes(market.reader.call(request, market.reader.head_header()).output, "big")


async def test_models_and_datasets(served: tuple[Market, RpcNode]) -> None:
    market, node = served
    offers = [market.register_model(name=name, logger=account(name).address) for name in "abc"]
    market.mine_all()
    market.hub(OWNER, "recordTraining", offers[0].key, 2, bytes(32))
    market.hub(OWNER, "setPrice", offers[0].key, 7)
    market.hub(OWNER, "appointLogger", offers[0].key, checksum_address(account("d").address), [])
    market.mine_all()
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await node.call("attribution_listModels", after, "0x2")
        seen += [model["modelKey"] for model in page["models"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [hexed(offer.key) for offer in offers]
    model = await node.call("attribution_getModel", seen[0])
    assert model["priceGwei"] == "0x7"
    assert model["stream"] == hex(offers[0].stream)
    assert [entry["toBlock"] is None for entry in model["loggers"]] == [False, True]
    assert [entry["dataset"] for entry in model["trainings"]] == ["0x2"]
    datasets = await node.call("attribution_listDatasets")
    assert [entry["id"] for entry in datasets["datasets"]] == ["0x1", "0x2"]
    assert datasets["next"] is None
    first = await node.call("attribution_listDatasets", None, 1)
    assert first["next"] == "0x1"
    rest = await node.call("attribution_listDatasets", first["next"], 1)
    assert first["datasets"] + rest["datasets"] == datasets["datasets"]
    assert await node.call("attribution_getDataset", "0x2") == datasets["datasets"][1]


async def test_a_reorg_takes_back_what_it_unwinds(served: tuple[Market, RpcNode]) -> None:
    market, node = served
    offer = sell(market)
    before = await node.call("attribution_getModelStats", hexed(offer.key))
    head = market.reader.head_header()
    market.append(offer, [record(100)])
    market.mine_all()
    assert await node.call("attribution_getModelStats", hexed(offer.key)) != before
    market.engine.set_heads(unsafe=head.ref)
    assert await node.call("attribution_getModelStats", hexed(offer.key)) == before


async def test_the_economics_of_fifty_queries_of_a_cent(served: tuple[Market, RpcNode]) -> None:
    market, node = served
    market.mine_all()
    plan = ["0.01", 50, 10, 4, 1, ["0.5", "2"]]
    answer = await node.call("attribution_estimateEconomics", *plan, 3000)
    assert answer["incomeUsd"] == "0.5"
    assert [entry["data"] for entry in answer["outcomes"]] == ["asCharged", "blobs", "calldata"] * 2
    closes = {(entry["openUsd"], entry["data"]): entry["closes"] for entry in answer["outcomes"]}
    assert closes["0.5", "blobs"]
    assert not closes["0.5", "calldata"]
    for line, outcome in zip(answer["verdict"], answer["outcomes"], strict=True):
        assert ("closes" if outcome["closes"] else "is a loss") in line


async def test_the_economics_at_other_prices_than_todays(served: tuple[Market, RpcNode]) -> None:
    node = served[1]
    plan = ["0.01", 50, 10, 4, 1]
    answer = await node.call("attribution_estimateEconomics", *plan, ["1", "3000"])
    rows = answer["atOtherPrices"]
    assert [row["name"] for row in rows] == ["quiet", "usual", "dear"] * 2
    assert {row["ethUsd"] for row in rows} == {"3000"}
    usual = rows[1]
    assert (usual["gasPriceWei"], usual["l1BaseFeeWei"]) == (hex(5 * 10**7), hex(10**9))
    assert usual["l1BlobBaseFeeWei"] == hex(10**6)
    assert usual["blobs"] == {"closes": True, "leftUsd": "0.4996", "breakEvenQueries": "0x1"}
    left = {"closes": False, "leftUsd": "-0.01616", "breakEvenQueries": "0x35"}
    assert usual["calldata"] == left
    assert rows[2]["calldata"]["breakEvenQueries"] is None
    calldata = "in calldata it pays at quiet prices and is a loss at usual and dear ones"
    assert answer["otherPricesVerdict"] == [
        f"OPEN at $1 and ETH at $3000: in blobs it pays at each of these prices; {calldata}",
        "OPEN at $3000 and ETH at $3000: in blobs it pays at quiet and usual prices and is a loss "
        f"at dear ones; {calldata}",
    ]
    cheap = await node.call("attribution_estimateEconomics", "0.000001", *plan[1:], "1", 2000)
    assert {row["ethUsd"] for row in cheap["atOtherPrices"]} == {"2000"}
    loss = "is a loss at each of these prices"
    assert f"in calldata it {loss}" in cheap["otherPricesVerdict"][0]


BAD_CALLS: list[tuple[str, list[Any], str]] = [
    ("getHead", ["0x12", "0x1"], "want 40 for an address"),
    ("getHead", ["0x" + "00" * 20, "0x10000000000000000"], "hex number > 64 bits"),
    ("getReceipts", ["0x" + "00" * 20, "0x1", "0x0", 1001], "limit: expected 1 to 1000, got 1001"),
    ("getReceipts", ["0x" + "00" * 20, "0x1", "0x0", 0], "limit: expected 1 to 1000, got 0"),
    ("listModels", ["0x12"], "want 32 for a cursor"),
    ("listModels", [None, 101], "limit: expected 1 to 100"),
    ("getModel", [UNKNOWN], "UnknownModel: there is no model 0xabab"),
    ("getModelStats", [UNKNOWN], "UnknownModel: there is no model 0xabab"),
    ("getPayouts", [UNKNOWN], "UnknownModel: there is no model 0xabab"),
    ("getDataset", ["0x3"], "UnknownDataset: there is no dataset 3, there are 2"),
    ("getDataset", ["0x0"], "UnknownDataset: there is no dataset 0, there are 2"),
    ("getDataset", ["0x100000000"], "hex number > 32 bits"),
    ("getDatasetStats", ["0x3"], "UnknownDataset: there is no dataset 3, there are 2"),
    ("estimateEconomics", ["x", 1, 1, 1, 1, "1"], "expected dollars as a decimal"),
    ("estimateEconomics", ["0", 1, 1, 1, 1, "1"], "expected dollars above 0"),
    ("estimateEconomics", ["1", 0, 1, 1, 1, "1"], "queriesPerMonth: expected 1 to 1000000000"),
    ("estimateEconomics", ["1", 1, 0, 1, 1, "1"], "payers: expected 1 to 1000000"),
    ("estimateEconomics", ["1", 1, 1, 18, 1, "1"], "payees: expected 1 to 17, got 18"),
    ("estimateEconomics", ["1", 1, 1, 1, 0, "1"], "settlementsPerMonth: expected 1 to"),
    ("estimateEconomics", ["1", 1, 1, 1, 1, ["2", "1"]], "expected the lower end first"),
    ("estimateEconomics", ["1", 1, 1, 1, 1, ["1"]], "expected a lower and an upper end"),
]


@pytest.mark.parametrize(("method", "params", "message"), BAD_CALLS)
async def test_bad_input_is_refused_by_name(
    served: tuple[Market, RpcNode], method: str, params: list[Any], message: str
) -> None:
    with pytest.raises(RpcFailure, match=message):
        await served[1].call(f"attribution_{method}", *params)


async def test_a_chain_without_attribution_does_not_have_them() -> None:
    async with serve(rollup_chain()) as node:
        with pytest.raises(RpcFailure, match="does not exist"):
            await node.call("attribution_listModels")
