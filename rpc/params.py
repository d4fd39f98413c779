"""Parameters of methods: what each position expects, and how it is read.

A decoder takes one JSON value and returns ours; DecodingError says what was expected.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from node.errors import DecodingError
from node.types.primitives import Address, Hash32
from rpc.encoding.hexadecimal import Json, describe, parse_data, parse_fixed, parse_quantity
from rpc.errors import invalid_params

Decoder = Callable[[Json], Any]


@dataclass(frozen=True, slots=True)
class Param:
    """One position: how to read it, and what an absent or null value means if it may be absent."""

    decode: Decoder
    is_required: bool = True
    default: Any = None


def required(decode: Decoder) -> Param:
    """A position that must be given and not null."""
    return Param(decode)


def optional(decode: Decoder, default: Any = None) -> Param:
    """A position that may be left out or null; `default` then stands for it, as it is."""
    return Param(decode, is_required=False, default=default)


def decode_params(params: Sequence[Param], values: Json) -> list[Any]:
    """Read positional parameters; RpcError names the position that is wrong."""
    if values is None:
        values = []
    if not isinstance(values, list):
        raise invalid_params("non-array args")
    if len(values) > len(params):
        raise invalid_params(f"too many arguments, want at most {len(params)}")
    decoded = []
    for index, param in enumerate(params):
        value = values[index] if index < len(values) else None
        if value is None:
            if param.is_required:
                raise invalid_params(f"missing value for required argument {index}")
            decoded.append(param.default)
            continue
        try:
            decoded.append(param.decode(value))
        except DecodingError as error:
            raise invalid_params(f"invalid argument {index}: {error}") from error
    return decoded


def address(value: Json) -> Address:
    """Read 20 bytes; letter case is not checked."""
    return Address(parse_fixed(value, 20, "an address"))


def hash32(value: Json) -> Hash32:
    """Read 32 bytes."""
    return Hash32(parse_fixed(value, 32, "a hash"))


def uint64(value: Json) -> int:
    """Read a QUANTITY below 2**64."""
    return parse_quantity(value, 64)


def boolean(value: Json) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise DecodingError(f"expected true or false, got {describe(value)}")
    return value


def byte_string(value: Json) -> bytes:
    """Read DATA."""
    return parse_data(value)


def storage_slot(value: Json) -> int:
    """Read a storage key: up to 32 bytes, zeros in front and the prefix left out if one likes."""
    return int.from_bytes(storage_key(value))


def storage_key(value: Json) -> bytes:
    """Read a storage key as the bytes that were given, not padded (eth_getProof echoes them)."""
    if not isinstance(value, str):
        raise DecodingError(f"unable to decode storage key: expected hex, got {describe(value)}")
    digits = value[2:] if value[:2] in ("0x", "0X") else value
    if len(digits) > 64:
        raise DecodingError("unable to decode storage key: hex string too long, want at most 32")
    try:
        return parse_data("0x" + "0" * (len(digits) % 2) + digits)
    except DecodingError as error:
        raise DecodingError(f"unable to decode storage key: {error}") from error


def block_count(value: Json) -> int:
    """Read a count in hexadecimal or decimal, as a string or a number (eth_feeHistory)."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 20:
        return int(value)
    return parse_quantity(value, 64)


def percentile(value: Json) -> float:
    """Read a number; its range is checked where it is used."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise DecodingError(f"expected a number, got {describe(value)}")
    return float(value)


def array_of(decode: Decoder, limit: int) -> Decoder:
    """Return a decoder of arrays with at most `limit` items."""

    def decode_array(value: Json) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise DecodingError(f"expected an array, got {describe(value)}")
        if len(value) > limit:
            raise DecodingError(f"expected at most {limit} items, got {len(value)}")
        return tuple(decode(item) for item in value)

    return decode_array
