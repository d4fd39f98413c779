"""The loop that runs code: the hottest lines of the node.

Its shape is what CPython rewards. A `for` over decoded steps needs no program counter, and what can
be summed up for a segment is checked once per segment. Names are local. Opcodes are compared as
literals, by range first and then the most frequent first; a call of a function would cost more
than the work of most of them. Whatever fails leaves the stack as it was before the opcode, breaks
out of the `for`, and is handed over to the reference.
"""

from typing import Final

from eth.exceptions import Revert

from node.evm.fast.call_frame import CallFrame
from node.evm.fast.calls import call
from node.evm.fast.creations import create, selfdestruct
from node.evm.fast.handover import fail_at
from node.evm.fast.memory import grow, reserve
from node.evm.fast.segment import Segment
from node.evm.fast.storage_gas import COLD_SLOT_SURCHARGE, store
from node.types.primitives import keccak256

_MASK: Final = (1 << 256) - 1
_HASH_WORD_GAS: Final = 6
_UNINTERRUPTED = range(32)
"""Segments that run between two looks at whether to go on."""


def run(frame: CallFrame) -> CallFrame | None:
    """Run a frame until it ends or another has to run first, and return that one.

    An ended frame (None) has its error, gas and output; what it did is not undone yet.
    """
    mask = _MASK
    from_bytes = int.from_bytes
    state = frame.state
    address = frame.address
    data = frame.data
    context = frame.context
    program = frame.program
    destinations = program.destinations
    stack = frame.stack
    memory = frame.memory
    size = len(memory)
    gas = frame.gas
    segment = frame.segment
    interrupt = state.execution_context.interrupt
    while True:
        interrupt()
        for _ in _UNINTERRUPTED:
            if gas < segment.gas or not segment.least <= len(stack) <= segment.most:
                fail_at(frame, segment, segment.start, gas - segment.gas)
                return None
            gas -= segment.gas
            for op, arg in segment.steps:
                if op >= 0x60:
                    if op == 0x80:  # DUP
                        stack.append(stack[arg])
                    elif op == 0x60:  # PUSH
                        stack.append(arg)
                    elif op == 0x90:  # SWAP
                        top = stack[-1]
                        stack[-1] = stack[arg]
                        stack[arg] = top
                    elif op == 0x91:  # SWAP, POP
                        top = stack.pop()
                        stack[arg] = top
                    else:  # PUSH several
                        stack += arg
                elif op >= 0x50:
                    if op == 0x50:  # POP
                        stack.pop()
                    elif op == 0x51:  # MLOAD
                        offset = stack[-1]
                        end = offset + 32
                        if end > size:
                            if (left := grow(memory, end, gas)) < 0:
                                break
                            gas, size = left, len(memory)
                        stack[-1] = from_bytes(memory[offset:end], "big")
                    elif op == 0x52:  # MSTORE
                        offset = stack.pop()
                        end = offset + 32
                        if end > size:
                            if (left := grow(memory, end, gas)) < 0:
                                stack.append(offset)
                                break
                            gas, size = left, len(memory)
                        memory[offset:end] = stack.pop().to_bytes(32, "big")
                    elif op == 0x54:  # SLOAD
                        slot = stack[-1]
                        if not state.is_storage_warm(address, slot):
                            if gas < COLD_SLOT_SURCHARGE:
                                break
                            gas -= COLD_SLOT_SURCHARGE
                            state.mark_storage_warm(address, slot)
                        stack[-1] = state.get_storage(address, slot)
                    elif op == 0x55:  # SSTORE
                        if (left := store(frame, gas, segment.gas - arg[0])) < 0:
                            break
                        gas = left
                    elif op == 0x5A:  # GAS
                        stack.append(gas + segment.gas - arg[0] - 2)
                    elif op == 0x5D:  # PUSH, MSTORE
                        offset = arg[0]
                        end = offset + 32
                        if end > size:
                            if (left := grow(memory, end, gas)) < 0:
                                break
                            gas, size = left, len(memory)
                        memory[offset:end] = stack.pop().to_bytes(32, "big")
                    elif op == 0x5C:  # PUSH, MLOAD
                        offset = arg[0]
                        end = offset + 32
                        if end > size:
                            if (left := grow(memory, end, gas)) < 0:
                                break
                            gas, size = left, len(memory)
                        stack.append(from_bytes(memory[offset:end], "big"))
                    else:  # MSIZE
                        stack.append(size)
                elif op < 0x20:
                    if op == 0x01:  # ADD
                        left = stack.pop()
                        stack[-1] = (left + stack[-1]) & mask
                    elif op == 0x1E:  # PUSH, ADD
                        stack[-1] = (stack[-1] + arg) & mask
                    elif op == 0x1F:  # PUSH, AND
                        stack[-1] &= arg
                    elif op == 0x15:  # ISZERO
                        stack[-1] = 0 if stack[-1] else 1
                    elif op == 0x16:  # AND
                        left = stack.pop()
                        stack[-1] &= left
                    elif op == 0x03:  # SUB
                        left = stack.pop()
                        stack[-1] = (left - stack[-1]) & mask
                    elif op == 0x14:  # EQ
                        left = stack.pop()
                        stack[-1] = 1 if left == stack[-1] else 0
                    elif op == 0x10:  # LT
                        left = stack.pop()
                        stack[-1] = 1 if left < stack[-1] else 0
                    elif op == 0x11:  # GT
                        left = stack.pop()
                        stack[-1] = 1 if left > stack[-1] else 0
                    elif op == 0x1C:  # SHR
                        left = stack.pop()
                        stack[-1] = stack[-1] >> left if left < 256 else 0
                    elif op == 0x1B:  # SHL
                        left = stack.pop()
                        stack[-1] = (stack[-1] << left) & mask if left < 256 else 0
                    elif op == 0x1D:  # PUSH, SUB
                        stack[-1] = (arg - stack[-1]) & mask
                    elif op == 0x1A:  # PUSH, EQ
                        stack[-1] = 1 if arg == stack[-1] else 0
                    elif op == 0x13:  # PUSH, SHR
                        stack[-1] = stack[-1] >> arg if arg < 256 else 0
                    elif op == 0x18:  # PUSH, SHL
                        stack[-1] = (stack[-1] << arg) & mask if arg < 256 else 0
                    elif op == 0x02:  # MUL
                        left = stack.pop()
                        stack[-1] = (left * stack[-1]) & mask
                    elif op == 0x04:  # DIV
                        left = stack.pop()
                        stack[-1] = left // stack[-1] if stack[-1] else 0
                    elif op == 0x17:  # OR
                        left = stack.pop()
                        stack[-1] |= left
                    elif op == 0x19:  # NOT
                        stack[-1] ^= mask
                    elif op == 0x05:  # a function of two words
                        left = stack.pop()
                        stack[-1] = arg(left, stack[-1])
                    else:  # a function of three words
                        left, middle = stack.pop(), stack.pop()
                        stack[-1] = arg(left, middle, stack[-1])
                elif op == 0x30:  # what is fixed for the frame
                    stack.append(context[arg])
                elif op == 0x35:  # CALLDATALOAD
                    offset = stack[-1]
                    word = data[offset : offset + 32]
                    stack[-1] = from_bytes(word, "big") << (8 * (32 - len(word)))
                elif op == 0x20:  # KECCAK256
                    offset, length = stack[-1], stack[-2]
                    left = gas - _HASH_WORD_GAS * ((length + 31) >> 5)
                    if left < 0 or (left := reserve(memory, offset, length, left)) < 0:
                        break
                    gas, size = left, len(memory)
                    stack.pop()
                    hashed = bytes(memory[offset : offset + length]) if length else b""
                    stack[-1] = from_bytes(keccak256(hashed), "big")
                elif op == 0x3D:  # RETURNDATASIZE
                    stack.append(len(frame.return_data))
                else:  # an opcode that is a function
                    if (left := arg[0](frame, gas)) < 0:
                        break
                    gas, size = left, len(memory)
            else:
                end = segment.end
                if end == 0x101:  # a JUMPI to a known place
                    if stack.pop():
                        segment = segment.target or program.target(segment)
                    else:
                        segment = segment.next or program.next(segment)
                    continue
                if end == 0x100:  # a JUMP to a known place, or nothing
                    segment = segment.next or program.next(segment)
                    continue
                if end == 0x102:  # ISZERO and a JUMPI to a known place
                    if stack.pop():
                        segment = segment.next or program.next(segment)
                    else:
                        segment = segment.target or program.target(segment)
                    continue
                if end == 0x56:  # JUMP
                    offset = stack[-1]
                    following = destinations.get(offset) or program.destination(offset)
                    if following is not None:
                        stack.pop()
                        segment = following
                        continue
                if end == 0x57:  # JUMPI
                    offset = stack[-1]
                    if stack[-2]:
                        following = destinations.get(offset) or program.destination(offset)
                    else:
                        following = segment.next or program.next(segment)
                    if following is not None:
                        del stack[-2:]
                        segment = following
                        continue
                running = _leave(frame, segment, gas)
                if running is not frame:
                    return running
                segment, gas, size = frame.segment, frame.gas, len(memory)
                continue
            # The last step has failed.
            fail_at(frame, segment, arg if type(arg) is int else arg[1], gas)
            return None


