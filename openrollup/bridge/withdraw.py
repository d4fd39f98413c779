"""`openrollup bridge withdraw`: the first step of OPEN from L2 to L1, on L2."""

from dataclasses import dataclass
from pathlib import Path

from consensus.bridge.withdrawal import withdrawals_of
from consensus.l1.contract_call import encode_call
from node.clock import Clock, SystemClock
from node.errors import OperationRefused
from node.genesis.genesis import MESSAGE_PASSER
from node.types.primitives import Address, checksum_address
from openrollup.bridge.account import Account
from openrollup.bridge.arguments import open_text
from openrollup.bridge.chains import open_l2
from openrollup.bridge.result import JsonResult, show
from openrollup.datadir import read_key


@dataclass(frozen=True, slots=True)
class WithdrawOptions:
    """`amount` is in units of 10**-18 OPEN, `gas_limit` the least gas of the call on L1."""

    l2_url: str
    key_file: Path
    amount: int
    to: Address | None
    data: bytes
    gas_limit: int
    json: bool


async def run_withdraw(options: WithdrawOptions, clock: Clock | None = None) -> int:
    """Hand OPEN to the message passer."""
    key = read_key(options.key_file)
    async with open_l2(options.l2_url) as l2:
        account = Account(l2, key, clock or SystemClock(), layer="L2", coin="OPEN")
        balance = await account.balance()
        if balance <= options.amount:
            raise OperationRefused(
                f"--amount: {checksum_address(account.address)} has {open_text(balance)} OPEN on "
                f"L2, too little to withdraw {open_text(options.amount)} and to pay for it"
            )
        target = options.to or account.address
        data = encode_call(
            "initiateWithdrawal(address,uint256,bytes)", target, options.gas_limit, options.data
        )
        what = f"withdrawing {open_text(options.amount)} OPEN"
        sent, inclusion = await account.send(what, MESSAGE_PASSER, data, options.amount)
    (withdrawal,) = withdrawals_of([placed.log for placed in inclusion.logs])
    result: JsonResult = {
        "l2Transaction": "0x" + sent.hex(),
        "l2Block": inclusion.block.number,
        "withdrawalHash": "0x" + withdrawal.hash.hex(),
    }
    lines = [
        f"L2 transaction  0x{sent.hex()}",
        f"withdrawal      0x{withdrawal.hash.hex()} in L2 block {inclusion.block.number}",
        "next: openrollup bridge prove, as soon as L1 has an output of that block",
    ]
    show(result, lines, json=options.json)
    return 0
