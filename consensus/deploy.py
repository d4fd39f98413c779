"""A new rollup: its contracts on L1, and the configuration that its nodes share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode as abi_encode

from consensus.config import (
    CHANNEL_TIMEOUT,
    SEQUENCER_DRIFT_S,
    RollupConfig,
    RollupGenesis,
    rollup_config_to_json,
)
from consensus.l1.client import L1Client
from consensus.l1.tx_sender import TransactionRequest, TxSender
from consensus.system_config import SystemConfig
from node.artifacts import load_artifact
from node.config import AttributionConfig
from node.errors import ConfigError, CriticalError
from node.genesis.dev_chains import EIP1559_DENOMINATOR, EIP1559_ELASTICITY, l2_genesis
from node.genesis.genesis import Genesis, genesis_block
from node.genesis.geth_format import genesis_to_json
from node.json_file import write_json
from node.types.block import Header
from node.types.primitives import (
    ZERO_ADDRESS,
    Address,
    checksum_address,
    create_address,
    keccak256,
)

_GAS_LIMITS = range(21_000_000, 500_000_001)
_GAS_MARGIN_PERCENT = 20


@dataclass(frozen=True, slots=True)
class DeploySettings:
    """The choices of whoever starts a rollup. Times are in seconds, scalars in millionths.

    `owner` may change the system config later and halt withdrawals. `proposer` claims an output
    root every `submission_interval` L2 blocks; `challenger` may delete it for
    `finalization_period_s`. Both are the owner if not given. `open_holder` receives the whole
    supply of OPEN (in units of 10**-18). `min_base_fee` (wei per gas) adds Jovian. `funded` are L2
    accounts that start with OPEN which L1 does not back: for development only.
    """

    l2_chain_id: int
    owner: Address
    batcher: Address
    open_holder: Address
    open_supply: int = 1_000_000_000 * 10**18
    block_time: int = 2
    seq_window_size: int = 3600
    gas_limit: int = 30_000_000
    base_fee_scalar: int = 1368
    blob_base_fee_scalar: int = 810949
    eip1559_denominator: int = EIP1559_DENOMINATOR
    eip1559_elasticity: int = EIP1559_ELASTICITY
    min_base_fee: int | None = None
    attribution: AttributionConfig | None = None
    funded: tuple[Address, ...] = ()
    batch_inbox: Address = field(default=ZERO_ADDRESS)
    proposer: Address = ZERO_ADDRESS
    challenger: Address = ZERO_ADDRESS
    submission_interval: int = 1800
    finalization_period_s: int = 604_800

    def __post_init__(self) -> None:
        for role in ("proposer", "challenger"):
            if getattr(self, role) == ZERO_ADDRESS:
                object.__setattr__(self, role, self.owner)
        if self.batch_inbox == ZERO_ADDRESS:
            object.__setattr__(self, "batch_inbox", default_batch_inbox(self.l2_chain_id))
        if self.gas_limit not in _GAS_LIMITS:
            raise ConfigError(
                f"gas_limit: expected {_GAS_LIMITS.start} to {_GAS_LIMITS.stop - 1} "
                f"(what SystemConfig accepts), got {self.gas_limit}"
            )


@dataclass(frozen=True, slots=True)
class L1Contracts:
    """Where the rollup's contracts are on L1."""

    open_token: Address
    system_config: Address
    optimism_portal: Address
    l2_output_oracle: Address


@dataclass(frozen=True, slots=True)
class Rollup:
    """A rollup that nodes can be started from."""

    config: RollupConfig
    genesis: Genesis
    contracts: L1Contracts
    l1_chain: Mapping[str, Any]


def default_batch_inbox(l2_chain_id: int) -> Address:
    """Return the inbox that op-deployer would choose: zero, then 19 bytes of a hash of the id."""
    return Address(b"\x00" + keccak256(l2_chain_id.to_bytes(32, "big"))[:19])


async def deploy(
    l1: L1Client, sender: TxSender, settings: DeploySettings, l1_chain: Mapping[str, Any]
) -> Rollup:
    """Deploy the contracts and return the rollup that begins after L1's present head.

    `l1_chain` is the content of l1-chain.json. TemporaryError if L1 does not cooperate;
    CriticalError if something else was deployed than asked for.
    """
    contracts = await deploy_contracts(l1, sender, settings)
    head = await l1.block_ref_by_label("latest")
    header = await l1.header(head.hash)
    await deploy_oracle(l1, sender, settings, contracts, header)
    return make_rollup(settings, contracts, header, await l1.chain_id(), l1_chain)


async def deploy_contracts(
    l1: L1Client, sender: TxSender, settings: DeploySettings, sent_before_oracle: int = 0
) -> L1Contracts:
    """Create OPEN, the system config and the portal, in this order.

    Before it creates the oracle the key has to send just as many transactions as it is said here.
    """
    nonce = await l1.nonce(sender.address)
    # They name each other, so their addresses are known ahead.
    positions = (0, 1, 2, 3 + sent_before_oracle)
    token, config, portal, oracle = (create_address(sender.address, nonce + i) for i in positions)
    contracts = L1Contracts(token, config, portal, oracle)
    await _create(l1, sender, token, "OpenToken", (settings.open_holder, settings.open_supply))
    await _create(l1, sender, config, "SystemConfig", _system_config_arguments(settings, contracts))
    await _create(l1, sender, portal, "OptimismPortal", (token, config, oracle))
    return contracts


