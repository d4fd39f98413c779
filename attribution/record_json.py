"""Receipts as JSON, before they are logged: an array of objects, or their encoding.

An object has `amountGwei`, `influences` (an array of objects with `dataset` and `weight` in basis
points, or none), and `commitment` or, in its place, the `preimage` to compute it from.
"""

from typing import Any

from attribution.preimages import parse_preimage
from attribution.records import Influence, Record, decode_records
from attribution.refusals import BadRecord
from node.errors import DecodingError, InvalidInput
from node.types.primitives import Hash32


def record_to_json(record: Record) -> dict[str, Any]:
    """Return the object that `parse_records` reads."""
    return {
        "amountGwei": record.amount,
        "influences": [
            {"dataset": influence.dataset, "weight": influence.weight}
            for influence in record.influences
        ],
        "commitment": "0x" + record.commitment.hex(),
    }


def parse_records(content: object) -> tuple[Record, ...]:
    """Read receipts; BadRecord names the first one that is none, and says why.

    A text is hexadecimal of the encoding that the precompile takes. InvalidInput for anything else.

    >>> parse_records("0x0100" + "22" * 31)
    Traceback (most recent call last):
    attribution.refusals.BadRecord: BadRecord: record 0 of the batch is none: ...
    """
    if isinstance(content, str):
        return decode(_bytes(content, "records"))
    if not isinstance(content, list) or not content:
        raise InvalidInput(f"records: expected a list of one or more, got {content!r:.80}")
    records = []
    for index, entry in enumerate(content):
        try:
            records.append(_record(entry))
        except InvalidInput as error:
            raise BadRecord(str(error), index=index) from error
    return tuple(records)


def decode(encoded: bytes) -> tuple[Record, ...]:
    """Read encoded records; BadRecord names the first one that is none, and says why."""
    try:
        return decode_records(encoded)
    except DecodingError as error:
        reason = str(error).partition(": ")[2]
        raise BadRecord(reason, index=getattr(error, "index", 0)) from error


def _record(entry: object) -> Record:
    fields = _object(entry, {"amountGwei"}, {"influences", "commitment", "preimage"})
    influences = fields.get("influences", [])
    if not isinstance(influences, list):
        raise InvalidInput(f"influences: expected a list, got {influences!r:.80}")
    pairs = tuple(map(_influence, influences))
    ordered = tuple(sorted(pairs, key=lambda influence: influence.dataset))
    return Record(_number(fields, "amountGwei"), ordered, _commitment(fields))


def _influence(entry: object) -> Influence:
    fields = _object(entry, {"dataset", "weight"}, set())
    return Influence(_number(fields, "dataset"), _number(fields, "weight"))


def _commitment(fields: dict[str, Any]) -> Hash32:
    if ("commitment" in fields) == ("preimage" in fields):
        raise InvalidInput("expected either commitment or preimage")
    if "preimage" in fields:
        return parse_preimage(fields["preimage"]).commitment
    return Hash32(_bytes(fields["commitment"], "commitment"))


def _object(entry: object, required: set[str], optional: set[str]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise InvalidInput(f"expected an object, got {entry!r:.80}")
    for key in required - set(entry):
        raise InvalidInput(f"{key} is missing")
    for key in set(entry) - required - optional:
        raise InvalidInput(f"{key!r:.40} is no field of it")
    return entry


def _number(fields: dict[str, Any], key: str) -> int:
    value = fields[key]
    if type(value) is not int:
        raise InvalidInput(f"{key}: expected a whole number, got {value!r:.80}")
    return value


def _bytes(raw: object, name: str) -> bytes:
    try:
        if not isinstance(raw, str) or raw[:2] != "0x":
            raise ValueError("no 0x")
        return bytes.fromhex(raw[2:])
    except ValueError:
        raise InvalidInput(f"{name}: expected hexadecimal with 0x, got {raw!r:.80}") from None
