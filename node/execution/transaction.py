"""What one transaction does to the state: fees, authorizations, the message, refunds, payments."""

from dataclasses import dataclass

from node.errors import InsufficientFunds, InvalidTransaction
from node.evm.environment import BlockEnvironment
from node.evm.interpreter import (
    DELEGATION_PREFIX,
    Call,
    Outcome,
    delegation_target,
    run_message,
)
from node.evm.rules import Rules
from node.execution.intrinsic import AUTHORIZATION_GAS, GasBounds
from node.execution.l1_fees import L1FeeParameters
from node.execution.validity import (
    blob_gas,
    check_contents,
    check_gas_left,
    check_on_state,
    check_size_and_gas,
    operator_fee_at,
    rollup_fees,
    upfront_cost,
)
from node.state.view import Account
from node.state.world_state import WorldState
from node.types.block import AnyTransaction
from node.types.deposit import DepositTransaction
from node.types.primitives import (
    UINT64_MAX,
    UINT256_MAX,
    ZERO_ADDRESS,
    Address,
    Hash32,
    hex_address,
)
from node.types.transaction import MAX_NONCE, AccessList, Authorization, Transaction

BASE_FEE_VAULT = hex_address("4200000000000000000000000000000000000019")
L1_FEE_VAULT = hex_address("420000000000000000000000000000000000001a")
OPERATOR_FEE_VAULT = hex_address("420000000000000000000000000000000000001b")

_REFUND_QUOTIENT = 5
"""At most this part of the gas used comes back for cleared storage (EIP-3529)."""
_EXISTING_ACCOUNT_REFUND = AUTHORIZATION_GAS - 12_500
"""What comes back of an authorization whose account exists already (EIP-7702)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a transaction came to: the message's outcome, and gas used after refunds and floor."""

    outcome: Outcome
    gas_used: int


def apply_signed(
    tx: Transaction,
    world: WorldState,
    environment: BlockEnvironment,
    rules: Rules,
    l1_fees: L1FeeParameters | None,
    gas_left: int,
) -> Effect:
    """Check and run a signed transaction; InvalidTransaction comes before any change."""
    bounds = check_contents(tx, environment.chain_id, rules)
    fees = rollup_fees(tx, l1_fees, rules)
    account = check_on_state(tx, world, environment, gas_left, upfront_cost(tx, fees))
    price = tx.effective_gas_price(environment.base_fee)
    prepaid = tx.gas * price + blob_gas(tx) * environment.blob_base_fee + fees.l1 + fees.operator
    nonce, balance, storage_root, code_hash = account
    account = Account(nonce + 1, balance - prepaid, storage_root, code_hash)
    world.set_account(tx.sender, account)
    effect = run_transaction(tx, world, environment, rules, tx.sender, nonce, price, bounds)
    unused, used = tx.gas - effect.gas_used, effect.gas_used
    refund = unused * price
    if l1_fees is not None:
        operator_fee = operator_fee_at(used, l1_fees, rules)
        refund += fees.operator - operator_fee
        _pay_vaults(world, used * environment.base_fee, fees.l1, operator_fee, rules)
    if refund:
        world.add_balance(tx.sender, refund)
    world.add_balance(environment.coinbase, used * (price - environment.base_fee))
    _destroy(effect.outcome, world)
    return effect


def _pay_vaults(
    world: WorldState, base_fee: int, l1_fee: int, operator_fee: int, rules: Rules
) -> None:
    """Pay a rollup's fees to where they are collected; on L1 the base fee is burnt."""
    world.add_balance(BASE_FEE_VAULT, base_fee)
    world.add_balance(L1_FEE_VAULT, l1_fee)
    if rules.is_prague:
        world.add_balance(OPERATOR_FEE_VAULT, operator_fee)


def apply_deposit(
    tx: DepositTransaction,
    world: WorldState,
    environment: BlockEnvironment,
    rules: Rules,
    gas_left: int,
) -> Effect:
    """Run a deposit: it always succeeds in being included, unless the block has no room for it.

    The mint stays whatever happens. A deposit that a signed transaction's checks would refuse uses
    all its gas and has no effect but the sender's nonce.
    """
    if tx.is_system_transaction:
        raise InvalidTransaction("system tx not supported: isSystemTx must be false since Regolith")
    check_gas_left(tx, gas_left)
    world.set_balance(tx.sender, (world.get_balance(tx.sender) + tx.mint) & UINT256_MAX)
    nonce = world.get_nonce(tx.sender)
    world.set_nonce(tx.sender, (nonce + 1) & UINT64_MAX)
    try:
        bounds = check_size_and_gas(tx, rules)
        _check_value(tx, world)
    except InvalidTransaction as error:
        return Effect(Outcome(0, 0, (), b"", f"failed deposit: {error}", ()), tx.gas)
    effect = run_transaction(tx, world, environment, rules, tx.sender, nonce, 0, bounds)
    _destroy(effect.outcome, world)
    return effect


def _check_value(tx: DepositTransaction, world: WorldState) -> None:
    balance = world.get_balance(tx.sender)
    if balance < tx.value:
        raise InsufficientFunds(f"insufficient funds for transfer: have {balance} want {tx.value}")


def run_transaction(
    tx: AnyTransaction,
    world: WorldState,
    environment: BlockEnvironment,
    rules: Rules,
    sender: Address,
    nonce: int,
    gas_price: int,
    bounds: GasBounds,
) -> Effect:
    """Run the message of a transaction that is valid and whose nonce is already counted.

    `nonce` is the sender's before the transaction, `bounds` are what its checks have given. No fee
    moves here.
    """
    refund = 0
    access_list: AccessList = ()
    blob_hashes: tuple[Hash32, ...] = ()
    if isinstance(tx, Transaction):
        refund = _authorize(tx, world, environment.chain_id)
        access_list, blob_hashes = tx.access_list, tx.blob_versioned_hashes
    outcome = run_message(
        world,
        environment,
        rules,
        Call(
            sender=sender,
            to=tx.to,
            value=tx.value,
            data=tx.data,
            gas=tx.gas - bounds.intrinsic,
            gas_price=gas_price,
            nonce=nonce,
            access_list=access_list,
            blob_versioned_hashes=blob_hashes,
        ),
    )
    used = tx.gas - outcome.gas_left
    used -= min(refund + outcome.refund, used // _REFUND_QUOTIENT)
    return Effect(outcome, max(used, bounds.floor))


def _authorize(tx: Transaction, world: WorldState, chain_id: int) -> int:
    """Set the delegations of a type 4 transaction; return the refund that they give."""
    return sum(_delegate(item, world, chain_id) for item in tx.authorization_list)


def _delegate(authorization: Authorization, world: WorldState, chain_id: int) -> int:
    """Apply one authorization; an invalid one is skipped (EIP-7702, "Behavior")."""
    if authorization.chain_id not in (0, chain_id) or authorization.nonce >= MAX_NONCE:
        return 0
    authority = authorization.authority()
    if authority is None:
        return 0
    world.mark_address_warm(authority)
    code = world.get_code(authority)
    if code and delegation_target(code) is None:
        return 0
    if world.get_nonce(authority) != authorization.nonce:
        return 0
    refund = _EXISTING_ACCOUNT_REFUND if world.account_exists(authority) else 0
    if authorization.address == ZERO_ADDRESS:
        world.delete_code(authority)
    else:
        world.set_code(authority, DELEGATION_PREFIX + authorization.address)
    world.increment_nonce(authority)
    return refund


def _destroy(outcome: Outcome, world: WorldState) -> None:
    for address in outcome.destroyed:
        world.delete_account(address)
