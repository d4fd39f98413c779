"""The door to the EVM: one message in, one outcome out.

Behind it is py-evm, the reference. Whatever else may come behind it takes the same arguments,
changes the world state in the same way and gives the same outcome to the last unit of gas.
"""

from dataclasses import dataclass

from eth.exceptions import (
    ContractCreationCollision,
    FullStack,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    Revert,
    VMError,
    WriteProtection,
)
from eth.vm.message import Message

from node.evm.environment import BlockEnvironment
from node.evm.frame import ExecutionState, Frame, TransactionContext
from node.evm.rules import Rules
from node.state.world_state import WorldState
from node.types.primitives import UINT256_MAX, Address, Hash32, create_address
from node.types.receipt import Log
from node.types.transaction import AccessList

REVERTED = "execution reverted"
DELEGATION_PREFIX = b"\xef\x01\x00"
_DELEGATION_SIZE = 23


@dataclass(frozen=True, slots=True)
class Call:
    """A top-level message: `to` None creates a contract with `data` as init code.

    `gas` is what is left after the intrinsic gas, `nonce` the sender's before the transaction
    (it gives a new contract its address), `value` and `gas_price` are in wei.
    """

    sender: Address
    to: Address | None
    value: int
    data: bytes
    gas: int
    gas_price: int
    nonce: int
    access_list: AccessList = ()
    blob_versioned_hashes: tuple[Hash32, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a message did. `error` is None on success and in go-ethereum's words otherwise.

    `output` is the return value, the deployed code or the data of a revert. `refund` is the
    counter of EIP-3529 before its cap. `destroyed` lists the accounts to delete at the end of the
    transaction (EIP-6780), after the fees are paid.
    """

    gas_left: int
    refund: int
    logs: tuple[Log, ...]
    output: bytes
    error: str | None
    destroyed: tuple[Address, ...]

    @property
    def success(self) -> bool:
        """Whether the message's effects stay."""
        return self.error is None


def run_message(
    world: WorldState, environment: BlockEnvironment, rules: Rules, call: Call
) -> Outcome:
    """Run a message; its effects are in `world` unless it failed.

    The sender's nonce has been increased and its balance covers `value`. A failure is an outcome,
    never an exception.
    """
    if call.to is not None and call.to not in rules.precompiles and not world.get_code(call.to):
        return _pay(world, call, call.to)
    state = ExecutionState(world, environment, rules)
    message = _message(world, rules, call)
    _warm(world, environment, call, message.storage_address)
    context = TransactionContext(call.sender, call.gas_price, call.blob_versioned_hashes)
    if not message.is_create:
        frame = Frame.apply_message(state, message, context)
    elif state.has_code_or_nonce(message.storage_address):
        frame = Frame(state, message, context)
        frame.fail(ContractCreationCollision("contract address collision"))
    else:
        frame = Frame.apply_create_message(state, message, context)
    return Outcome(
        gas_left=frame.get_gas_remaining(),
        refund=state.refund,
        logs=tuple(state.logs),
        output=frame.output,
        error=_error_text(frame.error) if frame.is_error else None,
        destroyed=tuple(dict.fromkeys(state.destroyed)),
    )


def _pay(world: WorldState, call: Call, recipient: Address) -> Outcome:
    """Transfer the value to an account without code: nothing runs that could fail, or see what is
    warm. A balance wraps as in a frame.
    """
    if call.value:
        for address, delta in ((call.sender, -call.value), (recipient, call.value)):
            world.set_balance(address, (world.get_balance(address) + delta) & UINT256_MAX)
    world.touch_account(recipient)
    return Outcome(call.gas, 0, (), b"", None, ())


def _message(world: WorldState, rules: Rules, call: Call) -> Message:
    if call.to is None:
        return Message(
            gas=call.gas,
            to=b"",
            sender=call.sender,
            value=call.value,
            data=b"",
            code=call.data,
            create_address=create_address(call.sender, call.nonce),
        )
    code = world.get_code(call.to)
    delegate = delegation_target(code) if rules.is_prague else None
    if delegate is not None:
        world.mark_address_warm(delegate)
        code = world.get_code(delegate)
    return Message(
        gas=call.gas,
        to=call.to,
        sender=call.sender,
        value=call.value,
        data=call.data,
        code=code,
        code_address=delegate,
        is_delegation=delegate is not None,
    )


def delegation_target(code: bytes) -> Address | None:
    """Return the account whose code runs instead, if `code` is a delegation (EIP-7702)."""
    if len(code) == _DELEGATION_SIZE and code.startswith(DELEGATION_PREFIX):
        return Address(code[len(DELEGATION_PREFIX) :])
    return None


def _warm(world: WorldState, environment: BlockEnvironment, call: Call, recipient: Address) -> None:
    """Mark what a transaction may touch at the warm price from the start (EIP-2929, 2930, 3651)."""
    world.mark_address_warm(call.sender)
    world.mark_address_warm(recipient)
    world.mark_address_warm(environment.coinbase)
    for address, slots in call.access_list:
        world.mark_address_warm(address)
        for slot in slots:
            world.mark_storage_warm(address, int.from_bytes(slot, "big"))


_ERROR_TEXTS: dict[type[VMError], str] = {
    Revert: REVERTED,
    OutOfGas: "out of gas",
    InvalidJumpDestination: "invalid jump destination",
    InsufficientStack: "stack underflow",
    FullStack: "stack limit reached",
    OutOfBoundsRead: "return data out of bounds",
    WriteProtection: "write protection",
}


def _error_text(error: VMError) -> str:
    if isinstance(error, InvalidInstruction):
        return f"invalid opcode: {error}"
    return _ERROR_TEXTS.get(type(error)) or str(error)
