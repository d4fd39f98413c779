"""The configuration that a rollup's nodes share, once its contracts are on L1."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consensus.config import (
    CHANNEL_TIMEOUT,
    SEQUENCER_DRIFT_S,
    RollupConfig,
    RollupGenesis,
    rollup_config_to_json,
)
from consensus.deploy.addresses import L1Addresses, L1Contracts, addresses_to_json
from consensus.deploy.record import RollupStart
from consensus.deploy.settings import DeploySettings
from consensus.system_config import SystemConfig
from node.errors import ConfigError
from node.genesis.dev_chains import l2_genesis
from node.genesis.genesis import Genesis, GenesisAccount
from node.genesis.geth_format import genesis_to_json
from node.genesis.predeploy_settings import PredeploySettings
from node.json_file import write_json
from node.types.primitives import checksum_address


@dataclass(frozen=True, slots=True)
class Rollup:
    """A rollup that nodes can be started from."""

    config: RollupConfig
    genesis: Genesis
    addresses: L1Addresses
    l1_chain: Mapping[str, Any]

    @property
    def contracts(self) -> L1Contracts:
        """Its contracts on L1."""
        return self.addresses.contracts


def make_rollup(
    settings: DeploySettings,
    contracts: L1Contracts,
    start: RollupStart,
    l1_chain_id: int,
    l1_chain: Mapping[str, Any],
) -> Rollup:
    """Return the configuration of a rollup; `l1_chain` is the content of l1-chain.json."""
    genesis = make_genesis(settings, contracts, start.timestamp)
    config = RollupConfig(
        genesis=RollupGenesis(
            l1=start.l1,
            l2=genesis.block.header.ref,
            l2_time=start.timestamp,
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
    addresses = L1Addresses(
        contracts,
        batch_inbox=settings.batch_inbox,
        batcher=settings.batcher,
        proposer=settings.proposer,
        challenger=settings.challenger,
    )
    return Rollup(config, genesis, addresses, l1_chain)


def make_genesis(settings: DeploySettings, contracts: L1Contracts, timestamp: int) -> Genesis:
    """Return L2's genesis, which belongs to the contracts on L1 and to the owner.

    ConfigError if the allocation names a contract.
    """
    genesis = l2_genesis(
        chain_id=settings.l2_chain_id,
        timestamp=timestamp,
        gas_limit=settings.gas_limit,
        eip1559_denominator=settings.eip1559_denominator,
        eip1559_elasticity=settings.eip1559_elasticity,
        min_base_fee=settings.min_base_fee,
        attribution=settings.attribution,
        funded=(),
        predeploy_settings=PredeploySettings.owned_by(
            settings.owner,
            l1_cross_domain_messenger=contracts.l1_cross_domain_messenger,
            l1_standard_bridge=contracts.l1_standard_bridge,
        ),
    )
    alloc = dict(genesis.alloc)
    for address, amount in settings.allocation.items():
        if address in alloc:
            raise ConfigError(f"allocation: {checksum_address(address)} is a contract of genesis")
        alloc[address] = GenesisAccount(balance=amount)
    return replace(genesis, alloc=alloc)


def write_rollup(rollup: Rollup, directory: Path) -> None:
    """Write genesis.json, l1-chain.json, addresses.json and, once they are there, rollup.json."""
    contents = {
        "genesis.json": genesis_to_json(rollup.genesis),
        "l1-chain.json": dict(rollup.l1_chain),
        "addresses.json": addresses_to_json(rollup.addresses),
        "rollup.json": rollup_config_to_json(rollup.config),
    }
    for name, content in contents.items():
        write_json(directory / name, content)


def _first_system_config(settings: DeploySettings) -> SystemConfig:
    return SystemConfig(
        batcher=settings.batcher,
        base_fee_scalar=settings.base_fee_scalar,
        blob_base_fee_scalar=settings.blob_base_fee_scalar,
        gas_limit=settings.gas_limit,
        min_base_fee=settings.min_base_fee or 0,
    )
