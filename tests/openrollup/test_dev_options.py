import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.config import AttributionConfig
from node.errors import ConfigError
from node.genesis.dev_chains import l2_genesis
from openrollup.dev_options import DevOptions
from tests.consensus.rollup import rollup_config
from tests.fakes.l1_source import FakeL1

FREE = DevOptions(l1_port=0, port=0, verifier_port=0)
STOCK = l2_genesis(chain_id=901, timestamp=1).config
OUTSIDE: dict[str, Any] = {"l1_url": "http://l1:8545", "key_file": Path("key")}


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"automine": True, "l1_block_time_s": 2},
        OUTSIDE,
        {**OUTSIDE, "block_time_s": 2},
    ],
    ids=str,
)
def test_what_goes_together(changed: dict[str, Any]) -> None:
    replace(FREE, **changed).check()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"l1_url": "http://l1"}, "--key-file: expected beside --l1"),
        ({"key_file": Path("key")}, "--key-file: goes with --l1"),
        ({"l1_beacon_url": "http://beacon"}, "--l1-beacon: goes with --l1"),
        ({"l1_trust_rpc": True}, "--l1-trust-rpc: goes with --l1"),
        ({"l1_rate_limit": 5}, "--l1-rate-limit: goes with --l1"),
        ({"l1_chain": Path("l1-chain.json")}, "--l1-chain: goes with --l1"),
        ({**OUTSIDE, "automine": True}, "--automine: the clock of an outside L1"),
        ({**OUTSIDE, "l1_block_time_s": 2}, "--l1-block-time: an outside L1 has its own"),
        ({"port": 4000, "verifier_port": 4000}, "--verifier-port: 4000 is the port of --port"),
        ({"port": 8545, "l1_port": None}, "--l1-port: 8545 is the port of --port already"),
    ],
    ids=str,
)
def test_what_does_not(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match="^" + said):
        replace(FREE, **changed).check()


@pytest.mark.parametrize(
    ("field", "flag"),
    [("l1_port", "--l1-port"), ("port", "--port"), ("verifier_port", "--verifier-port")],
)
def test_a_taken_port_is_named(taken: int, field: str, flag: str) -> None:
    changed: dict[str, Any] = {field: taken}
    options = replace(FREE, **changed)
    with pytest.raises(ConfigError, match=f"^{flag}: cannot listen on 127.0.0.1:{taken}, choose"):
        options.check()


def test_the_port_of_an_l1_that_is_not_ours_may_be_taken(taken: int) -> None:
    replace(FREE, l1_port=taken, **OUTSIDE).check()


def test_a_folder_stays_with_the_l1_that_it_was_made_on(tmp_path: Path) -> None:
    options = replace(FREE, datadir=tmp_path)
    options.check()
    replace(options, **OUTSIDE).check()
    (tmp_path / "rollup.json").write_text("{}")
    replace(options, **OUTSIDE).check()
    with pytest.raises(ConfigError, match=r"^--l1: .* was made on an outside L1: give its URL"):
        options.check()
    (tmp_path / "l1").mkdir()
    options.check()
    with pytest.raises(ConfigError, match=r"^--l1: .* was made with an embedded L1: leave --l1"):
        replace(options, **OUTSIDE).check()


def test_what_is_stored_and_what_is_asked(tmp_path: Path) -> None:
    rollup = rollup_config(FakeL1())
    options = replace(FREE, datadir=tmp_path)
    gas_limit = rollup.genesis.system_config.gas_limit
    options.check_against(rollup, STOCK)
    same = replace(options, block_time_s=rollup.block_time, gas_limit=gas_limit)
    same.check_against(rollup, STOCK)
    with pytest.raises(ConfigError, match=r"^--block-time: the rollup in .* made with 2, got 3: l"):
        replace(options, block_time_s=3).check_against(rollup, STOCK)
    with pytest.raises(ConfigError, match=r"^--gas-limit: the rollup in .* got 1: leave the flag"):
        replace(options, gas_limit=1).check_against(rollup, STOCK)


def test_attribution_is_chosen_once(tmp_path: Path) -> None:
    rollup = rollup_config(FakeL1())
    stock = replace(FREE, datadir=tmp_path, attribution=False)
    stock.check_against(rollup, STOCK)
    replace(stock, attribution=True).check_against(rollup, STOCK)
    ours = replace(STOCK, attribution=AttributionConfig(0, 4, 1 << 20))
    replace(stock, attribution=True).check_against(rollup, ours)
    with pytest.raises(ConfigError, match=r"^--no-attribution: the rollup in .* with attribution"):
        stock.check_against(rollup, ours)
