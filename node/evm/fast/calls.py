"""Opcodes that leave a frame for another one, and SELFDESTRUCT.

Each takes the frame and exactly the gas that is left after its own fixed cost, and returns the
frame that runs next: a new one, or the same if nothing needs to run. None means that the opcode
fails; nothing has changed then.
"""

from node.evm.call_message import CallMessage
from node.evm.code import delegation_target
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.memory import growth_gas, reserve
from node.evm.fast.program import Program
from node.evm.fast.program_cache import program_of
from node.evm.fast.rare import COLD_ACCOUNT_SURCHARGE, to_address
from node.evm.opcodes import MAX_INIT_CODE_SIZE
from node.evm.precompile_call import PrecompileCall
from node.types.primitives import UINT64_MAX, Address, create_address, keccak256

_VALUE_GAS = 9_000
_NEW_ACCOUNT_GAS = 25_000
_STIPEND = 2_300
_ACCOUNT_GAS = 100
_COLD_BENEFICIARY_GAS = 2_600
_INIT_CODE_WORD_GAS = 2
_HASH_WORD_GAS = 6
_MAX_DEPTH = 1024

CALL, CALLCODE, DELEGATECALL, STATICCALL = 0xF1, 0xF2, 0xF4, 0xFA
CREATE2 = 0xF5


def call(frame: CallFrame, gas: int, opcode: int) -> CallFrame | None:
    """CALL, CALLCODE, DELEGATECALL or STATICCALL."""
    stack, state, memory = frame.stack, frame.state, frame.memory
    has_value = opcode in (CALL, CALLCODE)
    value = stack[-3] if has_value else 0
    if opcode == CALL and value and frame.is_static:
        return None
    requested, address = stack[-1], to_address(stack[-2])
    result_size, result_start, size, start = stack[-7:-3] if has_value else stack[-6:-2]
    # The longer of the two ranges decides: what it costs is the same in one step as in two.
    reach = max(start + size if size else 0, result_start + result_size if result_size else 0)
    growth = growth_gas(memory, reach) if reach > len(memory) else 0
    found = _read_code(frame, address, gas - growth)
    if found is None:
        return None
    code, delegate, cold, gas = found
    if value:
        gas -= _VALUE_GAS
        if opcode == CALL and state.account_is_empty(address):
            gas -= _NEW_ACCOUNT_GAS
    if gas < 0:
        return None
    for item in cold:
        state.mark_address_warm(item)
    gas = reserve(memory, 0, reach, gas + growth)
    del stack[-7 if has_value else -6 :]
    given = min(requested, gas - (gas >> 6))
    frame.gas = gas - given
    frame.result_start, frame.result_size = result_start, result_size
    data = bytes(memory[start : start + size]) if size else b""
    allowance = given + _STIPEND if value else given
    return _enter(frame, _called(frame, opcode, address, delegate, value, data, code, allowance))


def _read_code(
    frame: CallFrame, address: Address, gas: int
) -> tuple[bytes, Address | None, list[Address], int] | None:
    """Return the code that a call runs, the account that it is delegated to if it is, which of the
    two have not been touched before, and the gas left; None if that is less than reading costs.

    What is not paid is not read either: it need not be there.
    """
    state = frame.state
    cold = [] if state.is_address_warm(address) else [address]
    gas -= COLD_ACCOUNT_SURCHARGE * len(cold)
    if gas < 0:
        return None
    code = state.get_code(address)
    delegate = delegation_target(code) if state.rules.is_prague else None
    if delegate is None:
        return code, None, cold, gas
    gas -= _ACCOUNT_GAS
    if delegate != address and not state.is_address_warm(delegate):
        gas -= COLD_ACCOUNT_SURCHARGE
        cold.append(delegate)
    return None if gas < 0 else (state.get_code(delegate), delegate, cold, gas)


def _called(
    frame: CallFrame,
    opcode: int,
    address: Address,
    delegate: Address | None,
    value: int,
    data: bytes,
    code: bytes,
    gas: int,
) -> CallMessage:
    is_delegatecall = opcode == DELEGATECALL
    return CallMessage(
        address=address if opcode in (CALL, STATICCALL) else frame.address,
        code_address=address if delegate is None else delegate,
        caller=frame.message.caller if is_delegatecall else frame.address,
        value=frame.message.value if is_delegatecall else value,
        data=data,
        code=code,
        gas=gas,
        depth=frame.message.depth + 1,
        transfers_value=opcode in (CALL, CALLCODE),
        is_static=frame.is_static or opcode == STATICCALL,
        is_delegation=delegate is not None,
    )


