"""Opcodes that call.

Each takes the frame and exactly the gas that is left after its own fixed cost, and returns the
frame that runs next: a new one, or the same if nothing needs to run. None means that the opcode
fails; nothing has changed then.
"""

from node.evm.call_message import CallMessage
from node.evm.code import delegation_target
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.memory import growth_gas, reserve
from node.evm.fast.program_cache import program_of
from node.evm.fast.rare import COLD_ACCOUNT_SURCHARGE, to_address
from node.evm.precompile_call import run_precompile
from node.types.primitives import Address

MAX_DEPTH = 1024

_VALUE_GAS = 9_000
_NEW_ACCOUNT_GAS = 25_000
_STIPEND = 2_300
_ACCOUNT_GAS = 100
_COPIED_DATA = 4_096
"""Bytes of data up to which copying is faster than looking at the caller's memory."""

CALL, CALLCODE, DELEGATECALL, STATICCALL = 0xF1, 0xF2, 0xF4, 0xFA


def call(frame: CallFrame, gas: int, opcode: int) -> CallFrame | None:
    """CALL, CALLCODE, DELEGATECALL or STATICCALL."""
    stack, state, memory = frame.stack, frame.state, frame.memory
    has_value = opcode in (CALL, CALLCODE)
    value = stack[-3] if has_value else 0
    if value and opcode == CALL and frame.is_static:
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
    if growth:
        reserve(memory, 0, reach, gas + growth)
    del stack[-7 if has_value else -6 :]
    given = min(requested, gas - (gas >> 6))
    frame.gas = gas - given
    allowance = given + _STIPEND if value else given
    if frame.message.depth == MAX_DEPTH or (value > 0 and state.get_balance(frame.address) < value):
        return refuse(frame, allowance)
    frame.result_start, frame.result_size = result_start, result_size
    data = _data(memory, start, size)
    return _enter(frame, _called(frame, opcode, address, delegate, value, data, code, allowance))


def _read_code(
    frame: CallFrame, address: Address, gas: int
) -> tuple[bytes, Address | None, tuple[Address, ...], int] | None:
    """Return the code that a call runs, the account that it is delegated to if it is, which of the
    two have not been touched before, and the gas left; None if that is less than reading costs.

    What is not paid is not read either: it need not be there.
    """
    state = frame.state
    cold: tuple[Address, ...] = ()
    if not state.is_address_warm(address):
        cold = (address,)
        gas -= COLD_ACCOUNT_SURCHARGE
    if gas < 0:
        return None
    code = state.get_code(address)
    delegate = delegation_target(code) if state.rules.is_prague else None
    if delegate is None:
        return code, None, cold, gas
    gas -= _ACCOUNT_GAS
    if delegate != address and not state.is_address_warm(delegate):
        gas -= COLD_ACCOUNT_SURCHARGE
        cold = (*cold, delegate)
    return None if gas < 0 else (state.get_code(delegate), delegate, cold, gas)


def _called(
    frame: CallFrame,
    opcode: int,
    address: Address,
    delegate: Address | None,
    value: int,
    data: bytes | memoryview,
    code: bytes,
    gas: int,
) -> CallMessage:
    """Return the message; its fields in their order, as naming them takes twice as long."""
    message, is_delegatecall = frame.message, opcode == DELEGATECALL
    return CallMessage(
        address if opcode in (CALL, STATICCALL) else message.address,
        address if delegate is None else delegate,
        message.caller if is_delegatecall else message.address,
        message.value if is_delegatecall else value,
        data,
        code,
        gas,
        message.depth + 1,
        False,  # it creates nothing
        opcode in (CALL, CALLCODE),
        message.is_static or opcode == STATICCALL,
        delegate is not None,
    )


def _data(memory: bytearray, start: int, size: int) -> bytes | memoryview:
    """Return a range of memory for a call, which costs the same however long it is."""
    if size > _COPIED_DATA:
        return memoryview(memory)[start : start + size]
    return bytes(memory[start : start + size]) if size else b""


def _enter(frame: CallFrame, message: CallMessage) -> CallFrame:
    """Begin a call, and end it at once if it has no code to run."""
    state = frame.state
    if message.code_address in state.rules.precompiles:
        ended = run_precompile(state, message)
        message.release_data()
        frame.gas += ended.gas_left
        _take(frame, ended.error is None, ended.output)
        return frame
    if not message.code:
        state.transfer(message)
        message.release_data()
        frame.gas += message.gas
        _take(frame, True, b"")
        return frame
    program = program_of(state.get_code_hash(message.code_address), message.code)
    child = CallFrame(state, frame.transaction, message, program, frame)
    child.begin()
    return child


def refuse(frame: CallFrame, gas: int) -> CallFrame:
    """Go on after a call or creation that did not come about: 0, no data, its gas given back."""
    frame.return_data = b""
    frame.gas += gas
    frame.stack.append(0)
    return frame


def resume(frame: CallFrame, child: CallFrame) -> None:
    """Give a frame what its callee, which is finished, leaves: success, gas and data."""
    is_success, output = child.error is None, child.output
    frame.gas += child.gas
    if child.message.creates:
        frame.stack.append(int.from_bytes(child.address, "big") if is_success else 0)
        frame.return_data = b"" if is_success else output
    else:
        _take(frame, is_success, output)


def _take(frame: CallFrame, is_success: bool, output: bytes) -> None:
    frame.stack.append(1 if is_success else 0)
    frame.return_data = output
    size = min(frame.result_size, len(output))
    if size:
        frame.memory[frame.result_start : frame.result_start + size] = output[:size]
