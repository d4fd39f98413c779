"""Whether a signed transaction can be included: by itself, and on the state at hand.

Messages begin with go-ethereum's phrases. Nothing is changed here.
"""

from typing import NamedTuple, NoReturn

from node.errors import (
    BlockGasLimitReached,
    FeeCapTooLow,
    InitCodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidTransaction,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
    TransactionTypeNotSupported,
)
from node.evm.environment import BlockEnvironment
from node.evm.interpreter import delegation_target
from node.evm.rules import Rules
from node.execution.fees import GAS_PER_BLOB
from node.execution.intrinsic import (
    MAX_INIT_CODE_SIZE,
    MAX_LANE_CALLDATA,
    GasBounds,
    gas_bounds,
    is_in_lane,
)
from node.execution.l1_fees import L1FeeParameters, l1_fee, operator_fee
from node.state.view import EMPTY_ACCOUNT, Account
from node.state.world_state import WorldState
from node.types.block import AnyTransaction
from node.types.primitives import EMPTY_CODE_HASH, Address, Hash32
from node.types.transaction import BLOB, MAX_NONCE, SET_CODE, Transaction

_BLOB_HASH_VERSION = 1


class RollupFees(NamedTuple):
    """What a rollup transaction pays besides gas, in wei: for its data, and to the operator."""

    l1: int
    operator: int


_NO_ROLLUP_FEES = RollupFees(0, 0)


def check_contents(tx: Transaction, chain_id: int, rules: Rules) -> GasBounds:
    """Check what depends on nothing but the transaction and the rules; recovers the sender."""
    _check_type(tx, rules)
    if tx.chain_id != chain_id and tx.chain_id is not None:
        raise InvalidTransaction(f"invalid chain id for signer: have {tx.chain_id} want {chain_id}")
    sender = tx.sender
    if tx.nonce >= MAX_NONCE:
        raise InvalidTransaction(f"nonce has max value: {_address(sender)}, nonce: {tx.nonce}")
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
        raise TipAboveFeeCap(
            f"max priority fee per gas higher than max fee per gas: {_address(sender)}, "
            f"maxPriorityFeePerGas: {tx.max_priority_fee_per_gas}, "
            f"maxFeePerGas: {tx.max_fee_per_gas}"
        )
    if tx.type == BLOB:
        _check_blob_hashes(tx)
    if tx.type == SET_CODE and not tx.authorization_list:
        raise InvalidTransaction(f"EIP-7702 transaction with empty auth list: {_address(sender)}")
    return check_size_and_gas(tx, rules)


def _check_type(tx: Transaction, rules: Rules) -> None:
    if (tx.type == BLOB and rules.is_rollup) or (tx.type == SET_CODE and not rules.is_prague):
        raise TransactionTypeNotSupported(f"transaction type not supported: {tx.type}")


def _check_blob_hashes(tx: Transaction) -> None:
    if not tx.blob_versioned_hashes:
        raise InvalidTransaction("blob transaction missing blob hashes")
    for index, versioned_hash in enumerate(tx.blob_versioned_hashes):
        if versioned_hash[0] != _BLOB_HASH_VERSION:
            raise InvalidTransaction(
                f"blob {index} has invalid hash version: have {versioned_hash[0]} "
                f"want {_BLOB_HASH_VERSION}"
            )


def check_size_and_gas(tx: AnyTransaction, rules: Rules) -> GasBounds:
    """Check gas limit and sizes against the contents; deposits too must pass (or fail on L2).

    Returns what running the transaction needs to know of them.
    """
    bounds = gas_bounds(tx, rules)
    if tx.gas < bounds.intrinsic:
        raise IntrinsicGasTooLow(f"intrinsic gas too low: have {tx.gas}, want {bounds.intrinsic}")
    if tx.gas < bounds.floor:
        raise IntrinsicGasTooLow(
            f"intrinsic gas too low: insufficient gas for floor data gas cost: "
            f"have {tx.gas}, want {bounds.floor}"
        )
    if tx.to is None and len(tx.data) > MAX_INIT_CODE_SIZE:
        raise InitCodeTooLarge(
            f"max initcode size exceeded: code size {len(tx.data)} limit {MAX_INIT_CODE_SIZE}"
        )
    if is_in_lane(tx, rules) and len(tx.data) > MAX_LANE_CALLDATA:
        raise InvalidTransaction(
            f"oversized data: attribution calldata of {len(tx.data)} bytes, "
            f"limit {MAX_LANE_CALLDATA} a transaction"
        )
    return bounds


