"""Functions of words, called with the top first.

Those that are too rare for a place in the loop are here, and the others too, for operands that are
known when code is decoded.
"""

from collections.abc import Callable

from node.types.primitives import UINT256_MAX

_CEILING = UINT256_MAX + 1
_SIGN = 1 << 255


def _signed(word: int) -> int:
    return word - _CEILING if word & _SIGN else word


def _sdiv(left: int, right: int) -> int:
    left, right = _signed(left), _signed(right)
    if right == 0:
        return 0
    quotient = abs(left) // abs(right)
    return (-quotient if (left < 0) != (right < 0) else quotient) & UINT256_MAX


def _mod(value: int, modulus: int) -> int:
    return value % modulus if modulus else 0


def _smod(value: int, modulus: int) -> int:
    value, modulus = _signed(value), _signed(modulus)
    if modulus == 0:
        return 0
    rest = abs(value) % abs(modulus)
    return (-rest if value < 0 else rest) & UINT256_MAX


def _signextend(last_byte: int, value: int) -> int:
    if last_byte > 30:
        return value
    sign = 1 << (8 * last_byte + 7)
    return value | (_CEILING - sign) if value & sign else value & (sign - 1)


def _slt(left: int, right: int) -> int:
    return 1 if _signed(left) < _signed(right) else 0


def _sgt(left: int, right: int) -> int:
    return 1 if _signed(left) > _signed(right) else 0


def _xor(left: int, right: int) -> int:
    return left ^ right


def _byte(position: int, value: int) -> int:
    return (value >> (8 * (31 - position))) & 0xFF if position < 32 else 0


def _sar(shift: int, value: int) -> int:
    return (_signed(value) >> min(shift, 256)) & UINT256_MAX


def _addmod(left: int, right: int, modulus: int) -> int:
    return (left + right) % modulus if modulus else 0


def _mulmod(left: int, right: int, modulus: int) -> int:
    return left * right % modulus if modulus else 0


OF_TWO: dict[int, Callable[[int, int], int]] = {
    0x05: _sdiv,
    0x06: _mod,
    0x07: _smod,
    0x0B: _signextend,
    0x12: _slt,
    0x13: _sgt,
    0x18: _xor,
    0x1A: _byte,
    0x1D: _sar,
}
"""By opcode."""

IN_LOOP: dict[int, Callable[[int, int], int]] = {
    0x01: lambda left, right: (left + right) & UINT256_MAX,
    0x02: lambda left, right: (left * right) & UINT256_MAX,
    0x03: lambda left, right: (left - right) & UINT256_MAX,
    0x04: lambda left, right: left // right if right else 0,
    0x10: lambda left, right: 1 if left < right else 0,
    0x11: lambda left, right: 1 if left > right else 0,
    0x14: lambda left, right: 1 if left == right else 0,
    0x16: lambda left, right: left & right,
    0x17: lambda left, right: left | right,
    0x1B: lambda left, right: (right << left) & UINT256_MAX if left < 256 else 0,
    0x1C: lambda left, right: right >> left if left < 256 else 0,
}
"""What the loop does itself, for operands that are constants: by opcode."""

OF_ONE: dict[int, Callable[[int], int]] = {
    0x15: lambda word: 0 if word else 1,
    0x19: lambda word: word ^ UINT256_MAX,
}
"""The same, of one word."""

OF_THREE: dict[int, Callable[[int, int, int], int]] = {0x08: _addmod, 0x09: _mulmod}
"""By opcode."""
