"""The door to the EVM: one message in, one outcome out.

Behind it are py-evm's opcodes, the reference, and our own loop. Both take the same arguments,
change the world state in the same way and give the same outcome to the last unit of gas; the rules
say which of them runs.
"""

from dataclasses import dataclass, replace

from eth.exceptions import (
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

from node.errors import CorruptStore, InterpretersDiffer
from node.evm.call_message import CallMessage
from node.evm.code import DELEGATION_PREFIX, delegation_target
from node.evm.comparison import check_equal
from node.evm.environment import BlockEnvironment, no_interrupt
from node.evm.fast.run import run_fast
from node.evm.frame import ExecutionState, TransactionContext, run_reference
from node.evm.rules import Interpreter, Rules
from node.evm.tracing.explanation import BROKEN, Run, explain
from node.state.world_state import WorldState
from node.types.primitives import UINT256_MAX, Address, Hash32, create_address
from node.types.receipt import Log
from node.types.transaction import AccessList

__all__ = [
    "DELEGATION_PREFIX",
    "REVERTED",
    "Call",
    "Interpreter",
    "Outcome",
    "delegation_target",
    "run_message",
]

REVERTED = "execution reverted"


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
    if rules.interpreter is Interpreter.BOTH:
        return _run_both(world, environment, rules, call)
    return _run(world, environment, rules, call, _RUNS[rules.interpreter])


_RUNS: dict[Interpreter, Run] = {
    Interpreter.REFERENCE: run_reference,
    Interpreter.FAST: run_fast,
}


def _run(
    world: WorldState, environment: BlockEnvironment, rules: Rules, call: Call, run: Run
) -> Outcome:
    state = ExecutionState(world, environment, rules)
    message = _message(world, rules, call)
    _warm(world, environment, call, message.address)
    if message.creates and state.has_code_or_nonce(message.address):
        return Outcome(0, 0, (), b"", "contract address collision", ())
    context = TransactionContext(call.sender, call.gas_price, call.blob_versioned_hashes)
    ended = run(state, message, context)
    return Outcome(
        gas_left=ended.gas_left,
        refund=state.refund,
        logs=tuple(state.logs),
        output=ended.output,
        error=None if ended.error is None else _error_text(ended.error),
        destroyed=tuple(dict.fromkeys(state.destroyed)),
    )


def _run_both(
    world: WorldState, environment: BlockEnvironment, rules: Rules, call: Call
) -> Outcome:
    checkpoint = world.record()
    expected = _run(world, environment, rules, call, run_reference)
    expected_effects = world.effects(checkpoint)
    world.discard(checkpoint)
    try:
        alone = replace(rules, interpreter=Interpreter.FAST)
        actual = _run(world, environment, alone, call, run_fast)
        check_equal(expected, actual, expected_effects, world.effects(checkpoint))
    except CorruptStore:
        raise
    except BROKEN as error:
        world.discard(checkpoint)
        raise _explained(world, environment, rules, call, error) from error
    return actual


def _explained(
    world: WorldState, environment: BlockEnvironment, rules: Rules, call: Call, error: Exception
) -> InterpretersDiffer:
    """Run both again, step by step, and say where they part."""
    checkpoint = world.record()
    patient = replace(environment, interrupt=no_interrupt)

    def run_again(traced: Rules, run: Run) -> None:
        try:
            _run(world, patient, traced, call, run)
        finally:
            world.discard(checkpoint)

    step, trace = explain(rules, run_again)
    return InterpretersDiffer(f"{error or type(error).__name__}; first in {step}", trace)


def _pay(world: WorldState, call: Call, recipient: Address) -> Outcome:
    """Transfer the value to an account without code: nothing runs that could fail, or see what is
    warm. A balance wraps as in a frame.
    """
    if call.value:
        world.add_balance(call.sender, -call.value)
        received = world.get_balance(recipient) + call.value
        world.set_balance(recipient, received & UINT256_MAX)
    else:
        world.touch_account(recipient)
    return Outcome(call.gas, 0, (), b"", None, ())


def _message(world: WorldState, rules: Rules, call: Call) -> CallMessage:
    if call.to is None:
        address = create_address(call.sender, call.nonce)
        return CallMessage(
            address, address, call.sender, call.value, b"", call.data, call.gas, creates=True
        )
    code = world.get_code(call.to)
    delegate = delegation_target(code) if rules.is_prague else None
    if delegate is not None:
        world.mark_address_warm(delegate)
        code = world.get_code(delegate)
    return CallMessage(
        address=call.to,
        code_address=call.to if delegate is None else delegate,
        caller=call.sender,
        value=call.value,
        data=call.data,
        code=code,
        gas=call.gas,
        is_delegation=delegate is not None,
    )


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
