"""The receipt precompile: many records, many influences, calls that read."""

from collections.abc import Iterable

from bench.worst.assembly import loop
from bench.worst.case import BLOCK_GAS, Case
from bench.worst.precompiles import calling
from node.types.attribution_call import (
    APPEND,
    ATTRIBUTION_ADDRESS,
    CREDIT,
    HEAD,
    padded_size,
    words,
)
from node.types.attribution_record import (
    FULL_WEIGHT,
    MAX_INFLUENCES,
    Influence,
    Record,
    encode_records,
)
from node.types.primitives import keccak256

_PRECOMPILE = int.from_bytes(ATTRIBUTION_ADDRESS, "big")
_SEQUENCE_AT = 4 + 32


def receipt_cases() -> Iterable[Case]:
    """Return the cases."""
    for count, influences, datasets in (
        (1, 0, 1),
        (1, 16, 16),
        (1000, 0, 1),
        (1000, 1, 1),
        (1000, 16, 16),
        (200, 16, 3200),
    ):
        title = f"append, {count} records, {influences} influences of {datasets} datasets"
        yield _append(title, count, _records(count, influences, datasets))
    # No two alike, so that nothing is remembered of one for another.
    for count, influences in ((3000, 1), (1000, 16)):
        title = f"append, {count} records, {influences} influences with weights of their own"
        yield _append(title, count, _own_weights(count, influences))
    yield calling("append, the last record is bad", _PRECOMPILE, _data(_records(1000, 16, 16), 1))
    yield calling("append of nothing known", _PRECOMPILE, b"\xff" * 100)
    large = b"\xff" * 2**20
    yield calling("append of nothing known, 1 MB", _PRECOMPILE, large, gas_limit=BLOCK_GAS)
    first = _data(b"\x80\x00" * 2**19)
    yield calling("append, 1 MB, the first record is bad", _PRECOMPILE, first, gas_limit=BLOCK_GAS)
    yield calling("head", _PRECOMPILE, HEAD + words(7, 1))
    yield calling("credit", _PRECOMPILE, CREDIT + words(7, 1, 2))


def _append(title: str, count: int, records: bytes) -> Case:
    """Append the same records behind one another to one stream."""
    data = _data(records)
    keep = f"DUP1 {_SEQUENCE_AT} MSTORE {count} ADD 0 0 CALLDATASIZE 0 0 {_PRECOMPILE} GAS CALL"
    code = loop(f"{keep} POP", before="CALLDATASIZE 0 0 CALLDATACOPY 0", times=1, reserve=2_500_000)
    return Case(title, code, data=data)


def _records(count: int, influences: int, datasets: int) -> bytes:
    weight = 10_000 // MAX_INFLUENCES
    records = []
    for index in range(count):
        first = index * influences % datasets
        shares = tuple(Influence(first + at, weight) for at in range(influences))
        records.append(Record(2**63 // 10**6 + index, shares, keccak256(b"%d" % index)))
    return encode_records(records)


def _own_weights(count: int, influences: int) -> bytes:
    most = FULL_WEIGHT // influences
    records = []
    for index in range(count):
        weights = keccak256(b"weights %d" % index) * 2
        shares = tuple(
            Influence(at, 1 + int.from_bytes(weights[2 * at : 2 * at + 4], "big") % most)
            for at in range(influences)
        )
        records.append(Record(1 + index % 100, shares, keccak256(b"%d" % index)))
    return encode_records(records)


def _data(encoded: bytes, cut: int = 0) -> bytes:
    encoded = encoded[: len(encoded) - cut]
    return (
        APPEND + words(1, 0, 96, len(encoded)) + encoded.ljust(padded_size(len(encoded)), b"\x00")
    )
