"""Opcodes that begin and end contracts.

Each takes the frame and exactly the gas that is left after its own fixed cost. Nothing has changed
when one fails.
"""

from node.evm.call_message import CallMessage
from node.evm.fast.call_frame import CallFrame
from node.evm.fast.calls import MAX_DEPTH, refuse
from node.evm.fast.memory import reserve
from node.evm.fast.program import Program
from node.evm.fast.rare import to_address
from node.evm.opcodes import MAX_INIT_CODE_SIZE
from node.types.primitives import UINT64_MAX, Address, create_address, keccak256

_NEW_ACCOUNT_GAS = 25_000
_COLD_BENEFICIARY_GAS = 2_600
_INIT_CODE_WORD_GAS = 2
_HASH_WORD_GAS = 6
_CREATE2 = 0xF5


def create(frame: CallFrame, gas: int, opcode: int) -> CallFrame | None:
    """CREATE or CREATE2; returns the frame that runs next, None if the opcode fails."""
    stack, state, memory = frame.stack, frame.state, frame.memory
    value, start, size = stack[-1], stack[-2], stack[-3]
    if frame.is_static or size > MAX_INIT_CODE_SIZE:
        return None
    word_gas = _INIT_CODE_WORD_GAS + (_HASH_WORD_GAS if opcode == _CREATE2 else 0)
    gas -= word_gas * ((size + 31) >> 5)
    if gas < 0 or (gas := reserve(memory, start, size, gas)) < 0:
        return None
    salt = stack[-4] if opcode == _CREATE2 else None
    del stack[-3 if salt is None else -4 :]
    nonce = state.get_nonce(frame.address)
    depth = frame.message.depth + 1
    frame.gas = gas
    if state.get_balance(frame.address) < value or depth > MAX_DEPTH or nonce >= UINT64_MAX:
        return refuse(frame, 0)
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
        return refuse(frame, 0)
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
