"""`openrollup attribution stats` and `economics` against a node."""

import argparse
import json
from collections.abc import AsyncIterator

import pytest

from node.errors import InvalidInput, OperationRefused, TemporaryError
from openrollup.arguments import ArgumentParser
from openrollup.attribution.economics import EconomicsOptions, run_economics
from openrollup.attribution.number_commands import add_economics, add_stats
from openrollup.attribution.stats import StatsOptions, run_stats
from openrollup.command import options_of
from tests.attribution.market import AUTHOR, LOGGER, OWNER, Market, Offer, account, record
from tests.rpc.chain import RpcNode, rollup_chain, serve

ANNA = account("anna")


@pytest.fixture
async def served() -> AsyncIterator[tuple[Offer, RpcNode]]:
    market = Market()
    async with serve(market) as node:
        market.fund(OWNER, LOGGER, AUTHOR, ANNA)
        market.register_dataset()
        offer = market.register_model()
        market.mine_all()
        market.deposit(offer, ANNA, 10**6)
        market.append(offer, [record(100_000, d1=6000)] * 3)
        market.mine_all()
        market.charge(offer, [1], [market.voucher(offer, ANNA, 200_000)])
        market.mine_all()
        yield offer, node


def parse(*words: str) -> argparse.Namespace:
    """Read a command line behind `openrollup attribution`."""
    parser = ArgumentParser()
    actions = parser.add_subparsers(required=True)
    add_stats(actions)
    add_economics(actions)
    return parser.parse_args(words)


async def run(url: str, action: str, *words: str) -> int:
    """Run a command on the loop of the test."""
    arguments = parse(action, "--l2", url, *words)
    if action == "stats":
        return await run_stats(options_of(StatsOptions, arguments))
    return await run_economics(options_of(EconomicsOptions, arguments))


async def test_a_models_numbers_as_a_table(
    served: tuple[Offer, RpcNode], capsys: pytest.CaptureFixture[str]
) -> None:
    offer, node = served
    assert await run(node.url, "stats", "--model", "0x" + offer.key.hex()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"model 0x{offer.key.hex()}, as of L2 block ")
    shown = {line[:28].strip(): line[28:].split() for line in lines if len(line) > 28}
    assert shown["receipts"] == ["3"]
    assert shown["median price"] == ["0.0001", "OPEN"]
    assert shown["unattributed share"] == ["40.0", "%"]
    assert shown["settled volume"] == ["0.0002", "OPEN"] * 2
    assert any("gateway's word" in line for line in lines)
    assert any(line.startswith("rules, version 1") for line in lines)


async def test_a_datasets_numbers_as_json(
    served: tuple[Offer, RpcNode], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(served[1].url, "stats", "--dataset", "1", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["receipts"]["receipts"] == "0x3"
    assert answer["payments"]["raw"]["payers"] == "0x1"


async def test_the_economics_as_a_table_and_as_json(
    served: tuple[Offer, RpcNode], capsys: pytest.CaptureFixture[str]
) -> None:
    node = served[1]
    options = ("--open-usd", "0.5", "2", "--eth-usd", "3000")
    assert await run(node.url, "economics", *options) == 0
    text = capsys.readouterr().out
    assert "50 queries at $0.01 from 10 payers, shared by 4" in text
    assert "it closes on blobs" in text
    assert "it is a loss on calldata" in text
    assert text.count("in calldata it pays at quiet prices and is a loss at usual and dear") == 2
    assert "left together, OPEN at $0.5, ETH at $3000" in text
    (usual, _) = (line.split() for line in text.splitlines() if line.startswith("usual "))
    assert usual[1:4] == ["0.05", "1", "0.001"]
    assert usual[5:] == ["1", "-0.01614", "53"]
    assert await run(node.url, "economics", *options, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["outcomes"]) == 6


async def test_what_a_node_refuses_is_said_in_its_words(served: tuple[Offer, RpcNode]) -> None:
    node = served[1]
    with pytest.raises(InvalidInput, match="UnknownModel: there is no model 0xabab"):
        await run(node.url, "stats", "--model", "0x" + "ab" * 32)
    with pytest.raises(InvalidInput, match="UnknownDataset: there is no dataset 9, there are 1"):
        await run(node.url, "stats", "--dataset", "9")
    with pytest.raises(InvalidInput, match="payees: expected 1 to 17, got 18"):
        await run(node.url, "economics", "--payees", "18")


async def test_a_chain_without_attribution_is_told_apart() -> None:
    async with serve(rollup_chain()) as node:
        with pytest.raises(OperationRefused, match="its chain is without attribution"):
            await run(node.url, "stats", "--dataset", "1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stats", "--l2", "here"], "expected http://HOST:PORT"),
        (["stats", "--l2", "http://127.0.0.1:1"], "one of the arguments --model --dataset"),
        (["stats", "--l2", "http://127.0.0.1:1", "--model", "0x12"], "expected 32 bytes"),
        (["economics", "--l2", "http://127.0.0.1:1", "--price", "cheap"], "dollars as a decimal"),
        (["economics", "--l2", "http://127.0.0.1:1", "--queries", "0"], "expected"),
    ],
)
def test_bad_usage_is_told_in_a_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(*words)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


async def test_a_node_that_is_away_is_named() -> None:
    with pytest.raises(TemporaryError, match=r"127\.0\.0\.1:1"):
        await run("http://127.0.0.1:1", "stats", "--dataset", "1")
