"""System config updates out of L1 events."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.l1.config_updates import CONFIG_UPDATE_TOPIC, apply_config_updates
from consensus.system_config import SystemConfig, encode_scalar
from node.types.primitives import Hash32, hex_address
from node.types.receipt import Log, Receipt, logs_bloom
from tests.consensus.rollup import BATCHER, SYSTEM_CONFIG_CONTRACT, config_log, word

BEFORE = SystemConfig(
    batcher=BATCHER,
    base_fee_scalar=1,
    blob_base_fee_scalar=2,
    gas_limit=30_000_000,
    eip1559_denominator=250,
    eip1559_elasticity=6,
)
NEW_BATCHER = hex_address("0x" + "ba" * 20)


def apply(*logs: Log, status: int = 1) -> tuple[SystemConfig, list[str]]:
    receipts = [Receipt(2, status, 0, 0, logs, logs_bloom(logs))]
    applied = apply_config_updates(BEFORE, receipts, SYSTEM_CONFIG_CONTRACT)
    return applied.config, [f"{s.log_index}: {s.reason}" for s in applied.skipped]


def test_topic() -> None:
    expected = "1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be"
    assert CONFIG_UPDATE_TOPIC.hex() == expected


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        (0, bytes(12) + NEW_BATCHER, replace(BEFORE, batcher=NEW_BATCHER)),
        (
            1,
            word(188) + encode_scalar(7, 8),
            replace(BEFORE, base_fee_scalar=7, blob_base_fee_scalar=8),
        ),
        (1, bytes(32) + word(9), replace(BEFORE, base_fee_scalar=9, blob_base_fee_scalar=0)),
        (2, word(60_000_000), replace(BEFORE, gas_limit=60_000_000)),
        (3, b"whatever", BEFORE),
        (
            4,
            word(100 << 32 | 5),
            replace(BEFORE, eip1559_denominator=100, eip1559_elasticity=5),
        ),
        (4, word(0), replace(BEFORE, eip1559_denominator=0, eip1559_elasticity=0)),
        (
            5,
            word(3 << 64 | 4),
            replace(BEFORE, operator_fee_scalar=3, operator_fee_constant=4),
        ),
        (6, word(10**9), replace(BEFORE, min_base_fee=10**9)),
        (7, word(312), replace(BEFORE, da_footprint_gas_scalar=312)),
    ],
)
def test_each_type(kind: int, payload: bytes, expected: SystemConfig) -> None:
    assert apply(config_log(kind, payload)) == (expected, [])


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (config_log(0, b"\x01" + bytes(31)), "batcher: expected a value of 20 bytes"),
        (config_log(0, bytes(20)), "expected offset 32 and length 32, got 32 and 20"),
        (config_log(1, word(1)), "fee scalars: expected 128 bytes of event data"),
        (config_log(1, word(0) + b"\x02" + bytes(31)), "expected version 0 or 1"),
        (config_log(2, word(2**64)), "gas limit: expected a value of 8 bytes"),
        (config_log(4, word(5)), "expected both zero or neither, got denominator 0"),
        (config_log(4, word(5 << 32)), "expected both zero or neither, got denominator 5"),
        (config_log(6, word(2**64)), "minimum base fee: expected a value of 8 bytes"),
        (config_log(7, word(2**16)), "DA footprint gas scalar: expected a value of 2 bytes"),
        (config_log(8, word(0)), "expected a type up to 7, got 8"),
        (replace(config_log(2, word(5)), topics=config_log(2, b"").topics[:2]), "3 topics, got 2"),
        (
            replace(
                config_log(2, word(5)),
                topics=(CONFIG_UPDATE_TOPIC, Hash32(word(1)), Hash32(word(2))),
            ),
            "expected version 0",
        ),
    ],
)
def test_bad_updates_are_skipped_one_by_one(log: Log, message: str) -> None:
    good = config_log(2, word(42))
    config, skipped = apply(good, log, config_log(6, word(43)))
    assert config == replace(BEFORE, gas_limit=42, min_base_fee=43)
    (reason,) = skipped
    assert message in reason
    assert reason.startswith("1: ")


def test_the_last_update_wins() -> None:
    config, _ = apply(config_log(2, word(1)), config_log(2, word(2)))
    assert config.gas_limit == 2


def test_only_successful_events_of_the_contract_count() -> None:
    log = config_log(2, word(42))
    assert apply(log, status=0) == (BEFORE, [])
    assert apply(replace(log, address=NEW_BATCHER)) == (BEFORE, [])
    assert apply(replace(log, topics=(Hash32(word(1)), *log.topics[1:]))) == (BEFORE, [])
    assert apply(replace(log, topics=())) == (BEFORE, [])


@given(st.integers(0, 9), st.binary(max_size=130))
def test_hostile_data(kind: int, data: bytes) -> None:
    log = replace(config_log(kind, b""), data=data)
    config, skipped = apply(log)
    assert (config == BEFORE) or not skipped
