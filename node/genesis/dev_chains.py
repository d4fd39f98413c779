"""First blocks of chains that this project starts itself: its rollups and the embedded L1."""

from collections.abc import Iterable, Mapping
from typing import Any

from node.config import (
    BLOCK_FORKS,
    CANCUN_BLOBS,
    PRAGUE_BLOBS,
    ROLLUP_FORKS,
    AttributionConfig,
    parse_chain_config,
)
from node.errors import ConfigError
from node.genesis.dev_accounts import DEPLOYER_ACCOUNT, OPERATOR_ACCOUNTS, USER_ACCOUNTS
from node.genesis.genesis import DEFAULT_BASE_FEE, Genesis, GenesisAccount
from node.genesis.predeploy_settings import PredeploySettings
from node.genesis.predeploys import (
    SEQUENCER_FEE_VAULT_ADDRESS,
    attribution_accounts,
    predeploys,
)
from node.genesis.preinstalls import ethereum_preinstalls, rollup_preinstalls
from node.genesis.system_contracts import ETHEREUM_SYSTEM_CONTRACTS, ROLLUP_SYSTEM_CONTRACTS
from node.types.primitives import Address, checksum_address

L1_DEV_CHAIN_ID = 900
L2_DEV_CHAIN_ID = 901
DEV_BALANCE = 10_000 * 10**18
DEV_GAS_LIMIT = 30_000_000
EIP1559_DENOMINATOR = 250
EIP1559_ELASTICITY = 6


def l1_dev_genesis(
    *,
    timestamp: int,
    chain_id: int = L1_DEV_CHAIN_ID,
    gas_limit: int = DEV_GAS_LIMIT,
    base_fee: int = DEFAULT_BASE_FEE,
    funded: Iterable[Address] | None = None,
) -> Genesis:
    """Return an Ethereum chain with Prague from its start, for development.

    `funded` get 10,000 ETH each: by default the ten user accounts and the operator's.
    """
    if funded is None:
        funded = [account.address for account in (*USER_ACCOUNTS, *OPERATOR_ACCOUNTS)]
    raw_config: dict[str, Any] = {
        **_ethereum_config(chain_id),
        "blobSchedule": {
            name: {
                "target": blobs.target,
                "max": blobs.maximum,
                "baseFeeUpdateFraction": blobs.base_fee_update_fraction,
            }
            for name, blobs in (("cancun", CANCUN_BLOBS), ("prague", PRAGUE_BLOBS))
        },
    }
    return Genesis(
        config=parse_chain_config(raw_config),
        raw_config=raw_config,
        timestamp=timestamp,
        gas_limit=gas_limit,
        base_fee=base_fee,
        alloc=_alloc({**ETHEREUM_SYSTEM_CONTRACTS, **ethereum_preinstalls()}, funded),
    )


def l2_genesis(
    *,
    chain_id: int,
    timestamp: int,
    gas_limit: int = DEV_GAS_LIMIT,
    base_fee: int = DEFAULT_BASE_FEE,
    eip1559_denominator: int = EIP1559_DENOMINATOR,
    eip1559_elasticity: int = EIP1559_ELASTICITY,
    min_base_fee: int | None = None,
    attribution: AttributionConfig | None = None,
    funded: Iterable[Address] | None = None,
    predeploy_settings: PredeploySettings | None = None,
    contracts: Mapping[Address, GenesisAccount] | None = None,
) -> Genesis:
    """Return a rollup with every fork up to Isthmus from its start.

    `min_base_fee` (wei per gas) adds Jovian, whose header carries it. `funded` get 10,000 OPEN
    each: by default the ten user accounts. `predeploy_settings` belong to the development deployer
    by default. `contracts` are further predeploys.
    """
    if funded is None:
        funded = [account.address for account in USER_ACCOUNTS]
    if predeploy_settings is None:
        predeploy_settings = PredeploySettings.owned_by(DEPLOYER_ACCOUNT.address)
    raw_config = _rollup_config(chain_id, eip1559_denominator, eip1559_elasticity)
    if min_base_fee is not None:
        raw_config["jovianTime"] = 0
    fixed = {
        **ROLLUP_SYSTEM_CONTRACTS,
        **rollup_preinstalls(chain_id),
        **predeploys(predeploy_settings, is_jovian=min_base_fee is not None),
        **(contracts or {}),
    }
    if attribution is not None:
        raw_config["attributionTime"] = attribution.time
        raw_config["attributionCalldataGas"] = attribution.calldata_gas
        raw_config["attributionCalldataLimit"] = attribution.block_calldata_limit
        fixed.update(attribution_accounts(predeploy_settings.escrow))
    return Genesis(
        config=parse_chain_config(raw_config),
        raw_config=raw_config,
        timestamp=timestamp,
        gas_limit=gas_limit,
        base_fee=base_fee,
        extra_data=_extra_data(eip1559_denominator, eip1559_elasticity, min_base_fee),
        coinbase=SEQUENCER_FEE_VAULT_ADDRESS,
        alloc=_alloc(fixed, funded),
    )


def _ethereum_config(chain_id: int) -> dict[str, Any]:
    return {
        "chainId": chain_id,
        **dict.fromkeys(BLOCK_FORKS, 0),
        "shanghaiTime": 0,
        "cancunTime": 0,
        "pragueTime": 0,
        "terminalTotalDifficulty": 0,
        "depositContractAddress": "0x" + bytes(20).hex(),
    }


def _rollup_config(chain_id: int, denominator: int, elasticity: int) -> dict[str, Any]:
    return {
        **_ethereum_config(chain_id),
        **dict.fromkeys((*ROLLUP_FORKS, "isthmusTime"), 0),
        "optimism": {
            "eip1559Elasticity": elasticity,
            "eip1559Denominator": denominator,
            "eip1559DenominatorCanyon": denominator,
        },
    }


def _extra_data(denominator: int, elasticity: int, min_base_fee: int | None) -> bytes:
    # Version byte 0 is Holocene's, 1 Jovian's, which appends the minimum base fee.
    version = b"\x00" if min_base_fee is None else b"\x01"
    parameters = denominator.to_bytes(4, "big") + elasticity.to_bytes(4, "big")
    tail = b"" if min_base_fee is None else min_base_fee.to_bytes(8, "big")
    return version + parameters + tail


def _alloc(
    contracts: Mapping[Address, GenesisAccount], funded: Iterable[Address]
) -> dict[Address, GenesisAccount]:
    alloc = dict(contracts)
    for address in funded:
        if address in alloc:
            raise ConfigError(f"funded: {checksum_address(address)} comes twice or is a contract")
        alloc[address] = GenesisAccount(balance=DEV_BALANCE)
    return alloc
