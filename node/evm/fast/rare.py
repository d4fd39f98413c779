"""Opcodes that are too rare for a place in the loop.

Each is a function of the frame and the gas left (after the fixed gas of its whole segment), and
returns the gas left after it. A negative result means that the opcode fails, or cannot be paid;
nothing has changed then, and the reference finds out which.
"""

from collections.abc import Callable

from node.evm.fast.call_frame import CallFrame
from node.evm.fast.memory import grow, growth_gas, reserve
from node.types.primitives import UINT256_MAX, Address, Hash32
from node.types.receipt import Log

FAILED = -1
COLD_ACCOUNT_SURCHARGE = 2_500
"""The first access to an account costs 2,600 rather than 100 (EIP-2929)."""

_COPY_WORD_GAS = 3
_EXP_BYTE_GAS = 50
_LOG_BYTE_GAS = 8
_ADDRESS_MASK = (1 << 160) - 1

Rare = Callable[[CallFrame, int], int]


def to_address(word: int) -> Address:
    """Return the address in a word's low 20 bytes."""
    return Address((word & _ADDRESS_MASK).to_bytes(20, "big"))


def _exp(frame: CallFrame, gas: int) -> int:
    stack = frame.stack
    exponent = stack[-2]
    gas -= _EXP_BYTE_GAS * ((exponent.bit_length() + 7) >> 3)
    if gas >= 0:
        base = stack.pop()
        stack[-1] = pow(base, exponent, UINT256_MAX + 1)
    return gas


def _access_account(frame: CallFrame, address: Address, gas: int) -> int:
    """Charge for the first access to an account and mark it; negative if that cannot be paid."""
    state = frame.state
    if state.is_address_warm(address):
        return gas
    gas -= COLD_ACCOUNT_SURCHARGE
    if gas >= 0:
        state.mark_address_warm(address)
    return gas


def _balance(frame: CallFrame, gas: int) -> int:
    address = to_address(frame.stack[-1])
    gas = _access_account(frame, address, gas)
    if gas >= 0:
        frame.stack[-1] = frame.state.get_balance(address)
    return gas


def _extcodesize(frame: CallFrame, gas: int) -> int:
    address = to_address(frame.stack[-1])
    gas = _access_account(frame, address, gas)
    if gas >= 0:
        frame.stack[-1] = len(frame.state.get_code(address))
    return gas


def _extcodehash(frame: CallFrame, gas: int) -> int:
    address, state = to_address(frame.stack[-1]), frame.state
    gas = _access_account(frame, address, gas)
    if gas >= 0:
        is_empty = state.account_is_empty(address)
        frame.stack[-1] = 0 if is_empty else int.from_bytes(state.get_code_hash(address), "big")
    return gas


def _extcodecopy(frame: CallFrame, gas: int) -> int:
    stack, state = frame.stack, frame.state
    address = to_address(stack[-1])
    surcharge = 0 if state.is_address_warm(address) else COLD_ACCOUNT_SURCHARGE
    # All of it has to be paid before anything is read or marked.
    to, _, size = stack[-2:-5:-1]
    end = to + size
    growth = growth_gas(frame.memory, end) if size and end > len(frame.memory) else 0
    if gas < surcharge + growth + _COPY_WORD_GAS * ((size + 31) >> 5):
        return FAILED
    if surcharge:
        state.mark_address_warm(address)
    stack.pop()
    return _copy(frame, state.get_code(address), gas - surcharge)


def _copy(frame: CallFrame, source: bytes | memoryview, gas: int) -> int:
    """Copy from `source` to memory as the top of the stack says; beyond its end it is zeros."""
    stack = frame.stack
    to, start, size = stack[-1], stack[-2], stack[-3]
    gas -= _COPY_WORD_GAS * ((size + 31) >> 5)
    if gas < 0:
        return gas
    gas = reserve(frame.memory, to, size, gas)
    if gas >= 0:
        del stack[-3:]
        if size:
            part = source[start : start + size]
            frame.memory[to : to + size] = (
                part if len(part) == size else bytes(part).ljust(size, b"\x00")
            )
    return gas