def _enter(frame: CallFrame, message: CallMessage) -> CallFrame:
    """Begin a call, and end it at once if it has no code to run."""
    is_unfunded = message.transfers_value and (
        frame.state.get_balance(frame.address) < message.value
    )
    if is_unfunded or message.depth > _MAX_DEPTH:
        return _refuse(frame, message.gas)
    child = CallFrame(frame.state, frame.transaction, message, program_of(message.code), frame)
    child.begin()
    if message.code_address in frame.state.rules.precompiles:
        run_precompile(child)
        child.finish()
        resume(frame, child)
        return frame
    return child


def _refuse(frame: CallFrame, gas: int) -> CallFrame:
    """Go on after a call or creation that did not come about: 0, no data, its gas given back."""
    frame.return_data = b""
    frame.gas += gas
    frame.stack.append(0)
    return frame


def run_precompile(frame: CallFrame) -> None:
    """Run the precompile of a frame.

    An account that is delegated to a precompile runs nothing (EIP-7702).
    """
    if frame.message.is_delegation:
        return
    call = PrecompileCall(frame.state, frame.message, frame.gas)
    error = call.run()
    frame.gas, frame.output = call.gas_remaining, call.output
    if error is not None:
        frame.fail(error)


def resume(frame: CallFrame, child: CallFrame) -> None:
    """Give a frame what its callee, which is finished, leaves: success, gas and data."""
    message, is_success, output = child.message, child.error is None, child.output
    frame.gas += child.gas
    if message.creates:
        frame.stack.append(int.from_bytes(child.address, "big") if is_success else 0)
        frame.return_data = b"" if is_success else output
        return
    frame.stack.append(1 if is_success else 0)
    frame.return_data = output
    size = min(frame.result_size, len(output))
    if size:
        frame.memory[frame.result_start : frame.result_start + size] = output[:size]


def create(frame: CallFrame, gas: int, opcode: int) -> CallFrame | None:
    """CREATE or CREATE2."""
    stack, state, memory = frame.stack, frame.state, frame.memory
    value, start, size = stack[-1], stack[-2], stack[-3]
    if frame.is_static or size > MAX_INIT_CODE_SIZE:
        return None
    word_gas = _INIT_CODE_WORD_GAS + (_HASH_WORD_GAS if opcode == CREATE2 else 0)
    gas -= word_gas * ((size + 31) >> 5)
    if gas < 0 or (gas := reserve(memory, start, size, gas)) < 0:
        return None
    salt = stack[-4] if opcode == CREATE2 else None
    del stack[-3 if salt is None else -4 :]
    nonce = state.get_nonce(frame.address)
    depth = frame.message.depth + 1
    frame.gas = gas
    if state.get_balance(frame.address) < value or depth > _MAX_DEPTH or nonce >= UINT64_MAX:
        return _refuse(frame, 0)
    frame.gas = gas >> 6
    code = bytes(memory[start : start + size]) if size else b""
    address = (
        create_address(frame.address, nonce)
        if salt is None
        else _create2_address(frame.address, salt, code)
    )
    state.increment_nonce(frame.address)
    state.mark_address_warm(address)
    if state.has_code_or_nonce(address):
        return _refuse(frame, 0)
    message = CallMessage(
        address, address, frame.address, value, b"", code, gas - (gas >> 6), depth, creates=True
    )
    child = CallFrame(state, frame.transaction, message, Program(code), frame)
    if salt is not None:
        state.delete_storage(address)
    child.begin()
    return child


def _create2_address(creator: Address, salt: int, code: bytes) -> Address:
    """Return the address of EIP-1014."""
    return Address(keccak256(b"\xff" + creator + salt.to_bytes(32, "big") + keccak256(code))[12:])


def selfdestruct(frame: CallFrame, gas: int) -> bool:
    """SELFDESTRUCT: delete only what this transaction created (EIP-6780); False if it fails."""
    state, address = frame.state, frame.address
    beneficiary = to_address(frame.stack[-1])
    is_cold = not state.is_address_warm(beneficiary)
    gas -= _COLD_BENEFICIARY_GAS if is_cold else 0
    if gas < 0 or frame.is_static:
        return False
    balance = state.get_balance(address)
    gas -= _NEW_ACCOUNT_GAS if balance and state.account_is_empty(beneficiary) else 0
    if gas < 0:
        return False
    frame.gas = gas
    if is_cold:
        state.mark_address_warm(beneficiary)
    state.delta_balance(beneficiary, balance)
    if address in state.created:
        # Not a transfer: what a new contract leaves to itself is burnt.
        state.set_balance(address, 0)
        state.destroyed.append(address)
    else:
        state.delta_balance(address, -balance)
    return True
