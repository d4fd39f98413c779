"""Calls of the AttributionHub: call data out, answers back, both after the contract's own ABI.

Addresses and hashes are bytes here. Decoding is strict, since answers come from a server that may
not be trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError as AbiDecodingError
from eth_abi.exceptions import EncodingError as AbiEncodingError

from node.artifacts import load_artifact
from node.errors import DecodingError, InvalidInput
from node.types.attribution_call import selector
from node.types.primitives import Address, hex_address

AbiEntry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HubError:
    """An error of the contract: its name, and names and ABI types of its arguments."""

    name: str
    fields: tuple[str, ...]
    types: tuple[str, ...]


def hub_call(function: str, *arguments: Any) -> bytes:
    """Return the call data of a function by its name; InvalidInput if an argument does not fit.

    >>> hub_call("claim").hex()
    '4e71d92d'
    """
    name, types, _ = _functions()[function]
    try:
        return selector(f"{name}({','.join(types)})") + abi_encode(types, arguments)
    except AbiEncodingError as error:
        raise InvalidInput(f"{function}: expected {', '.join(types)}: {error}") from error


def hub_answer(function: str, output: bytes) -> tuple[Any, ...]:
    """Return what a function answered; a struct is a tuple. DecodingError if it is not that."""
    types = _functions()[function][2]
    try:
        values = abi_decode(types, output)
    except (AbiDecodingError, OverflowError, UnicodeDecodeError) as error:
        raise DecodingError(
            f"{function}: expected {', '.join(types)}, got 0x{output[:64].hex()}"
        ) from error
    return tuple(_plain(kind, value) for kind, value in zip(types, values, strict=True))


@cache
def hub_errors() -> dict[bytes, HubError]:
    """The contract's errors by their selectors."""
    found = {}
    for entry in load_artifact("AttributionHub").abi:
        if entry["type"] == "error":
            types = _types(entry["inputs"])
            fields = tuple(field["name"] for field in entry["inputs"])
            error = HubError(entry["name"], fields, types)
            found[selector(f"{error.name}({','.join(types)})")] = error
    return found


def error_arguments(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Return the arguments of an error; DecodingError if the data does not fit."""
    try:
        values = abi_decode(types, data)
    except (AbiDecodingError, OverflowError) as error:
        raise DecodingError(f"error: expected {', '.join(types)}: {error}") from error
    return tuple(_plain(kind, value) for kind, value in zip(types, values, strict=True))


@cache
def _functions() -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    abi = load_artifact("AttributionHub").abi
    return {
        entry["name"]: (entry["name"], _types(entry["inputs"]), _types(entry["outputs"]))
        for entry in abi
        if entry["type"] == "function"
    }


def _types(parameters: Sequence[AbiEntry]) -> tuple[str, ...]:
    return tuple(map(_type, parameters))


def _type(parameter: AbiEntry) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, parameter['components']))}){kind.removeprefix('tuple')}"


def _plain(kind: str, value: Any) -> Any:
    """Turn the decoder's addresses, which are text, into bytes; those in a struct as well."""
    if kind == "address":
        return Address(hex_address(value))
    if kind.startswith("("):
        parts = _split(kind[1:-1])
        return tuple(_plain(part, entry) for part, entry in zip(parts, value, strict=True))
    return value


def _split(types: str) -> list[str]:
    # No struct that the contract returns has another one in it.
    return types.split(",")
