"""The stack of a frame, by the names that py-evm's opcodes use.

py-evm's own keeps integers and bytes side by side, and looks at each item's type to convert it.
Here every item is an integer; it is converted where it comes in or goes out as bytes.
"""

from eth.exceptions import FullStack, InsufficientStack

STACK_LIMIT = 1024


class WordStack:
    """Up to 1,024 words of 256 bits. FullStack and InsufficientStack end the frame."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[int] = []

    def push_int(self, value: int) -> None:
        """Put a word on top; it is below 2^256, as all that opcodes compute."""
        if len(self.values) >= STACK_LIMIT:
            raise FullStack(f"stack limit reached: {STACK_LIMIT} items")
        self.values.append(value)

    def push_bytes(self, value: bytes) -> None:
        """Put up to 32 bytes on top, as a big-endian word."""
        if len(self.values) >= STACK_LIMIT:
            raise FullStack(f"stack limit reached: {STACK_LIMIT} items")
        self.values.append(int.from_bytes(value, "big"))

    def pop1_int(self) -> int:
        """Take the top."""
        try:
            return self.values.pop()
        except IndexError:
            raise InsufficientStack("stack underflow: expected 1 item, got 0") from None

    def pop1_any(self) -> int:
        """Take the top."""
        return self.pop1_int()

    def pop1_bytes(self) -> bytes:
        """Take the top as 32 bytes."""
        return self.pop1_int().to_bytes(32, "big")

    def pop_ints(self, num_items: int) -> tuple[int, ...]:
        """Take `num_items` (1 or more), the top first."""
        values = self.values
        if num_items > len(values):
            raise _too_few(num_items, values)
        items = tuple(values[: -num_items - 1 : -1])
        del values[-num_items:]
        return items

    def pop_any(self, num_items: int) -> tuple[int, ...]:
        """Take `num_items` (1 or more), the top first."""
        return self.pop_ints(num_items)

    def pop_bytes(self, num_items: int) -> tuple[bytes, ...]:
        """Take `num_items` (1 or more) as 32 bytes each, the top first."""
        return tuple(item.to_bytes(32, "big") for item in self.pop_ints(num_items))

    def swap(self, position: int) -> None:
        """Exchange the top and the item `position` below it."""
        values = self.values
        if position >= len(values):
            raise _too_few(position + 1, values)
        values[-1], values[-position - 1] = values[-position - 1], values[-1]

    def dup(self, position: int) -> None:
        """Put a copy of item `position` on top, 1 being the top."""
        values = self.values
        if position > len(values):
            raise _too_few(position, values)
        if len(values) >= STACK_LIMIT:
            raise FullStack(f"stack limit reached: {STACK_LIMIT} items")
        values.append(values[-position])


def _too_few(expected: int, values: list[int]) -> InsufficientStack:
    return InsufficientStack(f"stack underflow: expected {expected} items, got {len(values)}")
