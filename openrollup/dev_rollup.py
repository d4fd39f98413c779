"""The rollup of a dev network: read from its folder, or put on L1 anew."""

from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from consensus.config import read_rollup_config
from consensus.deploy import (
    DeploySettings,
    L1Contracts,
    Rollup,
    deploy_contracts,
    deploy_oracle,
    make_rollup,
    write_rollup,
)
from consensus.l1.tx_sender import SenderSettings, TxSender
from node.clock import Clock
from node.errors import ConfigError
from node.genesis import dev_accounts, read_genesis
from node.genesis.dev_chains import DEV_BALANCE, L2_DEV_CHAIN_ID
from node.json_file import read_json, write_json
from node.types.primitives import Address, hex_address
from node.types.transaction import address_of_key
from node.worker import run_in_thread
from openrollup.banner import accounts_json
from openrollup.datadir import check_writable
from openrollup.deploy import DEFAULT_ATTRIBUTION, DEV_SEQ_WINDOW_SIZE
from openrollup.dev_l1 import DevL1
from openrollup.dev_options import DEFAULT_BLOCK_TIME_S, DEFAULT_GAS_LIMIT, DevOptions
from openrollup.l1_check import chain_json, check_l1
from openrollup.open_supply import give_open
from openrollup.run import run_beside

T = TypeVar("T")

# A withdrawal of a dev network is to be seen through while one looks on.
_SUBMISSION_INTERVAL = 10
_FINALIZATION_PERIOD_S = 10


async def open_rollup(options: DevOptions, l1: DevL1, clock: Clock) -> Rollup:
    """Return the rollup that the datadir holds, or a new one; its files go where they are wanted.

    ConfigError if what is stored contradicts the options or L1.
    """
    if options.out is not None:
        check_writable(options.out)
    root = options.datadir
    if root is not None and (root / "rollup.json").exists():
        rollup = _read_rollup(root)
        options.check_against(rollup.config, rollup.genesis.config)
        await check_l1(l1.client, l1.chain_id, rollup.config)
    else:
        if root is not None:
            check_writable(root)
        rollup = await _deploy(options, l1, clock)
        if root is not None:
            _write_files(rollup, root)
    if options.out is not None:
        _write_files(rollup, options.out)
    return rollup


def _read_rollup(root: Path) -> Rollup:
    addresses = read_json(root / "addresses.json")
    return Rollup(
        config=read_rollup_config(root / "rollup.json"),
        genesis=read_genesis(root / "genesis.json"),
        contracts=L1Contracts(
            *(
                _address(root, addresses, name)
                for name in ("openToken", "systemConfig", "optimismPortal", "l2OutputOracle")
            )
        ),
        l1_chain=read_json(root / "l1-chain.json"),
    )


def _address(root: Path, addresses: Any, name: str) -> Address:
    try:
        return hex_address(addresses[name])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{root / 'addresses.json'}: {name}: expected an address") from error


def _write_files(rollup: Rollup, directory: Path) -> None:
    write_json(directory / "accounts.json", accounts_json(dev_accounts()))
    write_rollup(rollup, directory)


async def _deploy(options: DevOptions, l1: DevL1, clock: Clock) -> Rollup:
    """Deploy the contracts, give the accounts OPEN on L1, and begin the rollup after that."""
    settings = SenderSettings(poll_interval_s=0.02 if l1.embedded else 0.5)
    sender = TxSender(l1.client, l1.deployer_key, l1.chain_id, clock, settings)
    deployment = DeploySettings(
        l2_chain_id=L2_DEV_CHAIN_ID,
        owner=sender.address,
        batcher=address_of_key(l1.batcher_key),
        open_holder=sender.address,
        block_time=options.block_time_s or DEFAULT_BLOCK_TIME_S,
        seq_window_size=DEV_SEQ_WINDOW_SIZE,
        gas_limit=options.gas_limit or DEFAULT_GAS_LIMIT,
        attribution=DEFAULT_ATTRIBUTION if options.attribution else None,
        funded=tuple(account.address for account in dev_accounts()),
        submission_interval=_SUBMISSION_INTERVAL,
        finalization_period_s=_FINALIZATION_PERIOD_S,
    )
    contracts = await _mined(l1, _set_up(l1, sender, deployment))
    if l1.embedded is not None:
        # The rollup's time begins with this block's: it must be the present.
        await run_in_thread(partial(l1.embedded.chain.produce, int(clock.now())))
    head = await l1.client.block_ref_by_label("latest")
    header = await l1.client.header(head.hash)
    await _mined(l1, deploy_oracle(l1.client, sender, deployment, contracts, header))
    if l1.embedded is not None:
        # Without its first L1 block there would be no rollup: no reorg may reach that one.
        await run_in_thread(l1.embedded.chain.finalize)
    l1_chain = chain_json(options.l1_chain, l1.chain_id)
    return make_rollup(deployment, contracts, header, l1.chain_id, l1_chain)


async def _mined(l1: DevL1, setup: Coroutine[Any, Any, T]) -> T:
    """Return what comes of transactions, the embedded L1 making blocks of them at once."""
    if l1.embedded is None:
        return await setup
    return await run_beside(setup, [l1.embedded.chain.run_at_once()])


async def _set_up(l1: DevL1, sender: TxSender, deployment: DeploySettings) -> L1Contracts:
    gifts = len(deployment.funded)
    contracts = await deploy_contracts(l1.client, sender, deployment, sent_before_oracle=gifts)
    await give_open(sender, contracts.open_token, deployment.funded, DEV_BALANCE)
    return contracts
