"""The withdrawal that a command is about: found by the L2 transaction that has begun it."""

from dataclasses import dataclass

from consensus.bridge.chain import Chain
from consensus.bridge.portal import Portal
from consensus.bridge.withdrawal import Withdrawal, withdrawals_of
from node.errors import ConfigError, OperationRefused
from node.types.primitives import Hash32


@dataclass(frozen=True, slots=True)
class Begun:
    """A withdrawal, and the L2 block that holds it."""

    withdrawal: Withdrawal
    l2_block: int


async def find_begun(portal: Portal, l2: Chain, transaction: Hash32, index: int | None) -> Begun:
    """Return withdrawal `index` of an L2 transaction, which may be None if it has but one.

    ConfigError or OperationRefused if there is none; TemporaryError if a node does not answer.
    """
    name = f"--tx: 0x{transaction.hex()}"
    inclusion = await l2.inclusion(transaction)
    if inclusion is None:
        raise await _absent(portal, l2, transaction, name)
    if not inclusion.is_success:
        raise OperationRefused(f"{name} was reverted on L2: nothing was withdrawn by it")
    found = withdrawals_of([placed.log for placed in inclusion.logs])
    if not found:
        raise ConfigError(f"{name} withdraws nothing: give the transaction of the withdrawal on L2")
    return Begun(found[chosen(len(found), index, name)], inclusion.block.number)


def chosen(count: int, index: int | None, name: str) -> int:
    """Return which of a transaction's transfers is meant; ConfigError if that is not clear."""
    if index is None and count > 1:
        raise ConfigError(f"{name} has {count} transfers: say which by --index 0 to {count - 1}")
    if index is not None and index >= count:
        raise ConfigError(
            f"--index: expected 0 to {count - 1} (the transaction has {count}), got {index}"
        )
    return index or 0


async def _absent(
    portal: Portal, l2: Chain, transaction: Hash32, name: str
) -> ConfigError | OperationRefused:
    if await l2.knows(transaction):
        return OperationRefused(f"{name} is not in an L2 block yet: try again when it is")
    if await portal.l1.inclusion(transaction) is not None:
        return ConfigError(f"{name} is a transaction of L1: give that of the withdrawal on L2")
    return ConfigError(f"{name}: there is no such transaction on L2 (chain {l2.chain_id})")