def _calldatacopy(frame: CallFrame, gas: int) -> int:
    return _copy(frame, frame.data, gas)


def _codecopy(frame: CallFrame, gas: int) -> int:
    return _copy(frame, frame.message.code, gas)


def _returndatacopy(frame: CallFrame, gas: int) -> int:
    if frame.stack[-2] + frame.stack[-3] > len(frame.return_data):
        return FAILED
    return _copy(frame, frame.return_data, gas)


def _mcopy(frame: CallFrame, gas: int) -> int:
    stack, memory = frame.stack, frame.memory
    to, start, size = stack[-1], stack[-2], stack[-3]
    gas -= _COPY_WORD_GAS * ((size + 31) >> 5)
    if gas < 0:
        return gas
    gas = reserve(memory, max(to, start), size, gas)
    if gas >= 0:
        del stack[-3:]
        if size:
            memory[to : to + size] = memory[start : start + size]
    return gas


def _blockhash(frame: CallFrame, gas: int) -> int:
    frame.stack[-1] = int.from_bytes(frame.state.get_ancestor_hash(frame.stack[-1]), "big")
    return gas


def _selfbalance(frame: CallFrame, gas: int) -> int:
    frame.stack.append(frame.state.get_balance(frame.address))
    return gas


def _blobhash(frame: CallFrame, gas: int) -> int:
    hashes, index = frame.transaction.blob_versioned_hashes, frame.stack[-1]
    frame.stack[-1] = int.from_bytes(hashes[index], "big") if index < len(hashes) else 0
    return gas


def _mstore8(frame: CallFrame, gas: int) -> int:
    stack, memory = frame.stack, frame.memory
    offset = stack[-1]
    if offset >= len(memory):
        gas = grow(memory, offset + 1, gas)
    if gas >= 0:
        memory[offset] = stack[-2] & 0xFF
        del stack[-2:]
    return gas


def _tload(frame: CallFrame, gas: int) -> int:
    value = frame.state.get_transient_storage(frame.address, frame.stack[-1])
    frame.stack[-1] = int.from_bytes(value, "big")
    return gas


def _tstore(frame: CallFrame, gas: int) -> int:
    if frame.is_static:
        return FAILED
    slot, value = frame.stack.pop(), frame.stack.pop()
    frame.state.set_transient_storage(frame.address, slot, value.to_bytes(32, "big"))
    return gas


def _log(topics: int) -> Rare:
    def log(frame: CallFrame, gas: int) -> int:
        stack = frame.stack
        start, size = stack[-1], stack[-2]
        gas -= _LOG_BYTE_GAS * size
        if gas < 0 or frame.is_static:
            return FAILED
        gas = reserve(frame.memory, start, size, gas)
        if gas >= 0:
            words = stack[-3 : -3 - topics : -1]
            del stack[-2 - topics :]
            hashes = tuple([Hash32(word.to_bytes(32, "big")) for word in words])
            data = bytes(frame.memory[start : start + size]) if size else b""
            frame.state.logs.append(Log(frame.address, hashes, data))
        return gas

    return log


RARE: dict[int, Rare] = {
    0x0A: _exp,
    0x31: _balance,
    0x37: _calldatacopy,
    0x39: _codecopy,
    0x3B: _extcodesize,
    0x3C: _extcodecopy,
    0x3E: _returndatacopy,
    0x3F: _extcodehash,
    0x40: _blockhash,
    0x47: _selfbalance,
    0x49: _blobhash,
    0x53: _mstore8,
    0x5C: _tload,
    0x5D: _tstore,
    0x5E: _mcopy,
    **{0xA0 + topics: _log(topics) for topics in range(5)},
}
"""By opcode."""
