"""MODEXP: powers of big integers (EIP-198), priced by EIP-2565."""

from typing import Any

from gmpy2 import powmod

_MIN_GAS = 200
_DIVISOR = 3


def modexp(computation: Any) -> None:
    """Output base^exponent mod modulus, as long as the modulus; 0 if the modulus is 0."""
    data = computation.msg.data
    base_size, exponent_size, modulus_size = (_read(data, at, 32) for at in (0, 32, 64))
    exponent_at = 96 + base_size
    head = _read(data, exponent_at, min(exponent_size, 32))
    computation.consume_gas(_gas(base_size, exponent_size, modulus_size, head), "MODEXP")
    # Only now are the sizes bounded by gas: an empty modulus costs the minimum, whatever the rest.
    if modulus_size == 0:
        return
    modulus = _read(data, exponent_at + exponent_size, modulus_size)
    if modulus == 0:
        computation.output = bytes(modulus_size)
        return
    base = _read(data, 96, base_size)
    exponent = _read(data, exponent_at, exponent_size)
    computation.output = int(powmod(base, exponent, modulus)).to_bytes(modulus_size, "big")


def _gas(base_size: int, exponent_size: int, modulus_size: int, head: int) -> int:
    words = (max(base_size, modulus_size) + 7) // 8
    iterations = max(head.bit_length() - 1, 0) + 8 * max(exponent_size - 32, 0)
    return max(_MIN_GAS, words * words * max(iterations, 1) // _DIVISOR)


def _read(data: bytes | memoryview, start: int, size: int) -> int:
    """Read a big-endian integer; what lies beyond the data is zero."""
    present = data[start : start + size]
    return int.from_bytes(present, "big") << (8 * (size - len(present))) if present else 0
