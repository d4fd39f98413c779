"""A second reading of span batches, straight from the specification's words and nothing of ours.

One pass over an iterator of bytes, lists of bits as lists, RLP by another library: slow, and easy
to hold against specs/protocol/delta/span-batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import rlp


@dataclass
class ReferenceSpan:
    """What a span batch says, block by block."""

    parent_check: bytes
    l1_origin_check: bytes
    timestamps: list[int]
    epochs: list[int]
    transactions: list[list[bytes]]


def read_span(data: bytes, genesis_time: int, block_time: int, chain_id: int) -> ReferenceSpan:
    """Read a span batch, its type byte first."""
    source = iter(data)
    assert next(source) == 1
    first = genesis_time + _uvarint(source)
    last_epoch = _uvarint(source)
    parent_check, origin_check = _take(source, 20), _take(source, 20)
    count = _uvarint(source)
    origin_bits = _bits(source, count)
    tx_counts = [_uvarint(source) for _ in range(count)]
    flat = _transactions(source, sum(tx_counts), chain_id)
    assert not list(source), "bytes are left"
    epochs = [last_epoch]
    for changed in reversed(origin_bits[1:]):
        epochs.insert(0, epochs[0] - changed)
    rest = iter(flat)
    return ReferenceSpan(
        parent_check,
        origin_check,
        [first + index * block_time for index in range(count)],
        epochs,
        [list(islice(rest, number)) for number in tx_counts],
    )


def _transactions(source: Iterator[int], count: int, chain_id: int) -> list[bytes]:
    creations, parities = _bits(source, count), _bits(source, count)
    signatures = [(_take(source, 32), _take(source, 32)) for _ in range(count)]
    recipients = [b"" if is_creation else _take(source, 20) for is_creation in creations]
    payloads = [_payload(source) for _ in range(count)]
    nonces = [_uvarint(source) for _ in range(count)]
    gases = [_uvarint(source) for _ in range(count)]
    protections = iter(_bits(source, sum(kind == 0 for kind, _ in payloads)))
    found = []
    for index, (kind, items) in enumerate(payloads):
        value, rest = items[0], items[1:]
        price_count = 1 if kind < 2 else 2
        v = parities[index]
        if kind == 0:
            v += 35 + 2 * chain_id if next(protections) else 27
        r, s = (part.lstrip(b"\0") for part in signatures[index])
        fields = [
            *([_int(chain_id)] if kind else []),
            _int(nonces[index]),
            *rest[:price_count],
            _int(gases[index]),
            recipients[index],
            value,
            *rest[price_count:],
            *(_int(v), r, s),
        ]
        found.append((bytes([kind]) if kind else b"") + rlp.encode(fields))
    return found


def _payload(source: Iterator[int]) -> tuple[int, list[bytes]]:
    head, kind = next(source), 0
    if head <= 0x7F:
        kind, head = head, next(source)
    assert head >= 0xC0, "the fields are a list"
    raw = bytes([head])
    if head >= 0xF8:
        raw += _take(source, head - 0xF7)
        raw += _take(source, int.from_bytes(raw[1:], "big"))
    else:
        raw += _take(source, head - 0xC0)
    return kind, rlp.decode(raw)


def _uvarint(source: Iterator[int]) -> int:
    digits = []
    while True:
        digit = next(source)
        digits.append(digit % 128)
        if digit < 128:
            return sum(digit * 128**place for place, digit in enumerate(digits))


def _bits(source: Iterator[int], count: int) -> list[int]:
    raw = _take(source, -(-count // 8))
    backwards = [byte >> place & 1 for byte in raw for place in range(7, -1, -1)]
    bits = backwards[::-1]
    assert not any(bits[count:]), "a bit beyond the list"
    return bits[:count]


def _take(source: Iterator[int], size: int) -> bytes:
    taken = bytes(islice(source, size))
    assert len(taken) == size, "the input ends"
    return taken


def _int(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
