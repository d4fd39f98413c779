"""A receipt that execution gave against the JSON that a node shows for it, field by field."""

from collections.abc import Mapping

from node.difference import Differs
from rpc.encoding.hexadecimal import Json

# Not every node shows these; whoever does must be right.
_OPTIONAL = frozenset(
    {
        "blockTimestamp",
        "depositReceiptVersion",
        "l1GasPrice",
        "l1GasUsed",
        "l1BlobBaseFee",
        "l1BaseFeeScalar",
        "l1BlobBaseFeeScalar",
        "operatorFeeScalar",
        "operatorFeeConstant",
        "daFootprintGasScalar",
    }
)
# What some receipts have and others must not.
_OF_SOME = _OPTIONAL - {"blockTimestamp"} | {
    "blobGasPrice",
    "blobGasUsed",
    "depositNonce",
    "l1Fee",
}


def check_receipt(index: int, expected: Mapping[str, Json], actual: Mapping[str, Json]) -> None:
    """Raise Differs for the first field in which a node's receipt is not ours.

    Fields that only it has are passed over, unless they belong to other kinds of transactions.
    """
    for name, value in expected.items():
        _check(name, value, actual.get(name), index)
    for name in sorted(_OF_SOME - expected.keys()):
        if actual.get(name) is not None:
            raise Differs(name, None, actual[name], index)


def _check(name: str, expected: Json, actual: Json, index: int) -> None:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for field, value in expected.items():
            _check(f"{name}.{field}", value, actual.get(field), index)
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            raise Differs(f"{name}.length", len(expected), len(actual), index)
        for position, (ours, theirs) in enumerate(zip(expected, actual, strict=True)):
            _check(f"{name}[{position}]", ours, theirs, index)
    elif _plain(expected) != _plain(actual):
        if actual is None and name.rpartition(".")[2] in _OPTIONAL:
            return
        raise Differs(name, expected, actual, index)


def _plain(value: Json) -> Json:
    """Letter case means nothing in hexadecimal; some nodes show addresses with checksums."""
    return value.lower() if isinstance(value, str) else value
