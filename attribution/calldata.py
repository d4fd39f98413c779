"""What goes into the receipt precompile and what comes out: calls, results, event, errors.

Decoding is strict, since results and logs come from a server that may not be trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError as AbiDecodingError
from eth_abi.exceptions import EncodingError as AbiEncodingError

from attribution.records import Record, StreamState, decode_records, encode_records
from node.errors import DecodingError, InvalidInput
from node.types.attribution_call import (
    APPEND,
    APPENDED_TOPIC,
    ATTRIBUTION_ADDRESS,
    BAD_INPUT,
    BAD_RECORD,
    BAD_SEQUENCE,
    CREDIT,
    HEAD,
    NOT_A_CALL,
    OVERFLOW,
    VALUE_NOT_ACCEPTED,
    AppendCall,
    parse_call,
)
from node.types.primitives import Address, Hash32
from node.types.receipt import Log

_ERRORS: dict[bytes, tuple[str, tuple[str, ...]]] = {
    BAD_SEQUENCE: ("BadSequence", ("uint64",)),
    BAD_RECORD: ("BadRecord", ("uint256",)),
    BAD_INPUT: ("BadInput", ()),
    NOT_A_CALL: ("NotACall", ()),
    VALUE_NOT_ACCEPTED: ("ValueNotAccepted", ()),
    OVERFLOW: ("Overflow", ()),
}


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What `append` returns: the next sequence number, the batch's gwei and its Merkle root."""

    next_seq: int
    amount: int
    batch_root: Hash32


@dataclass(frozen=True, slots=True)
class Appended:
    """The event of a batch: `count` records from `from_seq` on, worth `amount` gwei together."""

    logger: Address
    stream: int
    from_seq: int
    count: int
    amount: int
    batch_root: Hash32


@dataclass(frozen=True, slots=True)
class AttributionError:
    """Why the precompile reverted. `argument` is the expected sequence number or the bad record."""

    name: str
    argument: int | None


def encode_append(stream: int, from_seq: int, records: Sequence[Record]) -> bytes:
    """Return the call data of `append`; `from_seq` must be the count that the stream has."""
    if not records:
        raise InvalidInput("append: expected one or more records, got none")
    packed = encode_records(records)
    return APPEND + _encode(("uint64", "uint64", "bytes"), (stream, from_seq, packed))


def encode_head(logger: Address, stream: int) -> bytes:
    """Return the call data of `head`."""
    return HEAD + _encode(("address", "uint64"), (logger, stream))


def encode_credit(logger: Address, stream: int, dataset: int) -> bytes:
    """Return the call data of `credit`."""
    return CREDIT + _encode(("address", "uint64", "uint32"), (logger, stream, dataset))


def decode_append(data: bytes) -> tuple[int, int, tuple[Record, ...]]:
    """Return (stream, first sequence number, records) of a call of `append`."""
    call = parse_call(data)
    if not isinstance(call, AppendCall):
        raise DecodingError(f"call data: expected append, got 0x{data[:4].hex()}")
    return call.stream, call.from_seq, decode_records(data[call.start : call.end])


def decode_append_result(output: bytes) -> AppendResult:
    """Read what `append` returned."""
    next_seq, amount, root = _decode("append", ("uint64", "uint128", "bytes32"), output)
    return AppendResult(next_seq, amount, Hash32(root))


def decode_head_result(output: bytes) -> StreamState:
    """Read what `head` returned."""
    fields = _decode("head", ("uint64", "uint128", "uint128"), output)
    return StreamState(*fields)


def decode_credit_result(output: bytes) -> int:
    """Read what `credit` returned, in gwei x basis points."""
    value: int = _decode("credit", ("uint256",), output)[0]
    return value


def decode_appended(log: Log) -> Appended:
    """Read the event of a batch; DecodingError for a log that is anything else."""
    if log.address != ATTRIBUTION_ADDRESS:
        raise DecodingError(f"log: expected the receipt precompile, got 0x{log.address.hex()}")
    if len(log.topics) != 3 or log.topics[0] != APPENDED_TOPIC:
        raise DecodingError("log: expected the event Appended with three topics")
    logger, stream = _decode("topics", ("address", "uint64"), log.topics[1] + log.topics[2])
    types = ("uint64", "uint64", "uint128", "bytes32")
    from_seq, count, amount, root = _decode("Appended", types, log.data)
    return Appended(
        logger=Address(bytes.fromhex(logger[2:])),
        stream=stream,
        from_seq=from_seq,
        count=count,
        amount=amount,
        batch_root=Hash32(root),
    )


def decode_error(output: bytes) -> AttributionError:
    """Read the revert data of the precompile; DecodingError if it is not one of its errors."""
    if output[:4] not in _ERRORS:
        raise DecodingError(f"revert data: 0x{output[:4].hex()} is no error of the precompile")
    name, types = _ERRORS[output[:4]]
    arguments = _decode(name, types, output[4:])
    return AttributionError(name, arguments[0] if arguments else None)


def _encode(types: Sequence[str], values: Sequence[object]) -> bytes:
    try:
        return abi_encode(types, values)
    except AbiEncodingError as error:
        raise InvalidInput(f"expected {', '.join(types)}: {error}") from error


def _decode(name: str, types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    if len(data) != 32 * len(types):
        raise DecodingError(f"{name}: expected {32 * len(types)} bytes, got {len(data)}")
    try:
        return abi_decode(types, data)
    except AbiDecodingError as error:
        raise DecodingError(f"{name}: {error}") from error
