"""What has to be so before anything is sent to L1: the right chain, the right key, enough ether."""

from pathlib import Path

from consensus.deploy.plan import Plan
from consensus.deploy.record import DeploymentRecord, find_record
from consensus.deploy.settings import DeploySettings, settings_to_json
from consensus.l1.client import L1Client
from consensus.l1.fees import market_fees
from consensus.l1.json_objects import UnsupportedL1
from consensus.l1.json_rpc import RpcFault
from consensus.l1.tx_sender import SenderSettings
from node.errors import ConfigError
from node.types.primitives import Address, checksum_address

_ETHER = 10**18


async def new_record(l1: L1Client, deployer: Address, settings: DeploySettings) -> DeploymentRecord:
    """Begin a deployment with the deployer's next nonce.

    ConfigError if the deployer has transactions waiting, which would take the nonces.
    """
    nonce = await l1.nonce(deployer)
    waiting = await l1.pending_nonce(deployer) - nonce
    if waiting > 0:
        raise ConfigError(
            f"{checksum_address(deployer)} has {waiting} transactions waiting on L1: wait until "
            "they are included, or go on with the deployment that has sent them"
        )
    chain_id, genesis = await l1.chain_id(), await l1.genesis_hash()
    return DeploymentRecord(chain_id, genesis, deployer, nonce, settings_to_json(settings))


async def known_record(
    l1: L1Client, deployer: Address, settings: DeploySettings, path: Path
) -> DeploymentRecord | None:
    """Return what an earlier attempt has written down, None if there was none.

    ConfigError if that attempt was on another L1, of another key, or with other settings.
    """
    record = find_record(path)
    if record is None:
        return None
    chain_id, genesis = await l1.chain_id(), await l1.genesis_hash()
    if (record.l1_chain_id, record.l1_genesis) != (chain_id, genesis):
        raise ConfigError(
            f"{path}: the deployment began on L1 chain {record.l1_chain_id} with genesis "
            f"0x{record.l1_genesis.hex()}, {l1.url} is chain {chain_id} with genesis "
            f"0x{genesis.hex()}: give the same L1, or another folder"
        )
    if record.deployer != deployer:
        raise ConfigError(
            f"{path}: the deployment was begun by {checksum_address(record.deployer)}, the key is "
            f"that of {checksum_address(deployer)}: give the same key, or another folder"
        )
    try:
        record.check_settings(settings)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return record


async def check_l1(l1: L1Client, plan: Plan) -> None:
    """Refuse an L1 that cannot carry the rollup, or a key that cannot pay; ConfigError."""
    try:
        head = await l1.block_ref_by_label("latest")
        header = await l1.header(head.hash)
    except UnsupportedL1 as error:
        raise ConfigError(f"{l1.url}: no L1 for a rollup: {error}") from error
    if header.requests_hash is None:
        raise ConfigError(
            f"{l1.url}: expected an L1 at Prague or later, its block {header.number} has no "
            "requestsHash"
        )
    nonce = await l1.nonce(plan.deployer)
    await _check_funds(l1, plan, nonce)
    if nonce == plan.first_nonce:
        await _check_execution(l1, plan)


async def _check_funds(l1: L1Client, plan: Plan, nonce: int) -> None:
    steps = [*plan.foundation(), plan.oracle(0)]
    gas = sum(step.gas for step in steps if step.nonce >= nonce)
    base_fee, tip = await l1.base_fee(), await l1.priority_fee()
    price = market_fees(base_fee, tip, SenderSettings().minimum_tip).cap
    balance = await l1.balance(plan.deployer)
    if balance < gas * price:
        raise ConfigError(
            f"{checksum_address(plan.deployer)} has {balance / _ETHER:.6f} ether on L1, and the "
            f"deployment needs up to {gas * price / _ETHER:.6f} ({gas:,} gas at "
            f"{price / 10**9:.3f} gwei): send it some, and run the same command again"
        )


async def _check_execution(l1: L1Client, plan: Plan) -> None:
    first = plan.foundation()[0]
    try:
        await l1.estimate_gas(plan.deployer, None, first.request().data)
    except RpcFault as fault:
        raise ConfigError(
            f"{l1.url}: this L1 would not create {first.name}: {fault}: is it at Prague or later?"
        ) from fault
