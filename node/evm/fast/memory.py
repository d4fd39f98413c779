"""The memory of a frame is a bytearray, always whole words long; here is what its growth costs."""

_WORD_GAS = 3
_QUADRATIC_SHIFT = 9
"""Words squared, divided by 512."""


def grow(memory: bytearray, end: int, gas: int) -> int:
    """Lengthen memory to hold `end` bytes, more than it does, and return the gas left.

    A negative result means that `gas` does not suffice; memory is then as it was.
    """
    left = gas - growth_gas(memory, end)
    if left >= 0:
        memory.extend(bytes(((end + 31) & ~31) - len(memory)))
    return left


def growth_gas(memory: bytearray, end: int) -> int:
    """Return what it costs to lengthen memory to hold `end` bytes, more than it does."""
    before, after = len(memory) >> 5, (end + 31) >> 5
    quadratic = (after * after >> _QUADRATIC_SHIFT) - (before * before >> _QUADRATIC_SHIFT)
    return _WORD_GAS * (after - before) + quadratic


def reserve(memory: bytearray, start: int, size: int, gas: int) -> int:
    """Make memory hold a range and return the gas left, negative as `grow`; no bytes need none."""
    end = start + size
    return grow(memory, end, gas) if size and end > len(memory) else gas
