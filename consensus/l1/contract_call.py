"""Calls of contracts: what goes out, what comes back, and why one was refused."""

from collections.abc import Iterable
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError as AbiDecodingError
from eth_abi.exceptions import ParseError
from eth_abi.grammar import TupleType, parse

from consensus.l1.json_objects import MalformedL1Data
from consensus.l1.json_rpc import RpcFault
from node.artifacts import load_artifact
from node.execution.revert_reason import revert_message
from node.types.primitives import keccak256

_SELECTOR = 4


def encode_call(signature: str, *arguments: Any) -> bytes:
    """Return the calldata of a function such as `transfer(address,uint256)`."""
    types = _types(signature[signature.index("(") :])
    return keccak256(signature.encode())[:_SELECTOR] + abi_encode(types, arguments)


def decode_output(types: str, output: bytes, name: str) -> tuple[Any, ...]:
    """Decode what a function returned, such as `(uint256,bytes32)`; MalformedL1Data if not that."""
    try:
        return abi_decode(_types(types), output)
    except AbiDecodingError as error:
        raise MalformedL1Data(f"{name}: expected {types}, got 0x{output[:64].hex()}") from error


def refusal_text(fault: RpcFault, artifacts: Iterable[str]) -> str:
    """Return why a call was reverted, with the errors of these contracts by their names."""
    data = revert_data(fault.data)
    if data is None:
        return fault.message
    for artifact in artifacts:
        for entry in load_artifact(artifact).abi:
            if entry["type"] == "error" and _selector(entry) == data[:_SELECTOR]:
                return _shown(artifact, entry, data[_SELECTOR:])
    return revert_message(data)


def _types(text: str) -> list[str]:
    if text == "()":
        return []
    parsed = parse(text)
    if not isinstance(parsed, TupleType):
        raise ParseError(f"expected a list of types, got {text}")
    return [component.to_type_str() for component in parsed.components]


def _selector(entry: dict[str, Any]) -> bytes:
    types = ",".join(field["type"] for field in entry["inputs"])
    return keccak256(f"{entry['name']}({types})".encode())[:_SELECTOR]


def _shown(artifact: str, entry: dict[str, Any], arguments: bytes) -> str:
    fields = entry["inputs"]
    try:
        values = abi_decode([field["type"] for field in fields], arguments)
    except AbiDecodingError:
        return f"{artifact} says {entry['name']}"
    told = ", ".join(
        f"{field['name']} {_readable(value)}" for field, value in zip(fields, values, strict=True)
    )
    return f"{artifact} says {entry['name']}" + (f" ({told})" if told else "")


def _readable(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def revert_data(value: object) -> bytes | None:
    """Return what a call reverted with, of a fault's data; None if that does not tell."""
    # Most put it there as it is; some (Ganache, older Hardhat) one level deeper.
    if isinstance(value, dict):
        value = value.get("data")
    if not isinstance(value, str) or not value.startswith("0x"):
        return None
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        return None