def _leave(frame: CallFrame, segment: Segment, gas: int) -> CallFrame | None:
    """Run the opcode that ends a segment, one that ends the frame or goes to another."""
    following: CallFrame | None = None
    has_failed = False
    match segment.end:
        case 0x00:  # STOP
            frame.gas = gas
        case 0xF3 | 0xFD:  # RETURN, REVERT
            has_failed = not _return(frame, gas)
            if segment.end == 0xFD and not has_failed:
                frame.fail(Revert(frame.output))
        case 0xFF:
            has_failed = not selfdestruct(frame, gas)
        case 0xF0 | 0xF5 | 0xF1 | 0xF2 | 0xF4 | 0xFA:
            following = (create if segment.end in (0xF0, 0xF5) else call)(frame, gas, segment.end)
            has_failed = following is None
            frame.segment = frame.program.next(segment)
        case _:  # no opcode, or a jump to nowhere
            has_failed = True
    if has_failed:
        fail_at(frame, segment, segment.stop, gas)
    return following


def _return(frame: CallFrame, gas: int) -> bool:
    """Make a range of memory the output; False if its memory cannot be paid."""
    start, size = frame.stack[-1], frame.stack[-2]
    gas = reserve(frame.memory, start, size, gas)
    if gas < 0:
        return False
    frame.gas = gas
    frame.output = bytes(frame.memory[start : start + size]) if size else b""
    return True
