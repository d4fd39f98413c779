"""rollup.json: in and out, and every way to be wrong."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from consensus.config import (
    RollupConfig,
    parse_rollup_config,
    read_rollup_config,
    rollup_config_to_json,
)
from consensus.l1_info import L1InfoLayout
from node.config import RollupRules
from node.errors import ConfigError
from tests.consensus.rollup import chain_config, rollup_config
from tests.fakes.l1_source import FakeL1

SAMPLE: dict[str, Any] = {
    "genesis": {
        "l1": {"hash": "0x" + "11" * 32, "number": 7},
        "l2": {"hash": "0x" + "22" * 32, "number": 0},
        "l2_time": 1700000000,
        "system_config": {
            "batcherAddr": "0x6887246668a3b87F54DeB3b94Ba47a6f63F32985",
            "overhead": "0x" + "00" * 32,
            "scalar": "0x01" + "00" * 23 + "000c5fc5" + "00000558",
            "gasLimit": 60000000,
            "eip1559Params": "0x000000fa00000006",
            "operatorFeeParams": "0x" + "00" * 20 + "00000001" + "0000000000000002",
            "minBaseFee": 5,
            "daFootprintGasScalar": 312,
        },
    },
    "block_time": 2,
    "max_sequencer_drift": 600,
    "seq_window_size": 3600,
    "channel_timeout": 300,
    "l1_chain_id": 1,
    "l2_chain_id": 901,
    "regolith_time": 0,
    "canyon_time": 0,
    "delta_time": 0,
    "ecotone_time": 0,
    "fjord_time": 0,
    "granite_time": 0,
    "holocene_time": 0,
    "isthmus_time": 0,
    "jovian_time": 0,
    "batch_inbox_address": "0xFF00000000000000000000000000000000000010",
    "deposit_contract_address": "0xbEb5Fc579115071764c7423A4f12eDde41f106Ed",
    "l1_system_config_address": "0x229047fed2591dbec1eF1118d64F7aF3dB9EB290",
    "protocol_versions_address": "0x8062AbC286f5e7D9428a0Ccb9AbD71e50d93b935",
    "chain_op_config": {
        "eip1559Elasticity": 6,
        "eip1559Denominator": 50,
        "eip1559DenominatorCanyon": 250,
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the sample with one field set, or removed for `...`."""
    raw = copy.deepcopy(SAMPLE)
    target = raw
    *parents, last = path.split(".")
    for name in parents:
        target = target[name]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return raw


def test_round_trip_of_the_file() -> None:
    config = parse_rollup_config(SAMPLE)
    assert orjson.dumps(rollup_config_to_json(config), option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        SAMPLE, option=orjson.OPT_SORT_KEYS
    )
    system = config.genesis.system_config
    assert (system.base_fee_scalar, system.blob_base_fee_scalar) == (0x558, 0xC5FC5)
    assert (system.eip1559_denominator, system.eip1559_elasticity) == (250, 6)
    assert (system.operator_fee_scalar, system.operator_fee_constant) == (1, 2)


@pytest.mark.parametrize("jovian", [False, True])
def test_round_trip_of_the_config(jovian: bool) -> None:
    config = rollup_config(FakeL1(), jovian=jovian)
    assert parse_rollup_config(rollup_config_to_json(config)) == config


def test_fields_that_may_be_left_out() -> None:
    raw = copy.deepcopy(SAMPLE)
    for name in ("eip1559Params", "operatorFeeParams", "minBaseFee", "daFootprintGasScalar"):
        del raw["genesis"]["system_config"][name]
    for name in ("jovian_time", "isthmus_time", "protocol_versions_address"):
        del raw[name]
    config = parse_rollup_config(raw)
    assert config.protocol_versions is None
    assert config.genesis.system_config.eip1559_denominator == 0
    assert config.l1_info_layout(10**10) is L1InfoLayout.ECOTONE


def test_layout_follows_the_forks() -> None:
    config = rollup_config(FakeL1())
    assert config.l1_info_layout(0) is L1InfoLayout.ISTHMUS
    assert replace(config, jovian_time=0).l1_info_layout(0) is L1InfoLayout.JOVIAN


