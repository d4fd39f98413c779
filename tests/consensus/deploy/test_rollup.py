from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from eth_abi.abi import decode, encode

from consensus.config import read_rollup_config
from consensus.deploy import (
    L1Contracts,
    RollupStart,
    default_batch_inbox,
    make_rollup,
    read_addresses,
    write_rollup,
)
from consensus.deploy.rollup import make_genesis
from consensus.l1.chain_config import parse_l1_chain_config, read_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.known_chains import l1_chain_json
from node.config import AttributionConfig
from node.errors import ConfigError
from node.genesis.dev_chains import l2_genesis
from node.genesis.genesis import genesis_block
from node.genesis.geth_format import read_genesis
from node.genesis.predeploy_settings import PredeploySettings
from node.types.primitives import (
    ZERO_ADDRESS,
    Address,
    checksum_address,
    hex_address,
    keccak256,
)
from tests.consensus.deploy.scene import BATCHER, DEPLOYER, HOLDER, SETTINGS, DevL1
from tests.fakes.l1_source import FakeL1

CONTRACTS = L1Contracts(*(Address(bytes([n]) * 20) for n in range(1, 7)))


async def _read(l1: L1Client, contract: Address, signature: str, kind: str) -> object:
    output = await l1.call(contract, keccak256(signature.encode())[:4])
    return decode([kind], output)[0]


async def _balance(l1: L1Client, token: Address, owner: Address) -> int:
    question = keccak256(b"balanceOf(address)")[:4] + encode(["address"], [owner])
    return int.from_bytes(await l1.call(token, question))


async def test_contracts_hold_what_the_configuration_says(l1: DevL1) -> None:
    async with l1.mining():
        rollup = await l1.deploy(None)
    client = l1.client
    contracts, config = rollup.contracts, rollup.config
    portal, system = contracts.optimism_portal, contracts.system_config
    assert await _read(client, system, "batcherHash()", "bytes32") == bytes(12) + BATCHER
    assert await _read(client, system, "owner()", "address") == "0x" + DEPLOYER.hex()
    assert await _read(client, system, "gasLimit()", "uint64") == 30_000_000
    assert await _read(client, system, "basefeeScalar()", "uint32") == 1368
    assert await _read(client, system, "blobbasefeeScalar()", "uint32") == 810949
    assert await _read(client, system, "optimismPortal()", "address") == "0x" + portal.hex()
    inbox = await _read(client, system, "batchInbox()", "address")
    assert inbox == "0x" + config.batch_inbox.hex()
    token = contracts.open_token
    assert await _read(client, portal, "openToken()", "address") == "0x" + token.hex()
    held = [await _balance(client, token, owner) for owner in (DEPLOYER, portal)]
    assert held == [SETTINGS.open_supply - SETTINGS.locked, SETTINGS.locked]
    assert rollup.genesis.alloc[HOLDER].balance == SETTINGS.locked > 0
    oracle = contracts.l2_output_oracle
    assert await _read(client, portal, "l2Oracle()", "address") == "0x" + oracle.hex()
    assert await _read(client, system, "l2OutputOracle()", "address") == "0x" + oracle.hex()
    assert await _read(client, oracle, "PROPOSER()", "address") == "0x" + DEPLOYER.hex()
    assert await _read(client, oracle, "startingBlockNumber()", "uint256") == 0
    assert await _read(client, oracle, "startingTimestamp()", "uint256") == config.genesis.l2_time
    head = await client.block_ref_by_label("latest")
    # The oracle's own block is the only one after the rollup's beginning.
    begin = await client.header(config.genesis.l1.hash)
    assert (begin.ref, begin.timestamp) == (config.genesis.l1, config.genesis.l2_time)
    assert begin.hash == (await client.header(head.hash)).parent_hash
    assert (config.deposit_contract, config.l1_system_config) == (portal, system)


