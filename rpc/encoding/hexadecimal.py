"""Numbers and bytes as JSON-RPC hexadecimal, both ways, as strict as go-ethereum's `hexutil`."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from node.errors import DecodingError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


def quantity(number: int) -> str:
    """Return a QUANTITY: no leading zeros, 0x0 for zero."""
    return hex(number)


def data(raw: bytes) -> str:
    """Return DATA: two digits for each byte, 0x for none."""
    return "0x" + raw.hex()


def parse_quantity(value: Json, bits: int = 256) -> int:
    """Read a QUANTITY of at most `bits` bits; DecodingError in go-ethereum's words."""
    digits = _digits(value)
    if not digits:
        raise DecodingError('hex string "0x"')
    if digits[0] == "0" and len(digits) > 1:
        raise DecodingError("hex number with leading zero digits")
    number = _integer(digits)
    if number.bit_length() > bits:
        raise DecodingError(f"hex number > {bits} bits")
    return number


def parse_data(value: Json) -> bytes:
    """Read DATA of any length; DecodingError in go-ethereum's words."""
    digits = _digits(value)
    if len(digits) % 2:
        raise DecodingError("hex string of odd length")
    try:
        raw = bytes.fromhex(digits)
    except ValueError as error:
        raise DecodingError("invalid hex string") from error
    # bytes.fromhex skips white space between bytes.
    if 2 * len(raw) != len(digits):
        raise DecodingError("invalid hex string")
    return raw


def parse_fixed(value: Json, size: int, name: str) -> bytes:
    """Read exactly `size` bytes; `name` says of what, for the message."""
    raw = parse_data(value)
    if len(raw) != size:
        raise DecodingError(
            f"hex string has length {2 * len(raw)}, want {2 * size} for {name} ({size} bytes)"
        )
    return raw


def _digits(value: Json) -> str:
    if not isinstance(value, str):
        raise DecodingError(f"expected a hex string, got {describe(value)}")
    if not value:
        raise DecodingError("empty hex string")
    if value[:2] not in ("0x", "0X"):
        raise DecodingError("hex string without 0x prefix")
    return value[2:]


def _integer(digits: str) -> int:
    # int() accepts underscores, signs and white space.
    if not digits.isascii() or not digits.isalnum():
        raise DecodingError("invalid hex string")
    try:
        return int(digits, 16)
    except ValueError as error:
        raise DecodingError("invalid hex string") from error


def describe(value: Json) -> str:
    """Name the JSON type of a value for an error message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, Mapping) else "an array"