def check_on_state(
    tx: Transaction,
    world: WorldState,
    environment: BlockEnvironment,
    gas_left: int,
    cost: int,
) -> Account:
    """Check sender, fee caps and the block's gas; `cost` is what the sender must own, in wei.

    Returns the sender's account.
    """
    sender = world.account(tx.sender) or EMPTY_ACCOUNT
    if tx.nonce != sender.nonce:
        _refuse_nonce(tx, sender.nonce)
    if sender.code_hash != EMPTY_CODE_HASH:
        _check_code(tx, sender.code_hash, world.get_code(tx.sender))
    if tx.max_fee_per_gas < environment.base_fee:
        raise FeeCapTooLow(
            f"max fee per gas less than block base fee: {_address(tx.sender)}, "
            f"maxFeePerGas: {tx.max_fee_per_gas}, baseFee: {environment.base_fee}"
        )
    if tx.type == BLOB and tx.max_fee_per_blob_gas < environment.blob_base_fee:
        raise FeeCapTooLow(
            f"max fee per blob gas less than block blob gas fee: {_address(tx.sender)}, "
            f"blobGasFeeCap: {tx.max_fee_per_blob_gas}, blobBaseFee: {environment.blob_base_fee}"
        )
    if sender.balance < cost:
        raise InsufficientFunds(
            f"insufficient funds for gas * price + value: {_address(tx.sender)} "
            f"have {sender.balance} want {cost}"
        )
    check_gas_left(tx, gas_left)
    return sender


def _check_code(tx: Transaction, code_hash: Hash32, code: bytes) -> None:
    """An account with code sends nothing (EIP-3607), unless it is delegated (EIP-7702)."""
    if delegation_target(code) is None:
        raise SenderNotEoa(
            f"sender not an eoa: {_address(tx.sender)}, codehash: 0x{code_hash.hex()}"
        )


def _refuse_nonce(tx: Transaction, nonce: int) -> NoReturn:
    text = f"{_address(tx.sender)}, tx: {tx.nonce} state: {nonce}"
    if tx.nonce < nonce:
        raise NonceTooLow(f"nonce too low: {text}")
    raise NonceTooHigh(f"nonce too high: {text}")


def check_gas_left(tx: AnyTransaction, gas_left: int) -> None:
    """Check that the block has room for the whole gas limit."""
    if tx.gas > gas_left:
        raise BlockGasLimitReached(f"gas limit reached: have {gas_left}, want {tx.gas}")


def upfront_cost(tx: Transaction, fees: RollupFees) -> int:
    """Return the wei that the sender must own: gas and blobs at their caps, value, rollup fees."""
    cost = tx.gas * tx.max_fee_per_gas + tx.value + fees.l1 + fees.operator
    return cost + blob_gas(tx) * tx.max_fee_per_blob_gas


def blob_gas(tx: Transaction) -> int:
    """Return the blob gas that a transaction uses, as its blobs are of one size (EIP-4844)."""
    return GAS_PER_BLOB * len(tx.blob_versioned_hashes)


def rollup_fees(tx: Transaction, l1_fees: L1FeeParameters | None, rules: Rules) -> RollupFees:
    """Return what a transaction must prepay besides gas; nothing without `l1_fees`."""
    if l1_fees is None:
        return _NO_ROLLUP_FEES
    return RollupFees(l1_fee(tx, l1_fees), operator_fee_at(tx.gas, l1_fees, rules))


def operator_fee_at(gas: int, l1_fees: L1FeeParameters, rules: Rules) -> int:
    """Return the operator fee for `gas` by the rules at hand; there is none before Isthmus."""
    return operator_fee(gas, l1_fees, is_jovian=rules.is_jovian) if rules.is_prague else 0


def _address(address: Address) -> str:
    return f"address 0x{address.hex()}"
