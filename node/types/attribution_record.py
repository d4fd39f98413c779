"""The attribution record: one paid inference, what shaped it, and the codec of both.

A record is `uvarint amount`, `u8 k`, k times (`uvarint dataset`, `uvarint weight`), and a 32-byte
commitment. Varints are canonical LEB128, so every record has exactly one encoding.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from operator import lt

from node.errors import DecodingError, InvalidInput
from node.types.primitives import UINT64_MAX, Hash32, keccak256

AMOUNT_BITS = 64
DATASET_BITS = 32
MAX_INFLUENCES = 16
FULL_WEIGHT = 10_000
COMMITMENT_SIZE = 32
_WEIGHT_BITS = FULL_WEIGHT.bit_length()

Pairs = tuple[tuple[int, int], ...]
"""Influences as dataset and weight."""

# Up to 5 bytes for a dataset's 32 bits and 2 for a weight's 14, all but the last with bit 7 set.
_ENCODED_PAIR = rb"[\x80-\xff]{0,4}[\x00-\x7f][\x80-\xff]?[\x00-\x7f]"
_ENCODINGS = [re.compile(b"(?:%b){%d}" % (_ENCODED_PAIR, n)) for n in range(MAX_INFLUENCES + 1)]
"""What any number of influences looks like, whether or not they are valid."""


class RecordError(DecodingError):
    """One record of a batch cannot be decoded; `index` counts from 0 within the batch."""

    def __init__(self, index: int, reason: str) -> None:
        self.index = index
        super().__init__(f"record {index}: {reason}")


class Method(IntEnum):
    """How the weights of an inference were found. The value is part of the commitment."""

    STATIC = 0
    SPAN = 1
    INFLUENCE = 2
    RETRIEVAL = 3


@dataclass(frozen=True, slots=True)
class Influence:
    """A dataset's share in one inference: `weight` is in basis points, 1 to 10000."""

    dataset: int
    weight: int

    def __post_init__(self) -> None:
        if not 0 <= self.dataset < 1 << DATASET_BITS:
            raise InvalidInput(f"dataset: expected 0 to 2^32-1, got {self.dataset}")
        if not 1 <= self.weight <= FULL_WEIGHT:
            raise InvalidInput(f"weight: expected 1 to {FULL_WEIGHT}, got {self.weight}")


@dataclass(frozen=True, slots=True)
class Record:
    """One inference. `amount` is in gwei; the commitment hides what it was about.

    Influences are strictly ascending by dataset and weigh at most 10000 together; what is missing
    is unattributed. InvalidInput if a field is out of its range.
    """

    amount: int
    influences: tuple[Influence, ...]
    commitment: Hash32

    def __post_init__(self) -> None:
        if not 0 <= self.amount < 1 << AMOUNT_BITS:
            raise InvalidInput(f"amount: expected 0 to 2^64-1 gwei, got {self.amount}")
        if len(self.commitment) != COMMITMENT_SIZE:
            raise InvalidInput(f"commitment: expected 32 bytes, got {len(self.commitment)}")
        _check_influences([(entry.dataset, entry.weight) for entry in self.influences])

    def encode(self) -> bytes:
        """Return the record's only encoding."""
        parts = [_encode_uvarint(self.amount), bytes([len(self.influences)])]
        for entry in self.influences:
            parts += [_encode_uvarint(entry.dataset), _encode_uvarint(entry.weight)]
        return b"".join([*parts, self.commitment])


def encode_records(records: Iterable[Record]) -> bytes:
    """Return the concatenation that `append` takes."""
    return b"".join(record.encode() for record in records)


def decode_record(data: bytes) -> Record:
    """Decode exactly one record that fills `data`; DecodingError for anything else."""
    record, end = _decode_at(data, 0)
    if end != len(data):
        raise DecodingError(f"{len(data) - end} bytes after the record")
    return record


def decode_records(data: bytes) -> tuple[Record, ...]:
    """Decode a concatenation of one or more records; RecordError names the first bad one."""
    records: list[Record] = []
    end = 0
    while not records or end < len(data):
        try:
            record, end = _decode_at(data, end)
        except DecodingError as error:
            raise RecordError(len(records), str(error)) from error
        records.append(record)
    return tuple(records)


def _decode_at(data: bytes, start: int) -> tuple[Record, int]:
    amount, count, cursor = read_head(data, start, len(data))
    pairs, cursor = read_influences(data, cursor, len(data), count)
    end = commitment_end(cursor, len(data))
    influences = tuple(Influence(dataset, weight) for dataset, weight in pairs)
    return Record(amount, influences, Hash32(bytes(data[cursor:end]))), end


# The three steps of reading a record, for the precompile, which charges gas between them.


def read_head(data: bytes | memoryview, start: int, limit: int) -> tuple[int, int, int]:
    """Return (amount, number of influences, offset behind them); DecodingError if malformed."""
    amount, cursor = _read_uvarint(data, start, limit, AMOUNT_BITS)
    if cursor >= limit:
        raise DecodingError("it ends before the number of influences")
    count = data[cursor]
    if count > MAX_INFLUENCES:
        raise DecodingError(f"expected at most {MAX_INFLUENCES} influences, got {count}")
    return amount, count, cursor + 1


