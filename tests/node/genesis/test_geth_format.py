import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config import AttributionConfig
from node.errors import ConfigError
from node.genesis import (
    Genesis,
    genesis_block,
    genesis_to_json,
    l1_dev_genesis,
    l2_genesis,
    parse_genesis,
    read_genesis,
)

VECTOR = Path(__file__).parents[3] / "../shared/vectors/l1-prague"

ROLLUP = l2_genesis(
    chain_id=901, timestamp=1_700_000_000, attribution=AttributionConfig(0, 4, 1 << 20)
)
JOVIAN = l2_genesis(chain_id=901, timestamp=1_700_000_000, min_base_fee=7)
ETHEREUM = l1_dev_genesis(timestamp=1_700_000_000)


@pytest.mark.parametrize("genesis", [ROLLUP, JOVIAN, ETHEREUM], ids=["rollup", "jovian", "l1"])
def test_round_trip(genesis: Genesis, tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(genesis_to_json(genesis)))
    assert read_genesis(path) == genesis
    assert genesis_block(read_genesis(path)).block.hash == genesis_block(genesis).block.hash


def test_a_file_that_geth_wrote_survives_a_round_trip() -> None:
    if not VECTOR.exists():
        pytest.skip("the folder with public test vectors is absent")
    genesis = read_genesis(VECTOR / "genesis.json")
    assert genesis.nonce == bytes(8)
    assert genesis.difficulty == 0x20000
    assert parse_genesis(genesis_to_json(genesis)) == genesis


def minimal() -> dict[str, Any]:
    return {
        "config": {"chainId": 5, "cancunTime": 0, "pragueTime": 0},
        "gasLimit": "0x1c9c380",
        "difficulty": "0x0",
        "alloc": {"00" * 19 + "aa": {"balance": "1"}},
    }


def test_what_may_be_left_out_has_geths_defaults() -> None:
    genesis = parse_genesis(minimal())
    assert genesis.base_fee == 10**9
    assert (genesis.timestamp, genesis.extra_data, genesis.coinbase) == (0, b"", bytes(20))
    assert genesis.alloc[next(iter(genesis.alloc))].balance == 1


@pytest.mark.parametrize("name", ["config", "gasLimit", "difficulty", "alloc"])
def test_a_missing_field_is_named(name: str) -> None:
    raw = minimal()
    del raw[name]
    with pytest.raises(ConfigError, match=f"^{name}: "):
        parse_genesis(raw)


ADDRESS = "00" * 19 + "aa"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("gasLimit",), "0x"),
        (("gasLimit",), "0x10000000000000000"),
        (("gasLimit",), True),
        (("timestamp",), "-1"),
        (("timestamp",), "1_0"),
        (("timestamp",), "0x 1"),
        (("timestamp",), 1.5),
        (("nonce",), "0xzz"),
        (("extraData",), "0x123"),
        (("extraData",), "abcd"),
        (("extraData",), "0x12 34"),
        (("mixHash",), "0x12"),
        (("coinbase",), "0x" + "00" * 21),
        (("number",), "0x1"),
        (("difficulty",), []),
        (("baseFeePerGas",), "0x1" + "00" * 32),
        (("baseFee",), "0x1"),
        (("stateHash",), "0x" + "00" * 32),
        (("config",), []),
        (("config", "chainId"), 0),
        (("alloc",), []),
        (("alloc", "0x12"), {"balance": "0x0"}),
        (("alloc", "0x" + ADDRESS), {"balance": "0x0"}),
        (("alloc", ADDRESS), "rich"),
        (("alloc", ADDRESS, "balance"), None),
        (("alloc", ADDRESS, "balance"), "0x1" + "00" * 32),
        (("alloc", ADDRESS, "nonce"), "0x10000000000000000"),
        (("alloc", ADDRESS, "code"), "6000"),
        (("alloc", ADDRESS, "cod"), "0x6000"),
        (("alloc", ADDRESS, "storage"), {"0x" + "00" * 33: "0x1"}),
        (("alloc", ADDRESS, "storage"), {"0x1": 5}),
        (("alloc", ADDRESS, "storage"), {"0x1": "0x1", "0x01": "0x2"}),
        (("alloc", ADDRESS, "storage"), {"zz": "0x1"}),
    ],
)
def test_a_wrong_field_is_named(path: tuple[str, ...], value: object) -> None:
    raw = copy.deepcopy(minimal())
    place = raw
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(ConfigError) as caught:
        parse_genesis(raw)
    assert str(caught.value).startswith(".".join(path))


def test_storage_is_padded_like_geths() -> None:
    raw = minimal()
    raw["alloc"][ADDRESS]["storage"] = {"0x1": "0x0a", "2": "b"}
    (account,) = parse_genesis(raw).alloc.values()
    assert account.storage == {1: 10, 2: 11}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=range(4))
def test_a_file_that_is_not_json(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"genesis\.json: expected JSON"):
        read_genesis(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_genesis(tmp_path / "absent.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*genesis_to_json(ETHEREUM), "alloc.storage", "alloc.balance"]), JSON)
def test_no_content_causes_another_error(name: str, value: object) -> None:
    raw = minimal()
    if name.startswith("alloc."):
        raw["alloc"][ADDRESS][name.removeprefix("alloc.")] = value
    elif name == "config":
        raw["config"]["chainId"] = value
    else:
        raw[name] = value
    with contextlib.suppress(ConfigError):
        parse_genesis(raw)


@pytest.mark.parametrize("account", [None, {"nonce": "0x1"}, {"code": "0xfe"}, {"balance": "0x1"}])
def test_receipts_need_their_account(account: dict[str, str] | None) -> None:
    raw = genesis_to_json(ROLLUP)
    address = next(key for key in raw["alloc"] if key.endswith("0a77"))
    raw["alloc"] = {key: value for key, value in raw["alloc"].items() if key != address}
    if account is not None:
        raw["alloc"][address] = {"balance": "0x0", **account}
    with pytest.raises(ConfigError, match=r"^config\.attributionTime: expected 0x0+a77 in alloc"):
        parse_genesis(raw)
    raw["config"] = {name: value for name, value in raw["config"].items() if "attr" not in name}
    parse_genesis(raw)
