import json
from typing import Any

import pytest

from node.config import (
    CANCUN_BLOBS,
    DEFAULT_LANE_BLOCK_LIMIT,
    PRAGUE_BLOBS,
    AttributionConfig,
    BlobParameters,
    ChainConfig,
    RollupRules,
    parse_chain_config,
)
from node.errors import ConfigError
from node.types.primitives import ZERO_ADDRESS, hex_address
from tests.node.execution.vectors import vector

ETHEREUM: dict[str, Any] = {"chainId": 900, "cancunTime": 0, "pragueTime": 0}
ROLLUP: dict[str, Any] = {
    "chainId": 901,
    "cancunTime": 0,
    "pragueTime": 0,
    "bedrockBlock": 0,
    "regolithTime": 0,
    "canyonTime": 0,
    "ecotoneTime": 0,
    "fjordTime": 0,
    "graniteTime": 0,
    "holoceneTime": 0,
    "isthmusTime": 0,
    "optimism": {"eip1559Elasticity": 6, "eip1559DenominatorCanyon": 250},
}
MISSING = object()


def changed(raw: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with one field, named by a path with dots, set or taken away."""
    copy: dict[str, Any] = json.loads(json.dumps(raw))
    *parents, name = path.split(".")
    place = copy
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is MISSING:
        place.pop(name, None)
    else:
        place[name] = value
    return copy


def test_an_ethereum_chain() -> None:
    assert parse_chain_config(ETHEREUM) == ChainConfig(
        chain_id=900,
        prague_time=0,
        cancun_blobs=CANCUN_BLOBS,
        prague_blobs=PRAGUE_BLOBS,
        deposit_contract=ZERO_ADDRESS,
        rollup=None,
        attribution=None,
    )


def test_a_rollup() -> None:
    config = parse_chain_config(ROLLUP)
    assert config.rollup == RollupRules(0, 0, None, 6, 250)
    assert config.attribution is None
    assert (config.is_prague(0), config.is_jovian(2**40), config.is_attribution(2**40)) == (
        True,
        False,
        False,
    )
    jovian = parse_chain_config({**ROLLUP, "jovianTime": 0})
    assert jovian.is_jovian(0)
    holocene = parse_chain_config(
        changed(changed(ROLLUP, "pragueTime", MISSING), "isthmusTime", MISSING)
    )
    assert holocene.rollup == RollupRules(0, None, None, 6, 250)
    assert not holocene.is_prague(2**40)


def test_a_rollup_with_receipts() -> None:
    config = parse_chain_config({**ROLLUP, "attributionTime": 7})
    assert config.attribution == AttributionConfig(7, 4, DEFAULT_LANE_BLOCK_LIMIT)
    assert (config.is_attribution(6), config.is_attribution(7)) == (False, True)
    other = {"attributionTime": 0, "attributionCalldataGas": 16, "attributionCalldataLimit": 5}
    assert parse_chain_config({**ROLLUP, **other}).attribution == AttributionConfig(0, 16, 5)


def test_forks_begin_at_their_time() -> None:
    config = parse_chain_config({**ETHEREUM, "pragueTime": 100})
    assert (config.is_prague(99), config.is_prague(100)) == (False, True)
    assert (config.blobs_at(99), config.blobs_at(100)) == (CANCUN_BLOBS, PRAGUE_BLOBS)
    assert not config.is_jovian(10**10)
    never = parse_chain_config({"chainId": 1, "cancunTime": 0, "pragueTime": None})
    assert not never.is_prague(2**63)


def test_other_fields() -> None:
    address = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
    schedule = {"cancun": {"target": 0, "max": 1, "baseFeeUpdateFraction": 5}}
    config = parse_chain_config(
        {**ETHEREUM, "depositContractAddress": address, "blobSchedule": schedule, "ethash": {}}
    )
    assert config.deposit_contract == hex_address(address)
    assert config.cancun_blobs == BlobParameters(0, 1, 5)
    assert config.prague_blobs == PRAGUE_BLOBS
    assert parse_chain_config({**ETHEREUM, "blobSchedule": None}).prague_blobs == PRAGUE_BLOBS


def test_a_file_of_geth() -> None:
    raw = json.loads((vector("l1-prague") / "genesis.json").read_text())
    config = parse_chain_config(raw["config"])
    assert (config.chain_id, config.prague_time) == (3503995874084926, 0)


OLDER = ("homesteadBlock", "eip155Block", "londonBlock", "mergeNetsplitBlock", "shanghaiTime")
NEWER = ("osakaTime", "amsterdamTime", "karstTime", "interopTime")
BAD_TIMES: tuple[Any, ...] = (-1, 1.5, True, "0", 2**64, [])
BAD_BLOBS: dict[str, tuple[Any, ...]] = {
    "target": (MISSING, -1, "3", 10),
    "max": (MISSING, 0, 2, None),
    "baseFeeUpdateFraction": (MISSING, 0, 1.5),
}
WRONG_ANYWHERE: list[tuple[str, Any]] = [
    *(("chainId", value) for value in (MISSING, None, 0, -1, 2**64, "900", 1.0, True)),
    *((name, value) for name in OLDER for value in (1, "0", None, -1)),
    *(("cancunTime", value) for value in (MISSING, None, 1, *BAD_TIMES)),
    *(("pragueTime", value) for value in BAD_TIMES),
    *((name, value) for name in NEWER for value in (0, 5, "x")),
    *(("depositContractAddress", value) for value in ("0x12", 5, [], {}, "0x" + "zz" * 20)),
]
WRONG_ON_ETHEREUM: list[tuple[str, Any]] = [
    ("blobSchedule", 5),
    ("blobSchedule", [1]),
    *((f"blobSchedule.{fork}", 5) for fork in ("cancun", "prague")),
    ("attributionTime", 0),
]
WRONG_ON_A_ROLLUP: list[tuple[str, Any]] = [
    *(
        (name, value)
        for name in ROLLUP
        if name.endswith(("Time", "Block")) and name not in ("pragueTime", "isthmusTime")
        for value in (MISSING, None, 1, "0")
    ),
    *(("isthmusTime", value) for value in (MISSING, None, 1, "0")),
    *(("jovianTime", value) for value in (1, "0", False)),
    ("blobSchedule", {"cancun": {}}),
    *(("optimism", value) for value in (None, 5, [])),
    *(
        (f"optimism.{name}", value)
        for name in ("eip1559Elasticity", "eip1559DenominatorCanyon")
        for value in (MISSING, 0, -1, 2**32, "6")
    ),
    *(("attributionTime", value) for value in BAD_TIMES),
]
WRONG_RECEIPTS: list[tuple[str, Any]] = [
    *(("attributionCalldataGas", value) for value in (3, 17, "4", 4.0)),
    *(("attributionCalldataLimit", value) for value in (0, -1, "1", 2**64)),
]


@pytest.mark.parametrize(
    ("raw", "path", "value"),
    [
        *((ETHEREUM, *wrong) for wrong in WRONG_ANYWHERE + WRONG_ON_ETHEREUM),
        *((ROLLUP, *wrong) for wrong in WRONG_ANYWHERE + WRONG_ON_A_ROLLUP),
        *(({**ROLLUP, "attributionTime": 0}, *wrong) for wrong in WRONG_RECEIPTS),
    ],
)
def test_what_is_wrong_is_named(raw: dict[str, Any], path: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^config\\.{path}: expected .*(, got|missing)") as error:
        parse_chain_config(changed(raw, path, value))
    if value not in (MISSING, None):
        assert repr(value) in str(error.value)


@pytest.mark.parametrize(
    ("fork", "name", "value"),
    [
        (fork, name, value)
        for fork in ("cancun", "prague")
        for name, values in BAD_BLOBS.items()
        for value in values
    ],
)
def test_blob_schedules_that_are_wrong_are_named(fork: str, name: str, value: Any) -> None:
    raw = changed(
        ETHEREUM, f"blobSchedule.{fork}", {"target": 3, "max": 6, "baseFeeUpdateFraction": 7}
    )
    # A target above the maximum shows as a maximum that is too low.
    named = "max" if (name, value) == ("target", 10) else name
    with pytest.raises(ConfigError, match=f"^config\\.blobSchedule\\.{fork}\\.{named}: expected"):
        parse_chain_config(changed(raw, f"blobSchedule.{fork}.{name}", value))


def test_isthmus_brings_prague() -> None:
    with pytest.raises(ConfigError, match=r"isthmusTime: expected pragueTime \(nothing\), got 0"):
        parse_chain_config(changed(ROLLUP, "pragueTime", MISSING))
    with pytest.raises(ConfigError, match=r"isthmusTime: expected pragueTime \(5\), got 0"):
        parse_chain_config({**ROLLUP, "pragueTime": 5})


def test_jovian_needs_isthmus() -> None:
    raw = changed(changed(ROLLUP, "pragueTime", MISSING), "isthmusTime", MISSING)
    with pytest.raises(ConfigError, match="jovianTime: expected nothing without isthmusTime"):
        parse_chain_config({**raw, "jovianTime": 0})
