"""The transaction object of eth_call and eth_estimateGas."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from node.errors import DecodingError
from node.execution.simulate import CallRequest
from node.types.primitives import ZERO_ADDRESS, Address, Hash32
from node.types.transaction import Authorization
from rpc.encoding.hexadecimal import Json, describe, parse_data, parse_quantity
from rpc.params import address, array_of, hash32, uint64

MAX_ACCESS_LIST_ITEMS = 10_000
MAX_AUTHORIZATIONS = 1_000

T = TypeVar("T")


def call_request(value: Json) -> CallRequest:
    """Read a transaction object. Fields that are not known are ignored, as go-ethereum does."""
    if not isinstance(value, Mapping):
        raise DecodingError(f"expected a transaction object, got {describe(value)}")
    gas_price = _field(value, "gasPrice", parse_quantity)
    fee_cap = _field(value, "maxFeePerGas", parse_quantity)
    tip = _field(value, "maxPriorityFeePerGas", parse_quantity)
    if gas_price is not None and (fee_cap is not None or tip is not None):
        raise DecodingError("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    return CallRequest(
        sender=_field(value, "from", address) or ZERO_ADDRESS,
        to=_field(value, "to", _recipient),
        gas=_field(value, "gas", uint64),
        gas_price=gas_price,
        max_fee_per_gas=fee_cap,
        max_priority_fee_per_gas=tip,
        value=_field(value, "value", parse_quantity) or 0,
        data=_calldata(value),
        nonce=_field(value, "nonce", uint64),
        access_list=_field(value, "accessList", _ACCESS_LIST) or (),
        authorization_list=_field(value, "authorizationList", _AUTHORIZATIONS) or (),
        blob_versioned_hashes=_field(value, "blobVersionedHashes", _BLOB_HASHES) or (),
    )


def _field(request: Mapping[str, Json], name: str, decode: Callable[[Json], T]) -> T | None:
    given = request.get(name)
    if given is None:
        return None
    try:
        return decode(given)
    except DecodingError as error:
        raise DecodingError(f"{name}: {error}") from error


def _recipient(value: Json) -> Address | None:
    # Some libraries write the missing recipient of a creation as no bytes.
    return None if value in ("", "0x") else address(value)


def _calldata(request: Mapping[str, Json]) -> bytes:
    given, older = _field(request, "input", parse_data), _field(request, "data", parse_data)
    if given is not None and older is not None and given != older:
        raise DecodingError(
            'both "data" and "input" are set and not equal. '
            'Please use "input" to pass transaction call data'
        )
    return given or older or b""


def _access_list_entry(value: Json) -> tuple[Address, tuple[Hash32, ...]]:
    entry = _object(value)
    keys: tuple[Hash32, ...] = _KEYS(entry.get("storageKeys") or [])
    return address(entry.get("address")), keys


def _authorization(value: Json) -> Authorization:
    entry = _object(value)
    parity = entry.get("v") if entry.get("yParity") is None else entry["yParity"]
    return Authorization(
        chain_id=parse_quantity(entry.get("chainId")),
        address=address(entry.get("address")),
        nonce=uint64(entry.get("nonce")),
        y_parity=parse_quantity(parity, 8),
        r=parse_quantity(entry.get("r")),
        s=parse_quantity(entry.get("s")),
    )


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise DecodingError(f"expected an object, got {describe(value)}")
    return value


_KEYS = array_of(hash32, MAX_ACCESS_LIST_ITEMS)
_ACCESS_LIST = array_of(_access_list_entry, MAX_ACCESS_LIST_ITEMS)
_AUTHORIZATIONS = array_of(_authorization, MAX_AUTHORIZATIONS)
_BLOB_HASHES = array_of(hash32, MAX_AUTHORIZATIONS)
