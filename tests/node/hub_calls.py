"""Calls of the AttributionHub, by its artifact's ABI."""

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple

from node.artifacts import load_artifact
from node.types.primitives import Address, checksum_address, keccak256


def hub_call(name: str, *arguments: Any) -> bytes:
    """Return the call data of one of the Hub's functions."""
    (function,) = (
        entry
        for entry in load_artifact("AttributionHub").abi
        if entry["type"] == "function" and entry["name"] == name
    )
    types = [collapse_if_tuple(entry) for entry in function["inputs"]]
    selector = keccak256(f"{name}({','.join(types)})".encode())[:4]
    return selector + encode(types, arguments)


def register_dataset(content_hash: bytes, uri: str, payout: Address) -> bytes:
    """Register a dataset of the caller."""
    return hub_call("registerDataset", content_hash, uri, checksum_address(payout))


def register_model(
    model_hash: bytes,
    *,
    logger: Address,
    owner: Address,
    price_gwei: int = 10_000,
    owner_bps: int = 5_000,
    datasets: Sequence[int] = (),
    salt: bytes = bytes(32),
) -> bytes:
    """Register a model of the caller, which is paid itself."""
    return hub_call(
        "registerModel",
        model_hash,
        "uri",
        salt,
        checksum_address(logger),
        price_gwei,
        owner_bps,
        checksum_address(owner),
        list(datasets),
    )