def read_influences(
    data: bytes | memoryview, start: int, limit: int, count: int
) -> tuple[Pairs, int]:
    """Return `count` checked (dataset, weight) pairs and the offset behind them."""
    encoded = _ENCODINGS[count].match(data, start, limit)
    if encoded is None:
        return _read_pairs(data, start, limit, count)  # says what is wrong
    return _pairs_of(encoded.group(), count), encoded.end()


@lru_cache(maxsize=4_096)
def _pairs_of(encoded: bytes, count: int) -> Pairs:
    """Many records are shaped by the same datasets, with the same weights."""
    values = encoded if encoded.isascii() else _varints(encoded)
    datasets, weights = values[::2], values[1::2]
    is_valid = (
        len(values) == 2 * count
        and all(map(lt, datasets, datasets[1:]))
        and 0 not in weights
        and sum(weights) <= FULL_WEIGHT
        and (not count or datasets[-1] < 1 << DATASET_BITS)
    )
    if is_valid:
        return tuple(zip(datasets, weights, strict=True))
    return _read_pairs(encoded, 0, len(encoded), count)[0]  # says what is wrong


def _varints(encoded: bytes) -> list[int]:
    """Return the values of whole varints, none if one is not in its shortest form."""
    values: list[int] = []
    value = shift = 0
    for group in encoded:
        if group >= 0x80:
            value |= (group & 0x7F) << shift
            shift += 7
            continue
        if not group and shift:
            return []
        values.append(value | group << shift)
        value = shift = 0
    return values


def _read_pairs(data: bytes | memoryview, start: int, limit: int, count: int) -> tuple[Pairs, int]:
    pairs: list[tuple[int, int]] = []
    cursor = start
    for _ in range(count):
        dataset, cursor = _read_uvarint(data, cursor, limit, DATASET_BITS)
        weight, cursor = _read_uvarint(data, cursor, limit, _WEIGHT_BITS)
        if not 1 <= weight <= FULL_WEIGHT:
            raise DecodingError(f"weight: expected 1 to {FULL_WEIGHT}, got {weight}")
        pairs.append((dataset, weight))
    _check_influences(pairs)
    return tuple(pairs), cursor


def commitment_end(start: int, limit: int) -> int:
    """Return the offset behind the commitment at `start`; DecodingError if it is cut off."""
    end = start + COMMITMENT_SIZE
    if end > limit:
        raise DecodingError(f"commitment: expected 32 bytes, {limit - start} are left")
    return end


def _check_influences(pairs: Sequence[tuple[int, int]]) -> None:
    if len(pairs) > MAX_INFLUENCES:
        raise DecodingError(f"expected at most {MAX_INFLUENCES} influences, got {len(pairs)}")
    previous, total = -1, 0
    for dataset, weight in pairs:
        if dataset <= previous:
            raise DecodingError(f"datasets must ascend: {dataset} comes after {previous}")
        previous = dataset
        total += weight
    if total > FULL_WEIGHT:
        raise DecodingError(f"weights: expected at most {FULL_WEIGHT} together, got {total}")


def _encode_uvarint(value: int) -> bytes:
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _read_uvarint(data: bytes | memoryview, start: int, limit: int, bits: int) -> tuple[int, int]:
    value, cursor = 0, start
    for shift in range(0, bits, 7):
        if cursor >= limit:
            raise DecodingError("it ends inside a varint")
        group = data[cursor]
        cursor += 1
        value |= (group & 0x7F) << shift
        if group < 0x80:
            if group == 0 and shift:
                raise DecodingError("a varint is not in its shortest form")
            if value >> bits:
                break
            return value, cursor
    raise DecodingError(f"a varint exceeds {bits} bits")


def commitment(
    *,
    salt: Hash32,
    model_hash: Hash32,
    request_hash: Hash32,
    response_hash: Hash32,
    prompt_tokens: int,
    completion_tokens: int,
    method: Method,
    evidence_root: Hash32,
) -> Hash32:
    """Return what a record commits to; whoever holds these values can recompute it.

    The salt must be fresh and random: without it, short prompts could be guessed.
    """
    hashes = {
        "salt": salt,
        "model_hash": model_hash,
        "request_hash": request_hash,
        "response_hash": response_hash,
        "evidence_root": evidence_root,
    }
    for name, value in hashes.items():
        if len(value) != 32:
            raise InvalidInput(f"{name}: expected 32 bytes, got {len(value)}")
    counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    for name, count in counts.items():
        if not 0 <= count <= UINT64_MAX:
            raise InvalidInput(f"{name}: expected 0 to 2^64-1, got {count}")
    if method not in tuple(Method):
        raise InvalidInput(f"method: expected {Method.STATIC} to {Method.RETRIEVAL}, got {method}")
    return keccak256(
        salt
        + model_hash
        + request_hash
        + response_hash
        + prompt_tokens.to_bytes(8, "big")
        + completion_tokens.to_bytes(8, "big")
        + bytes([method])
        + evidence_root
    )
