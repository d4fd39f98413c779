"""The rollup of a dev network: read from its folder, or put on L1 anew."""

from collections.abc import Coroutine
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from consensus.block_refs import L1BlockRef
from consensus.config import read_rollup_config
from consensus.deploy import (
    RECORD_FILE,
    DeploySettings,
    Rollup,
    deploy,
    exclusive,
    read_addresses,
    write_rollup,
)
from consensus.l1.tx_sender import SenderSettings, TxSender
from node.clock import Clock
from node.dev_chain import DevChain
from node.genesis import dev_accounts, read_genesis
from node.genesis.dev_chains import DEV_BALANCE, L2_DEV_CHAIN_ID
from node.json_file import read_json, write_json
from node.types.primitives import Address
from node.types.transaction import address_of_key
from node.worker import run_in_thread
from openrollup.banner import accounts_json
from openrollup.datadir import check_writable
from openrollup.deploy import (
    DEFAULT_ATTRIBUTION,
    DEV_FINALIZATION_PERIOD_S,
    DEV_SEQ_WINDOW_SIZE,
    DEV_SUBMISSION_INTERVAL,
)
from openrollup.dev_l1 import DevL1
from openrollup.dev_options import DEFAULT_BLOCK_TIME_S, DEFAULT_GAS_LIMIT, DevOptions
from openrollup.l1_check import chain_json, check_l1
from openrollup.run import run_beside


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
        with nullcontext() if root is None else exclusive(root):
            rollup = await _deploy(options, l1, clock)
            if root is not None:
                _write_files(rollup, root)
    if options.out is not None:
        _write_files(rollup, options.out)
    return rollup


def _read_rollup(root: Path) -> Rollup:
    return Rollup(
        config=read_rollup_config(root / "rollup.json"),
        genesis=read_genesis(root / "genesis.json"),
        addresses=read_addresses(root / "addresses.json"),
        l1_chain=read_json(root / "l1-chain.json"),
    )


def _write_files(rollup: Rollup, directory: Path) -> None:
    write_json(directory / "accounts.json", accounts_json(dev_accounts()))
    write_rollup(rollup, directory)


async def _deploy(options: DevOptions, l1: DevL1, clock: Clock) -> Rollup:
    """Deploy the contracts, give the accounts OPEN on L1, and begin the rollup after that.

    With a datadir, go on with what was interrupted.
    """
    sender_settings = SenderSettings(poll_interval_s=0.02 if l1.embedded else 0.5)
    sender = TxSender(l1.client, l1.deployer_key, l1.chain_id, clock, sender_settings)
    accounts = dict.fromkeys((account.address for account in dev_accounts()), DEV_BALANCE)
    work = partial(
        deploy,
        l1.client,
        sender,
        _settings(options, l1, sender.address, accounts),
        chain_json(options.l1_chain, l1.chain_id),
        record=None if options.datadir is None else options.datadir / RECORD_FILE,
        gifts=accounts,
    )
    if l1.embedded is None:
        return await work()
    chain = l1.embedded.chain

    async def begin() -> L1BlockRef:
        # The rollup's time begins with this block's: it must be the present.
        await run_in_thread(partial(chain.produce, int(clock.now())))
        return await l1.client.block_ref_by_label("latest")

    rollup = await _beside(work(begin=begin), chain)
    # Without its first L1 block there would be no rollup: no reorg may reach that one.
    await run_in_thread(chain.finalize)
    return rollup


async def _beside(work: Coroutine[Any, Any, Rollup], chain: DevChain) -> Rollup:
    """Deploy on an L1 that makes a block of whatever it gets."""
    return await run_beside(work, [chain.run_at_once()])


def _settings(
    options: DevOptions, l1: DevL1, owner: Address, allocation: dict[Address, int]
) -> DeploySettings:
    # On an outside L1 one key has all roles.
    return DeploySettings(
        l2_chain_id=L2_DEV_CHAIN_ID,
        owner=owner,
        batcher=address_of_key(l1.batcher_key),
        proposer=address_of_key(l1.proposer_key),
        submission_interval=DEV_SUBMISSION_INTERVAL,
        finalization_period_s=DEV_FINALIZATION_PERIOD_S,
        allocation=allocation,
        block_time=options.block_time_s or DEFAULT_BLOCK_TIME_S,
        seq_window_size=DEV_SEQ_WINDOW_SIZE,
        gas_limit=options.gas_limit or DEFAULT_GAS_LIMIT,
        attribution=DEFAULT_ATTRIBUTION if options.attribution else None,
    )