def test_bedrock_scalar() -> None:
    raw = changed("genesis.system_config.scalar", "0x" + "00" * 28 + "00000558")
    system = parse_rollup_config(raw).genesis.system_config
    assert (system.base_fee_scalar, system.blob_base_fee_scalar) == (0x558, 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("genesis", []),
        ("genesis.l1", ...),
        ("genesis.l1.hash", "0x" + "00" * 32),
        ("genesis.l1.hash", "11" * 32),
        ("genesis.l1.hash", "0x" + "11" * 31),
        ("genesis.l1.hash", "0x" + "zz" * 32),
        ("genesis.l1.hash", "0x" + "11" * 31 + " 1"),
        ("genesis.l1.number", "7"),
        ("genesis.l1.time", 1),
        ("genesis.l2.hash", "0x" + "11" * 32),
        ("genesis.l2.number", -1),
        ("genesis.l2_time", 0),
        ("genesis.extra", 1),
        ("genesis.system_config", None),
        ("genesis.system_config.batcherAddr", "0x" + "00" * 20),
        ("genesis.system_config.batcherAddr", "0x" + "00" * 19),
        ("genesis.system_config.overhead", "0x" + "00" * 31 + "01"),
        ("genesis.system_config.scalar", "0x" + "00" * 32),
        ("genesis.system_config.scalar", "0x02" + "00" * 31),
        ("genesis.system_config.scalar", "0x0001" + "00" * 30),
        ("genesis.system_config.scalar", ...),
        ("genesis.system_config.gasLimit", 0),
        ("genesis.system_config.gasLimit", ...),
        ("genesis.system_config.eip1559Params", "0x000000fa00000000"),
        ("genesis.system_config.eip1559Params", "0x00"),
        ("genesis.system_config.operatorFeeParams", "0x01" + "00" * 31),
        ("genesis.system_config.minBaseFee", -1),
        ("genesis.system_config.daFootprintGasScalar", 2**16),
        ("genesis.system_config.surprise", 1),
        ("block_time", 0),
        ("block_time", True),
        ("block_time", 2.0),
        ("max_sequencer_drift", 0),
        ("seq_window_size", 1),
        ("channel_timeout", 0),
        ("l1_chain_id", 0),
        ("l2_chain_id", 1),
        ("l2_chain_id", 2**64),
        ("regolith_time", ...),
        ("canyon_time", 5),
        ("delta_time", None),
        ("holocene_time", 1),
        ("isthmus_time", 1),
        ("isthmus_time", ...),
        ("jovian_time", 1700000000),
        ("karst_time", 0),
        ("interop_time", 0),
        ("pectra_blob_schedule_time", 0),
        ("alt_da", {}),
        ("batch_inbox_address", "0x" + "00" * 20),
        ("deposit_contract_address", ...),
        ("l1_system_config_address", "0x" + "00" * 20),
        ("chain_op_config", ...),
        ("chain_op_config.eip1559Elasticity", 0),
        ("chain_op_config.eip1559Denominator", ...),
        ("chain_op_config.eip1559DenominatorCanyon", 2**32),
        ("chain_op_config.more", 1),
        ("surprise", 1),
    ],
)
def test_refusals_name_the_field(path: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rollup_config(changed(path, value))
    assert str(caught.value).startswith(f"{path}: ") or str(caught.value).startswith(f"{path}.")


@pytest.mark.parametrize("raw", [None, [], "text", 5])
def test_not_an_object(raw: Any) -> None:
    with pytest.raises(ConfigError, match="expected an object"):
        parse_rollup_config(raw)


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "rollup.json"
    path.write_bytes(orjson.dumps(SAMPLE))
    assert read_rollup_config(path) == parse_rollup_config(SAMPLE)
    path.write_bytes(orjson.dumps(changed("block_time", 0)))
    with pytest.raises(ConfigError, match=r"rollup\.json: block_time: expected"):
        read_rollup_config(path)
    path.write_text("{")
    with pytest.raises(ConfigError, match="expected JSON"):
        read_rollup_config(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rollup_config(tmp_path / "absent.json")


def test_agreement_with_the_execution_layer() -> None:
    config = rollup_config(FakeL1(), jovian=True)
    config.check_against(chain_config(config))


def _rules(**changes: Any) -> Callable[[RollupRules], RollupRules]:
    return lambda rules: replace(rules, **changes)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (_rules(holocene_time=5), "holocene_time"),
        (_rules(isthmus_time=5), "isthmus_time"),
        (_rules(jovian_time=0), "jovian_time"),
        (_rules(eip1559_elasticity=2), "chain_op_config.eip1559Elasticity"),
        (_rules(eip1559_denominator=50), "chain_op_config.eip1559DenominatorCanyon"),
    ],
)
def test_disagreement_names_the_field(
    change: Callable[[RollupRules], RollupRules], name: str
) -> None:
    config = rollup_config(FakeL1())
    chain = chain_config(config)
    assert chain.rollup is not None
    with pytest.raises(ConfigError) as caught:
        config.check_against(replace(chain, rollup=change(chain.rollup)))
    assert str(caught.value).startswith(f"{name}: ")


def test_other_chains_are_refused() -> None:
    config: RollupConfig = rollup_config(FakeL1())
    with pytest.raises(ConfigError, match=r"l2_chain_id: .* 901, .* 5"):
        config.check_against(replace(chain_config(config), chain_id=5))
    with pytest.raises(ConfigError, match="optimism"):
        config.check_against(replace(chain_config(config), rollup=None))