async def deploy_oracle(
    l1: L1Client,
    sender: TxSender,
    settings: DeploySettings,
    contracts: L1Contracts,
    l1_head: Header,
) -> None:
    """Create the output oracle of a rollup that begins after `l1_head`; CriticalError if it gets
    another address than the contracts know.
    """
    arguments = (
        settings.submission_interval,
        settings.block_time,
        0,
        l1_head.timestamp,
        settings.proposer,
        settings.challenger,
        settings.finalization_period_s,
    )
    await _create(l1, sender, contracts.l2_output_oracle, "L2OutputOracle", arguments)


def make_rollup(
    settings: DeploySettings,
    contracts: L1Contracts,
    l1_head: Header,
    l1_chain_id: int,
    l1_chain: Mapping[str, Any],
) -> Rollup:
    """Return the configuration of a rollup whose derivation begins after `l1_head`."""
    genesis = l2_genesis(
        chain_id=settings.l2_chain_id,
        timestamp=l1_head.timestamp,
        gas_limit=settings.gas_limit,
        eip1559_denominator=settings.eip1559_denominator,
        eip1559_elasticity=settings.eip1559_elasticity,
        min_base_fee=settings.min_base_fee,
        attribution=settings.attribution,
        funded=settings.funded,
    )
    config = RollupConfig(
        genesis=RollupGenesis(
            l1=l1_head.ref,
            l2=genesis_block(genesis).block.header.ref,
            l2_time=l1_head.timestamp,
            system_config=_first_system_config(settings),
        ),
        block_time=settings.block_time,
        max_sequencer_drift_s=SEQUENCER_DRIFT_S,
        seq_window_size=settings.seq_window_size,
        channel_timeout=CHANNEL_TIMEOUT,
        l1_chain_id=l1_chain_id,
        l2_chain_id=settings.l2_chain_id,
        isthmus_time=0,
        jovian_time=None if settings.min_base_fee is None else 0,
        batch_inbox=settings.batch_inbox,
        deposit_contract=contracts.optimism_portal,
        l1_system_config=contracts.system_config,
        eip1559_elasticity=settings.eip1559_elasticity,
        eip1559_denominator=settings.eip1559_denominator,
        eip1559_denominator_canyon=settings.eip1559_denominator,
    )
    config.check_against(genesis.config)
    return Rollup(config, genesis, contracts, l1_chain)


def write_rollup(rollup: Rollup, directory: Path) -> None:
    """Write genesis.json, l1-chain.json, addresses.json and, once they are there, rollup.json."""
    contents = {
        "genesis.json": genesis_to_json(rollup.genesis),
        "l1-chain.json": dict(rollup.l1_chain),
        "addresses.json": addresses_to_json(rollup),
        "rollup.json": rollup_config_to_json(rollup.config),
    }
    for name, content in contents.items():
        write_json(directory / name, content)


def addresses_to_json(rollup: Rollup) -> dict[str, str]:
    """Return the addresses on L1 by name."""
    addresses = {
        "openToken": rollup.contracts.open_token,
        "systemConfig": rollup.contracts.system_config,
        "optimismPortal": rollup.contracts.optimism_portal,
        "l2OutputOracle": rollup.contracts.l2_output_oracle,
        "batchInbox": rollup.config.batch_inbox,
        "batcher": rollup.config.genesis.system_config.batcher,
    }
    return {name: checksum_address(address) for name, address in addresses.items()}


async def _create(
    l1: L1Client, sender: TxSender, expected: Address, name: str, arguments: tuple[Any, ...]
) -> None:
    artifact = load_artifact(name)
    constructor = next(entry for entry in artifact.abi if entry["type"] == "constructor")
    types = [argument["type"] for argument in constructor["inputs"]]
    data = artifact.bytecode + abi_encode(types, arguments)
    estimate = await l1.estimate_gas(sender.address, None, data)
    gas = estimate * (100 + _GAS_MARGIN_PERCENT) // 100
    inclusion = await sender.send(TransactionRequest(to=None, data=data, gas=gas))
    if inclusion.status != 1:
        raise CriticalError(f"{name}: its creation 0x{inclusion.hash.hex()} failed on L1")
    if inclusion.contract != expected:
        found = "none" if inclusion.contract is None else checksum_address(inclusion.contract)
        raise CriticalError(
            f"{name}: expected at {checksum_address(expected)}, got {found}; is another program "
            f"sending with the key of {checksum_address(sender.address)}? Deploy again"
        )


def _system_config_arguments(settings: DeploySettings, contracts: L1Contracts) -> tuple[Any, ...]:
    return (
        settings.owner,
        settings.batcher,
        settings.base_fee_scalar,
        settings.blob_base_fee_scalar,
        settings.gas_limit,
        ZERO_ADDRESS,  # unsafe blocks travel over no network that would need a signer
        settings.batch_inbox,
        contracts.open_token,
        contracts.optimism_portal,
        contracts.l2_output_oracle,
        ZERO_ADDRESS,  # no messenger
        ZERO_ADDRESS,  # no bridge
    )


def _first_system_config(settings: DeploySettings) -> SystemConfig:
    return SystemConfig(
        batcher=settings.batcher,
        base_fee_scalar=settings.base_fee_scalar,
        blob_base_fee_scalar=settings.blob_base_fee_scalar,
        gas_limit=settings.gas_limit,
        min_base_fee=settings.min_base_fee or 0,
    )
