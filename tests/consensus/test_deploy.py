import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from eth_abi.abi import decode, encode

from consensus.config import read_rollup_config
from consensus.deploy import (
    DeploySettings,
    L1Contracts,
    default_batch_inbox,
    deploy,
    deploy_contracts,
    make_rollup,
    write_rollup,
)
from consensus.l1.chain_config import parse_l1_chain_config, read_l1_chain_config
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc
from consensus.l1.known_chains import l1_chain_json
from consensus.l1.tx_sender import SenderSettings, TransactionRequest, TxSender
from node.clock import SystemClock
from node.config import AttributionConfig
from node.dev_chain import DevChainConfig
from node.errors import ConfigError, CriticalError
from node.genesis.dev_chains import l1_dev_genesis
from node.genesis.genesis import genesis_block
from node.genesis.geth_format import read_genesis
from node.types.primitives import (
    ZERO_ADDRESS,
    Address,
    checksum_address,
    hex_address,
    keccak256,
)
from node.types.transaction import address_of_key
from openrollup.embedded_l1 import EmbeddedL1
from tests.fakes.l1_source import FakeL1

KEY = keccak256(b"deployer")
DEPLOYER = address_of_key(KEY)
BATCHER = Address(b"\xba" * 20)
HOLDER = Address(b"\x40" * 20)
SETTINGS = DeploySettings(l2_chain_id=901, owner=DEPLOYER, batcher=BATCHER, open_holder=HOLDER)
CONTRACTS = L1Contracts(*(Address(bytes([n]) * 20) for n in (1, 2, 3, 4)))


@pytest.fixture
async def l1() -> AsyncIterator[L1Client]:
    """An L1 dev chain over HTTP that makes a block of each transaction."""
    clock = SystemClock()
    genesis = l1_dev_genesis(timestamp=1_700_000_000, funded=[DEPLOYER])
    embedded = EmbeddedL1(genesis, None, 0, clock, DevChainConfig())
    await embedded.start()
    producing = asyncio.ensure_future(embedded.chain.run_at_once())
    client = L1Client(JsonRpc(embedded.url))
    yield client
    producing.cancel()
    await asyncio.gather(producing, return_exceptions=True)
    await client.close()
    await embedded.close()


def _sender(l1: L1Client) -> TxSender:
    return TxSender(l1, KEY, 900, SystemClock(), SenderSettings(poll_interval_s=0.01))


async def _read(l1: L1Client, contract: Address, signature: str, kind: str) -> object:
    output = await l1.call(contract, keccak256(signature.encode())[:4])
    return decode([kind], output)[0]


async def test_contracts_hold_what_the_configuration_says(l1: L1Client) -> None:
    rollup = await deploy(l1, _sender(l1), SETTINGS, l1_chain_json(900))
    contracts, config = rollup.contracts, rollup.config
    portal, system = contracts.optimism_portal, contracts.system_config
    assert await _read(l1, system, "batcherHash()", "bytes32") == bytes(12) + BATCHER
    assert await _read(l1, system, "owner()", "address") == "0x" + DEPLOYER.hex()
    assert await _read(l1, system, "gasLimit()", "uint64") == 30_000_000
    assert await _read(l1, system, "basefeeScalar()", "uint32") == 1368
    assert await _read(l1, system, "blobbasefeeScalar()", "uint32") == 810949
    assert await _read(l1, system, "optimismPortal()", "address") == "0x" + portal.hex()
    assert await _read(l1, system, "batchInbox()", "address") == "0x" + config.batch_inbox.hex()
    assert await _read(l1, portal, "openToken()", "address") == "0x" + contracts.open_token.hex()
    balance = keccak256(b"balanceOf(address)")[:4] + encode(["address"], [HOLDER])
    assert int.from_bytes(await l1.call(contracts.open_token, balance)) == SETTINGS.open_supply
    oracle = contracts.l2_output_oracle
    assert await _read(l1, portal, "l2Oracle()", "address") == "0x" + oracle.hex()
    assert await _read(l1, system, "l2OutputOracle()", "address") == "0x" + oracle.hex()
    assert await _read(l1, oracle, "PROPOSER()", "address") == "0x" + DEPLOYER.hex()
    assert await _read(l1, oracle, "startingBlockNumber()", "uint256") == 0
    assert await _read(l1, oracle, "startingTimestamp()", "uint256") == config.genesis.l2_time
    head = await l1.block_ref_by_label("latest")
    # The oracle's own block is the only one after the rollup's beginning.
    begin = await l1.header(config.genesis.l1.hash)
    assert (begin.ref, begin.timestamp) == (config.genesis.l1, config.genesis.l2_time)
    assert begin.hash == (await l1.header(head.hash)).parent_hash
    assert (config.deposit_contract, config.l1_system_config) == (portal, system)


async def test_another_use_of_the_key_in_between_is_noticed(l1: L1Client) -> None:
    sender = _sender(l1)

    class Disturbed(TxSender):
        async def send(self, request: TransactionRequest):  # type: ignore[no-untyped-def]
            await sender.send(TransactionRequest(DEPLOYER, b"", 21_000))
            return await super().send(request)

    disturbed = Disturbed(l1, KEY, 900, SystemClock(), SenderSettings(poll_interval_s=0.01))
    with pytest.raises(CriticalError, match=r"OpenToken: expected at .* is another program"):
        await deploy_contracts(l1, disturbed, SETTINGS)


async def test_files_are_read_back_as_they_were(tmp_path: Path) -> None:
    l1 = FakeL1()
    lane = AttributionConfig(0, 4, 1 << 20)
    settings = replace(SETTINGS, attribution=lane, funded=(HOLDER,), min_base_fee=7)
    header = await l1.header(l1.head.hash)
    rollup = make_rollup(settings, CONTRACTS, header, 900, l1_chain_json(900))
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
    addresses = orjson.loads((tmp_path / "out" / "addresses.json").read_bytes())
    assert addresses == {
        "openToken": checksum_address(CONTRACTS.open_token),
        "systemConfig": checksum_address(CONTRACTS.system_config),
        "optimismPortal": checksum_address(CONTRACTS.optimism_portal),
        "l2OutputOracle": checksum_address(CONTRACTS.l2_output_oracle),
        "batchInbox": checksum_address(default_batch_inbox(901)),
        "batcher": checksum_address(BATCHER),
    }


async def test_a_rollup_begins_at_the_l1_head() -> None:
    l1 = FakeL1()
    l1.mine_empty(3)
    header = await l1.header(l1.head.hash)
    rollup = make_rollup(SETTINGS, CONTRACTS, header, 900, l1_chain_json(900))
    assert rollup.config.genesis.l1 == l1.head.ref
    assert rollup.genesis.timestamp == rollup.config.genesis.l2_time == l1.head.timestamp
    assert rollup.config.jovian_time is None
    assert HOLDER not in rollup.genesis.alloc


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
