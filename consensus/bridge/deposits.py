"""Deposits of OPEN: the calls on L1, and the transactions of L2 that come of them."""

from consensus.bridge.chain import Inclusion
from consensus.l1.contract_call import encode_call
from consensus.l1.deposit_logs import DEPOSIT_TOPIC, parse_deposit
from node.types.deposit import DepositTransaction
from node.types.primitives import Address

_GAS = 21_000
_GAS_PER_BYTE = 40
_MOST_GAS = 20_000_000
# Enough to reach an account that keeps a few words.
_GAS_TO_RUN = 100_000


def gas_limits(data: bytes) -> range:
    """Return the L2 gas that the portal sells to one deposit.

    From EIP-7623's floor at the dearest byte (its minimumGasLimit) to what an L1 block may buy.
    """
    return range(_GAS + _GAS_PER_BYTE * len(data), _MOST_GAS + 1)


def default_gas(data: bytes) -> int:
    """Return the L2 gas to buy for a deposit if nobody says how much."""
    return gas_limits(data).start + _GAS_TO_RUN


def approve_call(portal: Address, amount: int) -> bytes:
    """Return the token's calldata that lets the portal take `amount`."""
    return encode_call("approve(address,uint256)", portal, amount)


def deposit_call(to: Address, amount: int, gas: int, data: bytes) -> bytes:
    """Return the portal's calldata that locks OPEN and sends it to `to` on L2, with `data`."""
    signature = "depositERC20Transaction(address,uint256,uint256,uint64,bool,bytes)"
    return encode_call(signature, to, amount, amount, gas, False, data)


def deposits_of(inclusion: Inclusion, portal: Address) -> tuple[DepositTransaction, ...]:
    """Return the L2 transactions that an L1 transaction has made, in their order.

    They depend on the L1 block: after a reorg they are others. CriticalError if the portal has
    emitted what none can.
    """
    return tuple(
        parse_deposit(inclusion.block.hash, placed.index, placed.log)
        for placed in inclusion.logs
        if placed.log.address == portal and placed.log.topics[:1] == (DEPOSIT_TOPIC,)
    )
