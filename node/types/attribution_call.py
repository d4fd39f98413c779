"""The ABI of the receipt precompile: its calls, its results, its event and its errors.

Only the canonical encoding is accepted (known selector, clean words, offset 0x60, zero padding,
exact size), so that one meaning has one byte string.
"""

from dataclasses import dataclass
from typing import TypeAlias

from node.errors import DecodingError
from node.types.primitives import Address, Hash32, hex_address, keccak256

ATTRIBUTION_ADDRESS = hex_address("0000000000000000000000000000000000000A77")

WORD = 32
_RECORDS_OFFSET = 3 * WORD
_RECORDS_START = 4 + _RECORDS_OFFSET + WORD
_WORD_BITS = 256


def selector(signature: str) -> bytes:
    """Return the first four bytes of the hash of a function's or error's signature."""
    return keccak256(signature.encode())[:4]


APPEND = selector("append(uint64,uint64,bytes)")
HEAD = selector("head(address,uint64)")
CREDIT = selector("credit(address,uint64,uint32)")

APPENDED_TOPIC = keccak256(b"Appended(address,uint64,uint64,uint64,uint128,bytes32)")

BAD_SEQUENCE = selector("BadSequence(uint64)")
BAD_RECORD = selector("BadRecord(uint256)")
BAD_INPUT = selector("BadInput()")
NOT_A_CALL = selector("NotACall()")
VALUE_NOT_ACCEPTED = selector("ValueNotAccepted()")
OVERFLOW = selector("Overflow()")


@dataclass(frozen=True, slots=True)
class AppendCall:
    """A call of `append`; its records, not yet read, are the bytes [start, end) of the data."""

    stream: int
    from_seq: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class HeadCall:
    """A call of `head`."""

    logger: Address
    stream: int


@dataclass(frozen=True, slots=True)
class CreditCall:
    """A call of `credit`."""

    logger: Address
    stream: int
    dataset: int


AttributionCall: TypeAlias = AppendCall | HeadCall | CreditCall


def parse_call(data: bytes | memoryview) -> AttributionCall:
    """Read the call data, in constant time whatever its size; DecodingError if not canonical."""
    match data[:4]:
        case method if method == APPEND:
            return _parse_append(data)
        case method if method == HEAD:
            _expect_size(data, 4 + 2 * WORD)
            return HeadCall(_address(data, 0), _uint(data, 1, 64))
        case method if method == CREDIT:
            _expect_size(data, 4 + 3 * WORD)
            return CreditCall(_address(data, 0), _uint(data, 1, 64), _uint(data, 2, 32))
        case method:
            raise DecodingError(f"call data: 0x{method.hex()} is not a function of the precompile")


def words(*values: int) -> bytes:
    """Return the ABI encoding of static values, 32 bytes each."""
    return b"".join(value.to_bytes(WORD, "big") for value in values)


def padded_size(size: int) -> int:
    """Round up to whole words."""
    return (size + WORD - 1) // WORD * WORD


def _parse_append(data: bytes | memoryview) -> AppendCall:
    if len(data) < _RECORDS_START:
        raise DecodingError(f"append: expected at least {_RECORDS_START} bytes, got {len(data)}")
    stream, from_seq = _uint(data, 0, 64), _uint(data, 1, 64)
    offset, length = _uint(data, 2, _WORD_BITS), _uint(data, 3, _WORD_BITS)
    if offset != _RECORDS_OFFSET:
        raise DecodingError(f"append: expected the offset {_RECORDS_OFFSET}, got {offset}")
    if length == 0:
        raise DecodingError("append: expected one or more records, got none")
    _expect_size(data, _RECORDS_START + padded_size(length))
    end = _RECORDS_START + length
    if any(data[end:]):
        raise DecodingError("append: expected zeros behind the records")
    return AppendCall(stream, from_seq, _RECORDS_START, end)


def _expect_size(data: bytes | memoryview, size: int) -> None:
    if len(data) != size:
        raise DecodingError(f"call data: expected {size} bytes, got {len(data)}")


def _uint(data: bytes | memoryview, index: int, bits: int) -> int:
    start = 4 + WORD * index
    value = int.from_bytes(data[start : start + WORD], "big")
    if value >> bits:
        raise DecodingError(f"argument {index}: expected at most {bits} bits, got {value}")
    return value


def _address(data: bytes | memoryview, index: int) -> Address:
    return Address(_uint(data, index, 160).to_bytes(20, "big"))


def appended_data(from_seq: int, count: int, amount: int, root: Hash32) -> bytes:
    """Return the data of the event `Appended`."""
    return words(from_seq, count, amount) + root
