"""Reading the packed formats of channels: every read is checked against what is left."""

from typing import Final

from node.errors import DecodingError
from node.types.rlp_codec import item_span

_MAX_UVARINT_SIZE: Final = 10


class ByteReader:
    """Bytes with a position. Each read names what it is for; DecodingError if it is not there."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self._position = position

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self._position

    def take(self, size: int, name: str) -> bytes:
        """Read exactly `size` bytes."""
        if size > self.left:
            raise DecodingError(f"{name}: expected {size} bytes, {self.left} are left")
        start = self._position
        self._position = start + size
        return self._data[start : self._position]

    def uvarint(self, name: str) -> int:
        """Read an unsigned LEB128 number of 64 bits at most; longer than needed is allowed."""
        data, start = self._data, self._position
        if start < len(data) and data[start] < 0x80:
            self._position = start + 1
            return data[start]
        value = 0
        for index, byte in enumerate(data[start : start + _MAX_UVARINT_SIZE]):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if value >> 64:
                    raise DecodingError(f"{name}: expected at most 64 bits, got {value}")
                self._position = start + index + 1
                return value
        if self.left < _MAX_UVARINT_SIZE:
            raise DecodingError(f"{name}: the input ends inside a number")
        raise DecodingError(f"{name}: expected a number of at most {_MAX_UVARINT_SIZE} bytes")

    def bits(self, count: int, name: str) -> int:
        """Read a list of `count` bits: bit i of the result belongs to item i."""
        value = int.from_bytes(self.take((count + 7) // 8, name), "big")
        if value.bit_length() > count:
            raise DecodingError(f"{name}: expected {count} bits, got {value.bit_length()}")
        return value

    def rlp_list(self, name: str) -> bytes:
        """Read one RLP list and return it with its length prefix; what is inside is unchecked."""
        start = self._position
        is_list, _, end = item_span(self._data, start, len(self._data))
        if not is_list:
            raise DecodingError(f"{name}: expected an RLP list, got a string")
        self._position = end
        return self._data[start:end]

    def peek(self, name: str) -> int:
        """Return the next byte, which stays unread."""
        if not self.left:
            raise DecodingError(f"{name}: expected a byte, the input ends")
        return self._data[self._position]


def encode_uvarint(value: int) -> bytes:
    """Return the shortest encoding that `ByteReader.uvarint` reads."""
    output = bytearray()
    while value >= 0x80:
        output.append(value & 0x7F | 0x80)
        value >>= 7
    output.append(value)
    return bytes(output)


def encode_bits(bits: int, count: int) -> bytes:
    """Return the encoding of a list of `count` bits."""
    return bits.to_bytes((count + 7) // 8, "big")
