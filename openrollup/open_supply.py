"""OPEN on L1 for development accounts, so that they can deposit it."""

import asyncio
from collections.abc import Sequence

from eth_abi.abi import encode as abi_encode

from consensus.l1.tx_sender import TransactionRequest, TxSender
from node.errors import CriticalError
from node.types.primitives import Address, checksum_address, keccak256

_TRANSFER = keccak256(b"transfer(address,uint256)")[:4]
_TRANSFER_GAS = 100_000


async def give_open(
    sender: TxSender, token: Address, receivers: Sequence[Address], amount: int
) -> None:
    """Send each receiver `amount` (in units of 10**-18 OPEN); CriticalError if L1 reverts one."""
    inclusions = await asyncio.gather(
        *(
            sender.send(
                TransactionRequest(
                    to=token,
                    data=_TRANSFER + abi_encode(("address", "uint256"), (receiver, amount)),
                    gas=_TRANSFER_GAS,
                )
            )
            for receiver in receivers
        )
    )
    for receiver, inclusion in zip(receivers, inclusions, strict=True):
        if inclusion.status != 1:
            raise CriticalError(f"OPEN for {checksum_address(receiver)} was refused by the token")
