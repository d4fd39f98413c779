"""`openrollup bridge deposit`: OPEN from L1 to L2."""

import logging
from dataclasses import dataclass
from pathlib import Path

from consensus.bridge.chain import Chain, Inclusion
from consensus.bridge.deposits import (
    approve_call,
    default_gas,
    deposit_call,
    deposits_of,
    gas_limits,
)
from consensus.bridge.portal import Portal
from node.clock import Clock, SystemClock
from node.errors import ConfigError, OperationRefused
from node.types.deposit import DepositTransaction
from node.types.primitives import Address, Hash32, checksum_address
from openrollup.bridge.account import Account
from openrollup.bridge.arguments import open_text
from openrollup.bridge.chains import L1_BLOCK, check_pair, open_l1, open_l2
from openrollup.bridge.result import JsonResult, show
from openrollup.bridge.waiting import Awaited, wait_for
from openrollup.datadir import read_key

_log = logging.getLogger(__name__)

_BLOCKS_MEASURED = 10


@dataclass(frozen=True, slots=True)
class DepositOptions:
    """`amount` is in units of 10**-18 OPEN. Without `l2_url` nobody waits for its arrival."""

    l1_url: str
    l2_url: str | None
    addresses: Path | None
    portal: Address | None
    key_file: Path
    amount: int
    to: Address | None
    data: bytes
    gas_limit: int | None
    json: bool


async def run_deposit(options: DepositOptions, clock: Clock | None = None) -> int:
    """Approve if needed, lock the OPEN, and wait until it is on L2."""
    clock = clock or SystemClock()
    key = read_key(options.key_file)
    async with open_l1(options.l1_url, options.addresses, options.portal) as portal:
        account = Account(portal.l1, key, clock, layer="L1", coin="ether")
        if options.l2_url is None:
            return await _deposit(options, portal, account, None, clock)
        async with open_l2(options.l2_url) as l2:
            await check_pair(portal, l2)
            return await _deposit(options, portal, account, l2, clock)


async def arrival(
    portal: Portal, l2: Chain, on_l1: Hash32, clock: Clock
) -> tuple[DepositTransaction, Inclusion]:
    """Wait until the deposit of an L1 transaction is on L2, whatever L1's reorgs make of it."""

    async def look() -> tuple[DepositTransaction, Inclusion] | Awaited:
        inclusion = await portal.l1.inclusion(on_l1)
        if inclusion is None:
            return Awaited(f"L1 to include 0x{on_l1.hex()} again, whose block is gone")
        if not inclusion.is_success:
            raise OperationRefused(
                f"L1 was reorganised, and 0x{on_l1.hex()} is reverted now: nothing was locked"
            )
        deposit = deposits_of(inclusion, portal.address)[0]
        found = await l2.inclusion(deposit.hash)
        if found is not None:
            return deposit, found
        read = await l2.read(L1_BLOCK, "number()", "(uint64)")
        missing = inclusion.block.number - read
        wait_s = round(max(missing, 1) * await _l1_interval_s(portal.l1))
        return Awaited(f"L2 to read L1 block {inclusion.block.number} (it has {read})", wait_s)

    return await wait_for(look, clock)


async def _deposit(
    options: DepositOptions, portal: Portal, account: Account, l2: Chain | None, clock: Clock
) -> int:
    gas = default_gas(options.data) if options.gas_limit is None else options.gas_limit
    if gas not in (limits := gas_limits(options.data)):
        raise ConfigError(
            f"--gas-limit: expected {limits.start} to {limits.stop - 1} for {len(options.data)} "
            f"bytes of data, got {gas}"
        )
    await _allow(options, portal, account)
    data = deposit_call(options.to or account.address, options.amount, gas, options.data)
    what = f"depositing {open_text(options.amount)} OPEN"
    on_l1, inclusion = await account.send(what, portal.address, data)
    deposit = deposits_of(inclusion, portal.address)[0]
    _log.info(
        "locked in L1 block %d by 0x%s; `openrollup bridge status` with it tells of the rest",
        inclusion.block.number,
        on_l1.hex(),
    )
    if l2 is None:
        show(*_sent(on_l1, deposit), json=options.json)
        return 0
    deposit, found = await arrival(portal, l2, on_l1, clock)
    show(*arrived(on_l1, deposit, found), json=options.json)
    return 0 if found.is_success else 1


async def _allow(options: DepositOptions, portal: Portal, account: Account) -> None:
    """See that the account has the OPEN, and that the portal may take it."""
    if options.amount == 0:
        return
    read, owner = portal.l1.read, account.address
    balance = await read(portal.token, "balanceOf(address)", "(uint256)", owner)
    if balance < options.amount:
        raise OperationRefused(
            f"--amount: {checksum_address(owner)} has {open_text(balance)} OPEN on L1 (token "
            f"{checksum_address(portal.token)}), {open_text(options.amount)} are to be deposited"
        )
    allowance = await read(
        portal.token, "allowance(address,address)", "(uint256)", owner, portal.address
    )
    if allowance < options.amount:
        data = approve_call(portal.address, options.amount)
        await account.send("approving", portal.token, data)


async def _l1_interval_s(l1: Chain) -> float:
    head = await l1.head()
    earlier = await l1.header(max(0, head.number - _BLOCKS_MEASURED))
    return (head.timestamp - earlier.timestamp) / max(1, head.number - earlier.number)


def _sent(on_l1: Hash32, deposit: DepositTransaction) -> tuple[JsonResult, list[str]]:
    result: JsonResult = {"l1Transaction": _hex(on_l1), "l2Transaction": _hex(deposit.hash)}
    return result, [f"L1 transaction  {_hex(on_l1)}", f"L2 transaction  {_hex(deposit.hash)}"]


def arrived(
    on_l1: Hash32, deposit: DepositTransaction, found: Inclusion
) -> tuple[JsonResult, list[str]]:
    """Return what there is to say about a deposit that is on L2."""
    result, lines = _sent(on_l1, deposit)
    result |= {"l2Block": found.block.number, "success": found.is_success}
    minted = f"{open_text(deposit.mint)} OPEN in L2 block {found.block.number}"
    if found.is_success:
        target = "a new contract" if deposit.to is None else checksum_address(deposit.to)
        lines.append(f"{minted}, at {target}")
    else:
        sender = checksum_address(deposit.sender)
        lines.append(f"{minted}; what it was to do there failed, they are at {sender}")
    return result, lines


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
