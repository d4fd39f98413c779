"""L1's blob fee schedule."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from consensus.l1.chain_config import (
    L1ChainConfig,
    parse_l1_chain_config,
    read_l1_chain_config,
)
from node.errors import ConfigError, CriticalError
from node.types.block import Header
from tests.fakes.l1_source import FakeL1

SAMPLE: dict[str, Any] = {
    "chainId": 900,
    "homesteadBlock": 0,
    "terminalTotalDifficulty": 0,
    "shanghaiTime": 0,
    "cancunTime": 0,
    "pragueTime": 1000,
    "osakaTime": 2000,
    "bpo1Time": 3000,
    "blobSchedule": {
        "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
        "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716},
        "osaka": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716},
        "bpo1": {"target": 10, "max": 15, "baseFeeUpdateFraction": 8346193},
    },
}


async def header(timestamp: int, excess_blob_gas: int) -> Header:
    l1 = FakeL1()
    original = await l1.header(l1.head.hash)
    return replace(original, timestamp=timestamp, excess_blob_gas=excess_blob_gas)


@pytest.mark.parametrize(
    ("timestamp", "excess", "fee"),
    [
        (0, 0, 1),
        (999, 2314057, 1),
        (999, 2314058, 2),
        (999, 10 * 2**20, 23),
        (1000, 10 * 2**20, 8),
        (2999, 10 * 2**20, 8),
        (3000, 10 * 2**20, 3),
    ],
)
async def test_fee_follows_the_fork(timestamp: int, excess: int, fee: int) -> None:
    config = parse_l1_chain_config(SAMPLE)
    assert config.blob_base_fee(await header(timestamp, excess)) == fee


async def test_fee_before_blobs() -> None:
    config = parse_l1_chain_config({**SAMPLE, "cancunTime": 500})
    assert config.blob_base_fee(await header(499, 10**7)) == 1


async def test_impossible_fees_are_refused() -> None:
    config = parse_l1_chain_config(SAMPLE)
    limit = 177 * 3338477
    assert config.blob_base_fee(await header(0, limit)) < 2**256
    with pytest.raises(CriticalError, match="excessBlobGas: expected at most"):
        config.blob_base_fee(await header(0, 2**64 - 1))


def test_schedules_without_a_time_are_unused() -> None:
    config = parse_l1_chain_config({**SAMPLE, "bpo1Time": None})
    assert [fork.name for fork in config.blob_forks] == ["cancun", "prague", "osaka"]


def test_osaka_may_keep_the_schedule() -> None:
    schedule = {k: v for k, v in SAMPLE["blobSchedule"].items() if k != "osaka"}
    config = parse_l1_chain_config({**SAMPLE, "blobSchedule": schedule})
    assert [fork.name for fork in config.blob_forks] == ["cancun", "prague", "bpo1"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"chainId": None}, "chainId"),
        ({"chainId": 0}, "chainId"),
        ({"blobSchedule": None}, "blobSchedule"),
        ({"cancunTime": "0"}, "cancunTime"),
        (
            {"cancunTime": None, "pragueTime": None, "osakaTime": None, "bpo1Time": None},
            "cancunTime",
        ),
        ({"bpo2Time": 4000}, "blobSchedule.bpo2"),
        ({"pragueTime": 2500}, "blobSchedule"),
        ({"optimism": {}}, "optimism"),
        ({"blobSchedule": {**SAMPLE["blobSchedule"], "prague": {}}}, "blobSchedule.prague.target"),
        ({"blobSchedule": {**SAMPLE["blobSchedule"], "tokyo": {}}}, "blobSchedule.tokyo"),
        (
            {"blobSchedule": {"cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 0}}},
            "blobSchedule.cancun.baseFeeUpdateFraction",
        ),
    ],
)
def test_refusals_name_the_field(change: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_l1_chain_config({**SAMPLE, **change})
    assert str(caught.value).startswith(f"{name}: ")


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "l1-chain.json"
    path.write_bytes(orjson.dumps(SAMPLE))
    config = read_l1_chain_config(path)
    assert config == parse_l1_chain_config(SAMPLE)
    assert isinstance(config, L1ChainConfig)
    path.write_text("nonsense")
    with pytest.raises(ConfigError, match="expected JSON"):
        read_l1_chain_config(path)
    path.write_text("{}")
    with pytest.raises(ConfigError, match=r"l1-chain\.json: blobSchedule: expected"):
        read_l1_chain_config(path)
