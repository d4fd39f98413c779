"""Gas that a transaction costs before a single opcode runs, and the least that it may cost."""

from typing import NamedTuple

from node.evm.attribution import MAX_LANE_CALLDATA, lane_intrinsic_gas
from node.evm.opcodes import MAX_INIT_CODE_SIZE
from node.evm.rules import Rules
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.block import AnyTransaction
from node.types.deposit import DepositTransaction

__all__ = [
    "MAX_INIT_CODE_SIZE",
    "MAX_LANE_CALLDATA",
    "GasBounds",
    "gas_bounds",
    "is_in_lane",
]

TRANSACTION_GAS = 21_000
AUTHORIZATION_GAS = 25_000
"""Each EIP-7702 authorization, as if it created its account."""

_CREATE_GAS = 32_000
_INIT_CODE_WORD_GAS = 2
_TOKEN_GAS = 4
_FLOOR_TOKEN_GAS = 10
_NONZERO_TOKENS = 4
_ACCESS_LIST_ADDRESS_GAS = 2_400
_ACCESS_LIST_SLOT_GAS = 1_900


class GasBounds(NamedTuple):
    """The gas that a transaction's own contents cost, and the least that it may use in all.

    `floor` is that of EIP-7623, 0 where there is none.
    """

    intrinsic: int
    floor: int


def is_in_lane(tx: AnyTransaction, rules: Rules) -> bool:
    """Tell whether the calldata is priced by the attribution lane; a deposit's never is."""
    return (
        rules.lane is not None
        and tx.to == ATTRIBUTION_ADDRESS
        and not isinstance(tx, DepositTransaction)
    )


def gas_bounds(tx: AnyTransaction, rules: Rules) -> GasBounds:
    """Return what a transaction has to pay for whatever it does."""
    if rules.lane is not None and is_in_lane(tx, rules):
        gas, floor = lane_intrinsic_gas(len(tx.data), rules.lane.calldata_gas), 0
    else:
        tokens = _tokens(tx.data)
        gas = TRANSACTION_GAS + _TOKEN_GAS * tokens
        floor = TRANSACTION_GAS + _FLOOR_TOKEN_GAS * tokens if rules.is_prague else 0
    if tx.to is None:
        gas += _CREATE_GAS + _INIT_CODE_WORD_GAS * ((len(tx.data) + 31) // 32)
    if isinstance(tx, DepositTransaction):
        return GasBounds(gas, floor)
    for _, slots in tx.access_list:
        gas += _ACCESS_LIST_ADDRESS_GAS + _ACCESS_LIST_SLOT_GAS * len(slots)
    return GasBounds(gas + AUTHORIZATION_GAS * len(tx.authorization_list), floor)


def _tokens(data: bytes) -> int:
    zeros = data.count(0)
    return zeros + _NONZERO_TOKENS * (len(data) - zeros)