async def test_files_are_read_back_as_they_were(tmp_path: Path) -> None:
    l1 = FakeL1()
    lane = AttributionConfig(0, 4, 1 << 20)
    settings = replace(SETTINGS, attribution=lane, allocation={HOLDER: 5}, min_base_fee=7)
    start = RollupStart(l1.head.ref, l1.head.timestamp)
    rollup = make_rollup(settings, CONTRACTS, start, 900, l1_chain_json(900))
    write_rollup(rollup, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"rollup.json", "genesis.json", "l1-chain.json", "addresses.json"}
    config = read_rollup_config(tmp_path / "out" / "rollup.json")
    genesis = read_genesis(tmp_path / "out" / "genesis.json")
    assert config == rollup.config
    assert genesis_block(genesis).block.header.ref == config.genesis.l2
    config.check_against(genesis.config)
    assert genesis.config.attribution == lane
    assert (config.jovian_time, config.genesis.system_config.min_base_fee) == (0, 7)
    assert read_l1_chain_config(tmp_path / "out" / "l1-chain.json").chain_id == 900
    assert genesis.alloc[HOLDER].balance == 5
    assert read_addresses(tmp_path / "out" / "addresses.json") == rollup.addresses
    addresses = orjson.loads((tmp_path / "out" / "addresses.json").read_bytes())
    assert addresses == {
        "openToken": checksum_address(CONTRACTS.open_token),
        "systemConfig": checksum_address(CONTRACTS.system_config),
        "optimismPortal": checksum_address(CONTRACTS.optimism_portal),
        "l1CrossDomainMessenger": checksum_address(CONTRACTS.l1_cross_domain_messenger),
        "l1StandardBridge": checksum_address(CONTRACTS.l1_standard_bridge),
        "l2OutputOracle": checksum_address(CONTRACTS.l2_output_oracle),
        "batchInbox": checksum_address(default_batch_inbox(901)),
        "batcher": checksum_address(BATCHER),
        "proposer": checksum_address(DEPLOYER),
        "challenger": checksum_address(DEPLOYER),
    }


async def test_a_rollup_begins_at_the_l1_head() -> None:
    l1 = FakeL1()
    l1.mine_empty(3)
    start = RollupStart(l1.head.ref, l1.head.timestamp)
    rollup = make_rollup(SETTINGS, CONTRACTS, start, 900, l1_chain_json(900))
    assert rollup.config.genesis.l1 == l1.head.ref
    assert rollup.genesis.timestamp == rollup.config.genesis.l2_time == l1.head.timestamp
    assert rollup.config.jovian_time is None


def test_predeploys_know_their_other_sides_and_their_owner() -> None:
    settings = replace(SETTINGS, owner=HOLDER, allocation={})
    expected = l2_genesis(
        chain_id=901,
        timestamp=5,
        funded=(),
        predeploy_settings=PredeploySettings.owned_by(
            HOLDER,
            l1_cross_domain_messenger=CONTRACTS.l1_cross_domain_messenger,
            l1_standard_bridge=CONTRACTS.l1_standard_bridge,
        ),
    )
    assert make_genesis(settings, CONTRACTS, 5) == expected
    others = L1Contracts(*(Address(bytes([n]) * 20) for n in range(11, 17)))
    assert make_genesis(settings, others, 5) != expected


def test_the_inbox_is_the_one_that_op_deployer_would_choose() -> None:
    inbox = default_batch_inbox(10)
    assert inbox[0] == 0
    assert inbox[1:] == keccak256((10).to_bytes(32, "big"))[:19]
    assert SETTINGS.batch_inbox == default_batch_inbox(901)
    assert replace(SETTINGS, batch_inbox=HOLDER).batch_inbox == HOLDER
    assert inbox != ZERO_ADDRESS
    assert hex_address(inbox.hex()) == inbox


@pytest.mark.parametrize("gas_limit", [0, 20_999_999, 500_000_001])
def test_gas_limits_that_the_contract_refuses_are_refused_before(gas_limit: int) -> None:
    with pytest.raises(ConfigError, match="gas_limit: expected 21000000 to 500000000"):
        replace(SETTINGS, gas_limit=gas_limit)


@pytest.mark.parametrize(("chain_id", "forks"), [(1, 5), (11155111, 5), (900, 2), (31337, 2)])
def test_l1_chains(chain_id: int, forks: int) -> None:
    raw = l1_chain_json(chain_id)
    config = parse_l1_chain_config(raw)
    assert config.chain_id == chain_id
    assert len(config.blob_forks) == len(raw["blobSchedule"]) == forks
