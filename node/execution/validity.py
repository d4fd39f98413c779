"""Whether a signed transaction can be included: by itself, and on the state at hand.

Messages begin with go-ethereum's phrases. Nothing is changed here.
"""

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
    calldata_floor,
    intrinsic_gas,
    is_in_lane,
)
from node.execution.l1_fees import L1FeeParameters, l1_fee, operator_fee
from node.state.world_state import WorldState
from node.types.block import AnyTransaction
from node.types.primitives import Address
from node.types.transaction import BLOB, MAX_NONCE, SET_CODE, Transaction

_BLOB_HASH_VERSION = 1


def check_contents(tx: Transaction, chain_id: int, rules: Rules) -> None:
    """Check what depends on nothing but the transaction and the rules; recovers the sender."""
    _check_type(tx, rules)
    if tx.chain_id not in (None, chain_id):
        raise InvalidTransaction(f"invalid chain id for signer: have {tx.chain_id} want {chain_id}")
    who = _address(tx.sender)
    if tx.nonce >= MAX_NONCE:
        raise InvalidTransaction(f"nonce has max value: {who}, nonce: {tx.nonce}")
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
        raise TipAboveFeeCap(
            f"max priority fee per gas higher than max fee per gas: {who}, "
            f"maxPriorityFeePerGas: {tx.max_priority_fee_per_gas}, "
            f"maxFeePerGas: {tx.max_fee_per_gas}"
        )
    if tx.type == BLOB:
        _check_blob_hashes(tx)
    if tx.type == SET_CODE and not tx.authorization_list:
        raise InvalidTransaction(f"EIP-7702 transaction with empty auth list: {who}")
    check_size_and_gas(tx, rules)


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


def check_size_and_gas(tx: AnyTransaction, rules: Rules) -> None:
    """Check gas limit and sizes against the contents; deposits too must pass (or fail on L2)."""
    intrinsic = intrinsic_gas(tx, rules)
    if tx.gas < intrinsic:
        raise IntrinsicGasTooLow(f"intrinsic gas too low: have {tx.gas}, want {intrinsic}")
    floor = calldata_floor(tx, rules)
    if tx.gas < floor:
        raise IntrinsicGasTooLow(
            f"intrinsic gas too low: insufficient gas for floor data gas cost: "
            f"have {tx.gas}, want {floor}"
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


def check_on_state(
    tx: Transaction,
    world: WorldState,
    environment: BlockEnvironment,
    gas_left: int,
    cost: int,
) -> None:
    """Check sender, fee caps and the block's gas; `cost` is what the sender must own, in wei."""
    who = _address(tx.sender)
    _check_nonce(tx, world.get_nonce(tx.sender))
    code = world.get_code(tx.sender)
    if code and delegation_target(code) is None:
        code_hash = world.get_code_hash(tx.sender).hex()
        raise SenderNotEoa(f"sender not an eoa: {who}, codehash: 0x{code_hash}")
    if tx.max_fee_per_gas < environment.base_fee:
        raise FeeCapTooLow(
            f"max fee per gas less than block base fee: {who}, "
            f"maxFeePerGas: {tx.max_fee_per_gas}, baseFee: {environment.base_fee}"
        )
    if tx.type == BLOB and tx.max_fee_per_blob_gas < environment.blob_base_fee:
        raise FeeCapTooLow(
            f"max fee per blob gas less than block blob gas fee: {who}, "
            f"blobGasFeeCap: {tx.max_fee_per_blob_gas}, blobBaseFee: {environment.blob_base_fee}"
        )
    balance = world.get_balance(tx.sender)
    if balance < cost:
        raise InsufficientFunds(
            f"insufficient funds for gas * price + value: {who} have {balance} want {cost}"
        )
    check_gas_left(tx, gas_left)


def _check_nonce(tx: Transaction, nonce: int) -> None:
    if tx.nonce == nonce:
        return
    text = f"{_address(tx.sender)}, tx: {tx.nonce} state: {nonce}"
    if tx.nonce < nonce:
        raise NonceTooLow(f"nonce too low: {text}")
    raise NonceTooHigh(f"nonce too high: {text}")


def check_gas_left(tx: AnyTransaction, gas_left: int) -> None:
    """Check that the block has room for the whole gas limit."""
    if tx.gas > gas_left:
        raise BlockGasLimitReached(f"gas limit reached: have {gas_left}, want {tx.gas}")


def upfront_cost(tx: Transaction, l1_fees: L1FeeParameters | None, rules: Rules) -> int:
    """Return the wei that the sender must own: gas and blobs at their caps, value, rollup fees."""
    blob_gas = GAS_PER_BLOB * len(tx.blob_versioned_hashes)
    cost = tx.gas * tx.max_fee_per_gas + tx.value + blob_gas * tx.max_fee_per_blob_gas
    return cost + rollup_fees(tx, tx.gas, l1_fees, rules)


def rollup_fees(tx: Transaction, gas: int, l1_fees: L1FeeParameters | None, rules: Rules) -> int:
    """Return the L1 fee of a transaction and the operator fee for `gas`; 0 without `l1_fees`."""
    if l1_fees is None:
        return 0
    return l1_fee(tx, l1_fees) + operator_fee_at(gas, l1_fees, rules)


def operator_fee_at(gas: int, l1_fees: L1FeeParameters, rules: Rules) -> int:
    """Return the operator fee for `gas` by the rules at hand; there is none before Isthmus."""
    return operator_fee(gas, l1_fees, is_jovian=rules.is_jovian) if rules.is_prague else 0


def _address(address: Address) -> str:
    return f"address 0x{address.hex()}"
