"""A new rollup: its contracts on L1, and the configuration that its nodes share.

A deployment is a list of transactions of one key with consecutive nonces, so that all addresses
are known before the first is sent, and so that whatever interrupts it, it can go on.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from consensus.block_refs import L1BlockRef
from consensus.deploy.addresses import (
    L1Addresses,
    L1Contracts,
    addresses_to_json,
    read_addresses,
)
from consensus.deploy.deployment import Deployment
from consensus.deploy.earlier import earlier_rollup
from consensus.deploy.plan import Plan
from consensus.deploy.preparation import check_l1, known_record, new_record
from consensus.deploy.record import RECORD_FILE, RollupStart, exclusive, write_record
from consensus.deploy.rollup import Rollup, make_genesis, make_rollup, write_rollup
from consensus.deploy.settings import WEEK_S, DeploySettings, default_batch_inbox
from consensus.l1.client import L1Client
from consensus.l1.tx_sender import TxSender
from node.types.primitives import Address

__all__ = [
    "RECORD_FILE",
    "WEEK_S",
    "DeploySettings",
    "L1Addresses",
    "L1Contracts",
    "Rollup",
    "RollupStart",
    "addresses_to_json",
    "default_batch_inbox",
    "deploy",
    "earlier_rollup",
    "exclusive",
    "make_rollup",
    "read_addresses",
    "write_rollup",
]


def _unreported(done: int, total: int) -> None:
    """Tell nobody."""


async def deploy(
    l1: L1Client,
    sender: TxSender,
    settings: DeploySettings,
    l1_chain: Mapping[str, Any],
    *,
    record: Path | None = None,
    gifts: Mapping[Address, int] | None = None,
    begin: Callable[[], Awaitable[L1BlockRef]] | None = None,
    report: Callable[[int, int], None] = _unreported,
) -> Rollup:
    """Deploy the contracts, or go on with what `record` says has begun; return the rollup.

    The rollup begins after the L1 block that `begin` returns, the newest by default, once most
    contracts are there. `l1_chain` is the content of l1-chain.json; accounts of `gifts` get OPEN on
    L1 (in units of 10**-18). `report` hears how many steps are done, of how many.

    ConfigError, before anything is sent, for settings, an L1 or a key that will not do, and later
    if the key was used for something else; TemporaryError if L1 does not cooperate: the same call
    goes on. CriticalError if a transaction failed.
    """

    async def newest() -> L1BlockRef:
        return await l1.block_ref_by_label("latest")

    begun = None
    if record is not None:
        begun = await known_record(l1, sender.address, settings, record)
    if begun is None:
        begun = await new_record(l1, sender.address, settings)
    plan = Plan(settings, sender.address, begun.first_nonce, gifts or {})
    make_genesis(settings, plan.contracts, 0)
    await check_l1(l1, plan)
    if record is not None:
        write_record(record, begun)
    start = await Deployment(l1, sender, plan, begun, record, report).run(begin or newest)
    return make_rollup(settings, plan.contracts, start, begun.l1_chain_id, l1_chain)
